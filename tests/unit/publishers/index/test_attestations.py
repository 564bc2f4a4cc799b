"""Attestations (PEP 740): with the distribution or never, and what an index did with them is said."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hatch_sign.publishers.index.destination import drops
from hatch_sign.publishers.index.settings import IndexSettings
from hatch_sign.values.errors import MalformedError, PublishError, RejectedError
from tests.indexes import Index, index_serving
from tests.unit.publishers.release_files import release_file

from .releases import SDIST, WHEEL, attestation, attestation_file, publish, release, wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OVER_WHEEL, OVER_SDIST = f"{WHEEL}.publish.attestation", f"{SDIST}.publish.attestation"
PROVENANCE = "https://slsa.dev/provenance/v1"
ALL = {WHEEL, SDIST, OVER_WHEEL, OVER_SDIST}


@pytest.fixture
def index() -> Iterator[Index]:
    with index_serving() as serving:
        yield serving


def test_they_go_with_their_distribution_and_are_read_back(index: Index, tmp_path: Path) -> None:
    sent = publish(index, release(tmp_path, attested=True), attestations=True)
    assert sent.deeds == dict.fromkeys(ALL, "uploaded")
    assert sent.states == dict.fromkeys(ALL, "same")
    assert len(index.posts) == 2
    assert index.stored[WHEEL].attestations == [attestation(WHEEL, wheel())]


def test_two_of_different_kinds_go_together(index: Index, tmp_path: Path) -> None:
    slsa = attestation_file(tmp_path, WHEEL, wheel(), "slsa", PROVENANCE)
    sent = publish(index, [*release(tmp_path, attested=True), slsa], attestations=True)
    assert sent.states == dict.fromkeys({*ALL, slsa.name}, "same")
    assert len(index.stored[WHEEL].attestations) == 2


@pytest.mark.parametrize("listing", ["json", "html"])
def test_a_second_run_finds_them(tmp_path: Path, listing: str) -> None:
    with index_serving(Index(listing=listing)) as index:
        publish(index, release(tmp_path, attested=True), attestations=True)
        again = publish(index, release(tmp_path, attested=True), attestations=True)
        assert again.deeds == dict.fromkeys(ALL, "present")
        assert again.states == dict.fromkeys(ALL, "same")


def test_an_index_that_drops_them_while_it_answers_success_is_found_out(tmp_path: Path) -> None:
    with index_serving(Index(attestations="drop")) as index:
        sent = publish(index, release(tmp_path, attested=True), attestations=True)
        assert sent.deeds == dict.fromkeys(ALL, "uploaded")
        assert sent.states == {WHEEL: "same", SDIST: "same", OVER_WHEEL: "unreadable", OVER_SDIST: "unreadable"}
        told = {each.name: each.detail for each in sent.read_back}
        assert told[OVER_WHEEL] == "the index answered success and dropped the attestations"
        again = publish(index, release(tmp_path, attested=True), attestations=True)
        assert again.deeds == {WHEEL: "present", SDIST: "present", OVER_WHEEL: "kept-back", OVER_SDIST: "kept-back"}
        assert {each.detail for each in again.read_back} == {"", "the index has none of that distribution"}
        assert "takes none later" in {each.name: each.detail for each in again.published}[OVER_SDIST]


def test_other_attestations_differ(index: Index, tmp_path: Path) -> None:
    publish(index, release(tmp_path, attested=True), attestations=True)
    index.stored[WHEEL].fields["attestations"][0] = index.stored[SDIST].one("attestations")
    assert publish(index, release(tmp_path, attested=True), attestations=True).states[OVER_WHEEL] == "differs"


def test_an_index_that_refuses_them_stores_nothing(tmp_path: Path) -> None:
    with index_serving(Index(attestations="refuse")) as index:
        with pytest.raises(PublishError, match=r"saying: 400 .*Trusted Publishing; .*`attestations = false`"):
            publish(index, release(tmp_path, attested=True), attestations=True)
        assert index.stored == {}


def test_where_each_is_demanded_none_may_lack_one(index: Index, tmp_path: Path) -> None:
    files = [file for file in release(tmp_path, attested=True) if file.name != OVER_SDIST]
    with pytest.raises(RejectedError, match=f"{SDIST} has no attestation beside it, and `attestations = true` demands one"):
        publish(index, files, attestations=True)
    with pytest.raises(RejectedError, match=f"{WHEEL} has no attestation beside it, nor have 1 more"):
        publish(index, release(tmp_path), attestations=True)
    assert index.posts == []
    assert publish(index, files).deeds == {WHEEL: "uploaded", SDIST: "uploaded"}


@pytest.mark.parametrize("content", [b"", b"[]", b'{"envelope": {}}', b"\xff", b"[" * 100_000])
def test_what_is_no_attestation_is_not_sent(index: Index, tmp_path: Path, content: bytes) -> None:
    good = [file for file in release(tmp_path, attested=True) if file.name != OVER_WHEEL]
    files = [*good, release_file(tmp_path, OVER_WHEEL, content, "pep740", WHEEL)]
    with pytest.raises(MalformedError, match=f"{OVER_WHEEL} is no attestation"):
        publish(index, files, attestations=True)
    assert index.posts == []


def test_one_that_is_too_large_is_none(index: Index, tmp_path: Path) -> None:
    good = [file for file in release(tmp_path, attested=True) if file.name != OVER_WHEEL]
    large = replace(attestation_file(tmp_path, WHEEL, wheel()), size=1 << 30)
    with pytest.raises(MalformedError, match=f"{OVER_WHEEL} is no attestation"):
        publish(index, [*good, large], attestations=True)


def test_one_that_changed_after_it_was_verified_is_not_sent(index: Index, tmp_path: Path) -> None:
    files = release(tmp_path, attested=True)
    changed = next(file for file in files if file.name == OVER_WHEEL)
    changed.path.write_bytes(changed.path.read_bytes().replace(b'"version": 1', b'"version": 2'))
    with pytest.raises(RejectedError, match=f"{OVER_WHEEL} changed after it was verified"):
        publish(index, files, attestations=True)
    assert index.posts == []


def test_the_fake_index_takes_none_over_another_file(index: Index, tmp_path: Path) -> None:
    over_another = replace(attestation_file(tmp_path / "other", SDIST, wheel()), name=OVER_WHEEL, artifact=WHEEL)
    files = [*(file for file in release(tmp_path, attested=True) if file.name != OVER_WHEEL), over_another]
    with pytest.raises(PublishError, match="the subject of the attestation has another name"):
        publish(index, files, attestations=True)


@pytest.mark.parametrize(
    ("upload_url", "asked", "kept"),
    [
        ("https://upload.pypi.org/legacy/", None, True),
        ("https://test.pypi.org/legacy/", None, True),
        ("https://upload.pypi.org/legacy/", False, False),
        ("https://upload.pypi.org.example/legacy/", None, False),
        ("https://index.example/legacy/", None, False),
        ("https://index.example/legacy/", True, True),
    ],
)
def test_they_go_to_indexes_that_are_known_to_take_them(
    tmp_path: Path, upload_url: str, *, asked: bool | None, kept: bool
) -> None:
    reason = drops(attestation_file(tmp_path, WHEEL, wheel()), upload_url, IndexSettings(attestations=asked))
    assert (reason == "") is kept
