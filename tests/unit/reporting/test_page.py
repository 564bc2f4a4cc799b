"""The page: one file that needs nothing else, whose markup nobody but us writes."""

from __future__ import annotations

import base64
import hashlib
import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from hatch_sign.reporting.page import encode_html
from hatch_sign.values.display import display

from .samples import HOSTILE, WRITTEN, Page, bare_chain, bare_report, report_saying

OURS = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section", "h1", "h2", "h3", "h4"),
    *("p", "div", "span", "code", "a", "dl", "dt", "dd", "table", "thead", "tbody", "tr", "th", "td"),
    *("svg", "desc", "g", "rect", "path", "text"),
}


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(encode_html(report_saying("plain")))


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_text_becomes_markup(hostile: str) -> None:
    harmless = Page(encode_html(report_saying("x" * len(display(hostile)))))
    page = Page(encode_html(report_saying(hostile)))
    assert page.elements == harmless.elements
    assert {tag for tag, _ in page.elements} <= OURS
    assert page.odd == []
    assert page.text.count(display(hostile).strip()) >= 30


def test_a_text_that_is_not_escaped_would_be_seen(page: Page) -> None:
    assert Page(b"<p><script>1</script></p>").elements != Page(b"<p>1</p>").elements
    broken = encode_html(report_saying("plain")).replace(b"plain", b"<img src=x>", 1)
    assert Page(broken).elements != page.elements


@pytest.mark.parametrize("hostile", HOSTILE)
def test_control_and_direction_characters_are_escaped(hostile: str) -> None:
    text = encode_html(report_saying(hostile)).decode()
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)


def test_it_fetches_nothing_and_runs_nothing(page: Page) -> None:
    names = {name for _, names in page.elements for name in names}
    assert not names & {"src", "srcset", "style", "action", "background", "data", "ping"}
    assert not {name for name in names if name.startswith("on")}
    assert {tag for tag, _ in page.elements}.isdisjoint({"script", "img", "link", "iframe", "object", "form", "base"})
    assert page.values["a", "href"] == {"#chain-1"}
    assert "url(" not in page.text
    assert "@import" not in page.text


def test_the_security_policy_allows_this_style_alone() -> None:
    text = encode_html(report_saying("plain")).decode()
    style = re.search("<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    expected = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert expected in Page(text.encode()).values["meta", "content"]


def test_it_is_well_formed_also_as_xml() -> None:
    """Every element is closed, in order: what HTML forgives, other readers do not."""
    text = encode_html(report_saying(HOSTILE[0])).decode()
    tree = ET.fromstring(re.sub("(<meta [^>]*)>", r"\1/>", text.removeprefix("<!DOCTYPE html>")))  # noqa: S314 - our own text
    assert tree.get("lang") == "en"
    ids = [element.get("id") for element in tree.iter() if element.get("id")]
    assert len(ids) == len(set(ids))


def test_a_reader_of_the_screen_is_told_what_the_drawing_shows(page: Page) -> None:
    assert ("svg", ("role", "aria-labelledby", "viewbox")) in page.elements
    assert page.values["svg", "aria-labelledby"] == {"chain-1-title chain-1-words"}
    assert {"chain-1-title"} <= page.values["title", "id"]
    assert page.values["desc", "id"] == {"chain-1-words"}
    assert "leads to Step: plain; plain;" in "".join(page.texts)


def test_tables_have_headers_and_headings_go_down_one_by_one(page: Page) -> None:
    tags = [tag for tag, _ in page.elements]
    assert tags.count("thead") == tags.count("table") > 1
    assert "" not in page.values["table", "aria-label"]
    assert page.values["th", "scope"] == {"col", "row"}
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_a_verdict_is_told_in_words(page: Page) -> None:
    assert "The artifact is rejected" in page.text
    assert "1: something is rejected" in page.text
    assert page.texts.count("untrusted") == 1
    assert page.texts.count(WRITTEN) >= 3


def test_what_is_not_known_is_said_not_to_be() -> None:
    page = Page(encode_html(bare_report()))
    assert "No signature could be read." in page.text
    assert "none: the command line says whom to trust" in page.text
    assert page.texts.count("none") == 5
    assert ("a", "href") not in page.values
    assert "Roots of timestamp authorities" not in page.values["table", "aria-label"]


def test_a_bare_key_has_no_certificates() -> None:
    page = Page(encode_html(bare_chain()))
    assert "none is for such signatures" in page.text
    assert "Certificates of chain 1" not in page.values["table", "aria-label"]
    assert page.texts.count("yes") == 1
