"""Connections to an index that break, or are not made: nothing is stored twice, and the next run does the rest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hatch_sign.publishers.index.pace import LIMITS as DEFAULT_LIMITS
from hatch_sign.publishers.index.publisher import IndexPublisher
from hatch_sign.publishers.index.translate import connection_failure
from hatch_sign.values.errors import PublishError, RejectedError
from tests.authority import Authority
from tests.indexes import Index, index_serving
from tests.ports import free_port
from tests.unit.publishers.release_files import Heard, release_file
from tests.unit.services.https_server import Answer

from .releases import LIMITS, SDIST, TOKEN, WHEEL, Sent, publish, release, shown, wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TLS = Authority("TLS Root")


@pytest.fixture
def index() -> Iterator[Index]:
    with index_serving() as serving:
        yield serving


@pytest.mark.parametrize("fault", ["vanish", "stall", "drip", "cut"])
def test_an_answer_that_is_lost_does_not_make_it_sent_twice(index: Index, tmp_path: Path, fault: str) -> None:
    index.lose_answers(fault)
    limits = replace(LIMITS, read=3.0) if fault == "stall" else LIMITS
    sent = publish(index, release(tmp_path), limits=limits)
    assert sent.deeds == {WHEEL: "uploaded", SDIST: "uploaded"}
    assert sent.states == {WHEEL: "same", SDIST: "same"}
    assert len(index.posts) == 2


def test_an_answer_that_is_lost_is_said(index: Index, tmp_path: Path) -> None:
    index.lose_answers("vanish")
    assert publish(index, release(tmp_path)).published[0].detail == "the answer was lost, and the index has these bytes"


def test_a_request_that_is_cut_is_sent_again(index: Index, tmp_path: Path) -> None:
    big = release_file(tmp_path, WHEEL, wheel("x" * 4_000_000))
    index.cut_requests(100_000, 1_000_000)
    assert publish(index, [big]).deeds == {WHEEL: "uploaded"}
    assert len(index.uploads) == 1


def test_what_was_stored_altered_after_a_cut_is_rejected(index: Index, tmp_path: Path) -> None:
    index.alters = True
    index.lose_answers("vanish")
    with pytest.raises(RejectedError, match="with other bytes"):
        publish(index, release(tmp_path))


def test_what_was_stored_altered_differs_when_it_is_read_back(index: Index, tmp_path: Path) -> None:
    index.alters = True
    assert publish(index, release(tmp_path)).states == {WHEEL: "differs", SDIST: "differs"}


def test_a_run_that_fails_half_way_is_completed_by_the_next(index: Index, tmp_path: Path) -> None:
    sent, files = Sent(), release(tmp_path)
    index.fail(Answer(503))
    index.lose_answers("vanish", "vanish")
    publish(index, files[:1])
    index.fail(*[Answer(500)] * 3)
    with pytest.raises(PublishError, match=SDIST):
        publish(index, files, sent)
    assert sent.deeds == {WHEEL: "present"}
    assert publish(index, files).deeds == {WHEEL: "present", SDIST: "uploaded"}


def test_an_index_that_is_silent_is_given_up(index: Index, tmp_path: Path) -> None:
    index.service.delay = 1.0
    line = shown(index, tmp_path, limits=replace(LIMITS, read=0.05, attempts=2))
    assert "did not answer in time 2 times" in line


def test_an_index_that_is_down_is_told(index: Index, tmp_path: Path) -> None:
    address = f"http://127.0.0.1:{free_port()}/legacy/"
    line = shown(index, tmp_path, repository_url=address)
    assert line.startswith(f"{WHEEL}: {address} refused the connection 3 times")
    assert index.requests == []


def test_a_name_without_an_address_is_told(index: Index, tmp_path: Path) -> None:
    line = shown(index, tmp_path, repository_url="http://index.invalid/legacy/")
    assert "could not be found: its name has no address" in line


def test_a_certificate_that_is_not_trusted_is_told_and_no_token_is_sent(tmp_path: Path) -> None:
    server, roots = tmp_path / "server.pem", tmp_path / "roots.pem"
    holder = TLS.server()
    server.write_bytes(holder.pem + holder.key_pem)
    roots.write_bytes(TLS.pem)
    with index_serving(certificate=server) as index:
        line = shown(index, tmp_path)
        assert "showed a TLS certificate that is not trusted" in line
        assert "name its roots by `cert`" in line
        assert index.requests == []
        assert publish(index, release(tmp_path), cert=roots).states == {WHEEL: "same", SDIST: "same"}


def test_a_client_certificate_is_shown_to_an_index_that_demands_one(tmp_path: Path) -> None:
    holder, client, roots = tmp_path / "server.pem", tmp_path / "client.pem", tmp_path / "roots.pem"
    for file, of in ((holder, TLS.server()), (client, TLS.holder("uploader", usage="client"))):
        file.write_bytes(of.pem + of.key_pem)
    roots.write_bytes(TLS.pem)
    anonymous = {"TWINE_USERNAME": "", "TWINE_PASSWORD": ""}
    with index_serving(Index(login=None), holder, client_authority=roots) as index:
        sent = publish(index, release(tmp_path), environ=anonymous, cert=roots, client_cert=client)
        assert sent.states == {WHEEL: "same", SDIST: "same"}
        index.stored.clear()
        shown(
            index, tmp_path, environ=anonymous, cert=roots
        )  # as an alert, or as a connection that is cut: whichever is first
        assert index.stored == {}


def test_a_plain_server_where_tls_is_expected_is_told(index: Index, tmp_path: Path) -> None:
    line = shown(index, tmp_path, repository_url=index.url.replace("http:", "https:"))
    assert "does not speak TLS there, or ended it" in line


def test_a_login_does_not_follow_a_listing_to_another_host(tmp_path: Path) -> None:
    with index_serving() as other, index_serving() as index:
        publish(other, release(tmp_path))
        other.service.requests.clear()
        index.fail_to_tell(*[Answer(302, headers={"Location": f"{other.simple}demo-pkg/"})] * 3)
        assert publish(index, release(tmp_path)).deeds == {WHEEL: "uploaded", SDIST: "uploaded"}
        assert other.requests == []


def test_a_simple_index_on_another_host_gets_no_login(tmp_path: Path) -> None:
    with index_serving() as other, index_serving(Index(listing="none")) as index:
        publish(other, release(tmp_path))
        other.service.requests.clear()
        assert publish(index, release(tmp_path), index_url=other.simple).deeds == {WHEEL: "present", SDIST: "present"}
        assert not any("authorization" in each.headers for each in other.service.requests)
        assert index.posts == []


def test_no_limit_is_missing_where_nobody_set_any() -> None:
    assert DEFAULT_LIMITS.attempts > 1
    assert DEFAULT_LIMITS.total >= DEFAULT_LIMITS.read >= DEFAULT_LIMITS.connect


def test_an_exception_that_nobody_knows_is_named_and_not_quoted() -> None:
    failure = connection_failure(ValueError(TOKEN))
    assert failure.phrase == "could not be asked (ValueError)"
    assert not failure.kind.passes


@pytest.mark.parametrize(
    ("address", "told"),
    [
        (
            "http://index.example/legacy/",
            ["http://index.example/legacy/: the login goes there over a plain channel: use https"],
        ),
        ("https://index.example/legacy/", []),
        ("http://127.0.0.2:9/legacy/", []),
        ("http://localhost/legacy/", []),
    ],
)
def test_a_login_that_others_can_hear_is_told_of(address: str, told: list[str]) -> None:
    heard = Heard()
    context = heard.context({"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": TOKEN})
    with IndexPublisher().open({"repository-url": address}, context) as destination:
        assert destination.title == address
    assert heard.warnings == told
