"""A real browser looks at a report: it fetches nothing, runs nothing, fits a phone, and can be read in light and dark."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

import pytest

from hatch_sign.reporting.page import encode_html
from tests.peers.browsers import browsing
from tests.unit.reporting.samples import HOSTILE, report_saying

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.peers.browsers import Tab

WIDE = "W" * 300
LONGEST_WORDS = "CN=Example Software Signing Authority, OU=Releases, O=Example Ltd, C=SI; " * 6

OVERFLOWING = """[...document.querySelectorAll("svg g")].filter(group => {
    const box = group.querySelector("rect"), frame = box && box.getBoundingClientRect();
    return box && [...group.querySelectorAll("text")].some(text => {
        const place = text.getBoundingClientRect();
        return place.right > frame.right || place.bottom > frame.bottom; }); }).length"""

WORST_CONTRAST = """(() => {
    const parts = colour => colour.match(/[\\d.]+/g).slice(0, 3).map(Number);
    const light = colour => { const [r, g, b] = parts(colour).map(each => each / 255).map(
        each => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
    const behind = element => { for (; element; element = element.parentElement) {
        const colour = getComputedStyle(element).backgroundColor;
        if (!colour.startsWith("rgba(0, 0, 0, 0")) return colour; } return "rgb(255, 255, 255)"; };
    const shown = [...document.querySelectorAll("body *:not(svg, svg *)")].filter(each => each.textContent.trim());
    const ratios = shown.map(each => {
        const [a, b] = [light(getComputedStyle(each).color), light(behind(each))];
        return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05); });
    return Math.min(...ratios); })()"""


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with browsing(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def written(folder: Path, text: str) -> Path:
    path = folder / "report.html"
    path.write_bytes(encode_html(report_saying(text)))
    return path


@pytest.mark.parametrize("hostile", [*HOSTILE, WIDE])
def test_it_asks_for_nothing_runs_nothing_and_breaks_no_rule(tab: Tab, tmp_path: Path, hostile: str) -> None:
    page = written(tmp_path, hostile)
    tab.show(page, width=1280)
    assert [each["request"]["url"] for each in tab.told("Network.requestWillBeSent")] == [page.as_uri()]
    assert (
        tab.told("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Page.javascriptDialogOpening")
        == []
    )
    assert tab.ask("document.querySelectorAll('script, img, iframe, link, object, base, form').length") == 0
    assert tab.ask("getComputedStyle(document.querySelector('.chain')).display") == "grid"


def test_what_somebody_adds_to_a_page_is_not_run_and_a_changed_style_is_not_used(tab: Tab, tmp_path: Path) -> None:
    page = written(tmp_path, "plain")
    added = page.read_text().replace("</main>", '<script>document.title = "run"</script><img src="x.png"></main>')
    page.write_text(added.replace("<style>", "<style>p { color: red }"))
    tab.show(page, width=1280)
    assert tab.ask("document.title") != "run"
    assert len([each for each in tab.told("Log.entryAdded") if "Content Security Policy" in each["entry"]["text"]]) >= 2
    assert tab.ask("getComputedStyle(document.querySelector('.chain')).display") == "block"


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
@pytest.mark.parametrize("text", ["plain", WIDE, LONGEST_WORDS])
def test_it_fits_and_so_does_what_is_drawn(tab: Tab, tmp_path: Path, width: int, text: str) -> None:
    tab.show(written(tmp_path, text), width=width)
    assert tab.ask("document.documentElement.scrollWidth") <= width
    assert tab.ask(OVERFLOWING) == 0


def test_a_page_and_a_drawing_that_do_not_fit_would_be_seen(tab: Tab, tmp_path: Path) -> None:
    tab.show(written(tmp_path, "plain"), width=360)
    tab.ask(
        "document.querySelector('h1').style.whiteSpace = 'pre'; document.querySelector('h1').textContent = 'x'.repeat(999)"
    )
    assert tab.ask("document.documentElement.scrollWidth") > 360
    tab.ask("document.querySelector('svg rect ~ text').textContent = 'W'.repeat(60)")
    assert tab.ask(OVERFLOWING) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_in_light_and_dark(tab: Tab, tmp_path: Path, scheme: str) -> None:
    """WCAG 2.2 §1.4.3 asks for 4.5 to 1."""
    tab.show(written(tmp_path, "plain"), width=1280, scheme=scheme)
    background = tab.ask("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(17, 22, 27)")
    assert tab.ask(WORST_CONTRAST) >= 4.5
    tab.ask("document.querySelector('h1').style.color = getComputedStyle(document.body).backgroundColor")
    assert tab.ask(WORST_CONTRAST) < 4.5


def test_it_prints_on_a4(tab: Tab, tmp_path: Path) -> None:
    tab.show(written(tmp_path, LONGEST_WORDS), width=1280, scheme="dark")
    printed = base64.b64decode(tab.call("Page.printToPDF", preferCSSPageSize=True)["data"])
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", printed)
    assert {(round(float(width)), round(float(height))) for width, height in boxes} == {(595, 842)}


def test_a_reader_of_the_screen_finds_tables_and_the_drawing(tab: Tab, tmp_path: Path) -> None:
    for width in (360, 1280):
        tab.show(written(tmp_path, "plain"), width=width)
        nodes = tab.call("Accessibility.getFullAXTree")["nodes"]
        roles = [node["role"]["value"] for node in nodes if not node.get("ignored")]
        assert {"table", "row", "cell", "rowheader"} <= set(roles)
        (drawing,) = [node for node in nodes if node.get("role", {}).get("value") == "image"]
        assert "The chain of trust, drawn" in drawing["name"]["value"]
        assert "leads to Step: plain" in drawing["name"]["value"]
