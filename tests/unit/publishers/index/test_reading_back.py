"""What an index tells of what it has, when it tells it badly: nothing is taken on faith, and nothing breaks."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from hatch_sign.values.errors import ConfigurationError, PublishError, RejectedError
from tests.indexes import SIMPLE_JSON, Index, index_serving
from tests.unit.services.https_server import Answer

from .releases import SDIST, WHEEL, opened, publish, release, wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OVER_WHEEL = f"{WHEEL}.publish.attestation"
NOTHING = [Answer(404)] * 3
"""What the three places say at which a simple index is looked for."""


@pytest.fixture
def index() -> Iterator[Index]:
    with index_serving() as serving:
        yield serving


def listing(url: str, **more: object) -> Answer:
    page = {"files": [{"filename": WHEEL, "url": url, "hashes": {}, **more}]}
    return Answer(200, json.dumps(page).encode(), {"Content-Type": SIMPLE_JSON})


def test_the_place_is_named_without_a_login(index: Index) -> None:
    address = index.url.replace("http://", "http://user:hidden-password@")
    with opened(index, environ={}, repository_url=f"{address}?key=hidden-password") as destination:
        assert destination.title == index.url


@pytest.mark.parametrize(
    "answer",
    [
        Answer(500, b"failed"),
        Answer(200, b"{}", {"Content-Type": SIMPLE_JSON}),
        Answer(200, b"packed", {"Content-Type": SIMPLE_JSON, "Content-Encoding": "br"}),
        Answer(200, b"cut in the middle", {"Content-Type": "text/html"}, "cut"),
        Answer(302, headers={"Location": "/simple/demo-pkg/"}),
    ],
)
def test_a_listing_that_cannot_be_read_keeps_nothing_from_being_sent(index: Index, tmp_path: Path, answer: Answer) -> None:
    index.fail_to_tell(answer, answer, answer, answer, *NOTHING)
    assert publish(index, release(tmp_path)[:1]).states == {WHEEL: "same"}


def test_a_redirect_on_the_same_host_is_followed(index: Index, tmp_path: Path) -> None:
    publish(index, release(tmp_path))
    index.fail_to_tell(Answer(301, headers={"Location": "/simple/demo-pkg/"}))
    assert publish(index, release(tmp_path)).deeds == {WHEEL: "present", SDIST: "present"}


def test_an_index_that_never_lists_what_it_took_is_told_of(index: Index, tmp_path: Path) -> None:
    index.fail_to_tell(*NOTHING * 30)
    sent = publish(index, release(tmp_path, attested=True), attestations=True)
    assert set(sent.deeds.values()) == {"uploaded"}
    assert set(sent.states.values()) == {"unreadable"}
    assert {each.detail for each in sent.read_back} == {
        "the index does not list it (yet), or its simple index is elsewhere: say `index-url`"
    }


def test_an_index_that_lists_without_digest_and_file_is_told_of(index: Index, tmp_path: Path) -> None:
    index.listing, index.gives_files = "undigested", False
    sent = publish(index, release(tmp_path))
    assert sent.states == {WHEEL: "unreadable", SDIST: "unreadable"}
    assert "neither a digest nor the bytes" in sent.read_back[0].detail


def test_attestations_that_are_not_given_back_are_told_of(index: Index, tmp_path: Path) -> None:
    files = [file for file in release(tmp_path, attested=True) if WHEEL in file.name]
    publish(index, files, attestations=True)
    before = Answer(200, *_page(index))
    index.fail_to_tell(before, Answer(500), before, Answer(200, b"{}"))
    again = publish(index, files, attestations=True)
    assert {each.name: each.detail for each in again.read_back}[
        OVER_WHEEL
    ] == "the index does not give its attestations back"


def _page(index: Index) -> tuple[bytes, dict[str, str]]:
    answer = index._project("demo-pkg", SIMPLE_JSON)
    return answer.body, dict(answer.headers)


@pytest.mark.parametrize("content", [wheel() + b"more", wheel()[:-1], b""])
def test_bytes_are_compared_where_no_digest_is_told(index: Index, tmp_path: Path, content: bytes) -> None:
    files = release(tmp_path)[:1]
    publish(index, files)
    told = listing("/files/elsewhere")
    index.fail_to_tell(told, Answer(200, content))
    with pytest.raises(RejectedError, match="with other bytes"):
        publish(index, files)
    index.fail_to_tell(told, Answer(200, wheel()))
    assert publish(index, files).deeds == {WHEEL: "present"}


@pytest.mark.parametrize("fault", ["cut", "vanish"])
def test_bytes_that_do_not_come_whole_are_no_bytes(index: Index, tmp_path: Path, fault: str) -> None:
    files = release(tmp_path)[:1]
    index.fail_to_tell(listing("/files/elsewhere"), Answer(200, wheel(), fault=fault))
    with pytest.raises(PublishError, match="tells no digest to compare"):
        publish(index, files)
    assert index.posts == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999/x", "ftp://127.0.0.1/x", "file:///etc/hostname", "http:///x"])
def test_an_address_that_is_none_is_not_asked(index: Index, tmp_path: Path, url: str) -> None:
    index.fail_to_tell(listing(url))
    with pytest.raises(PublishError, match="tells no digest to compare"):
        publish(index, release(tmp_path)[:1])


def test_what_others_list_of_a_file_counts_for_nothing_without_the_bytes(index: Index, tmp_path: Path) -> None:
    with index_serving() as other:
        publish(other, release(tmp_path)[:1])
        index.fail_to_tell(listing(f"{other.service.origin}/files/{WHEEL}"))
        other.service.requests.clear()
        assert publish(index, release(tmp_path)[:1]).deeds == {WHEEL: "present"}
        assert not any("authorization" in each.headers for each in other.service.requests)


@pytest.mark.parametrize(
    "address", ["http://[::1/legacy/", "http://127.0.0.1:0/", "http://127.0.0.1:port/", "http:///legacy/"]
)
def test_an_address_that_cannot_be_one_is_told(index: Index, tmp_path: Path, address: str) -> None:
    with pytest.raises(ConfigurationError, match="no http or https address"):
        publish(index, release(tmp_path), repository_url=address)


# --- where an index leads


def netrc_for(host: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = folder / "netrc"
    file.write_text(f"machine {host} login somebody password hidden-password\n")
    monkeypatch.setenv("NETRC", str(file))


@pytest.mark.parametrize("way", ["listed", "provenance", "redirect"])
@pytest.mark.parametrize("spelling", ["{other}/{file}", "{other}\\@{upload}/{file}", "{other}\\\\@{upload}/"])
def test_no_login_goes_to_another_host_however_its_address_is_spelt(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spelling: str, way: str
) -> None:
    netrc_for("127.0.0.1", tmp_path, monkeypatch)
    files = [file for file in release(tmp_path, attested=True) if WHEEL in file.name]
    publish(index, files, attestations=True)
    with index_serving() as other:
        address = spelling.format(other=other.service.origin, upload=index.service.origin.partition("//")[2], file=WHEEL)
        digests = {"sha256": files[0].sha256.hex()}
        led = {
            "listed": listing(address),
            "provenance": listing("/files/elsewhere", hashes=digests, provenance=address),
            "redirect": Answer(302, headers={"Location": address}),
        }[way]
        index.fail_to_tell(*[led] * 8)
        with suppress(PublishError):
            publish(index, files, attestations=True)
        assert [each.path for each in other.service.requests if "authorization" in each.headers] == []
        assert bool(other.service.requests) is (way != "redirect"), "asked it was, else nothing is shown here"
    index.fail_to_tell()
    assert any("authorization" in each.headers for each in index.service.requests), "the index itself gets its login"


@pytest.mark.parametrize("way", ["listed", "provenance"])
def test_an_index_elsewhere_leads_nobody_into_this_machine(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setenv("http_proxy", index.service.origin)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    files = [file for file in release(tmp_path, attested=True) if WHEEL in file.name]
    digests = {"sha256": files[0].sha256.hex()} if way == "provenance" else {}
    with index_serving() as inside:
        address = f"{inside.service.origin}/job/build"
        led = listing(address, provenance=address, hashes=digests)
        index.fail_to_tell(*[led] * 8)
        with suppress(PublishError):
            publish(index, files, attestations=True, repository_url="http://index.example/legacy/")
        assert inside.requests == []
    assert index.requests[0] == "GET http://index.example/simple/demo-pkg/"
