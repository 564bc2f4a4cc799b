"""A release on its way to an index that does what it should: a strict one, on the loopback."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from hatch_sign.values.errors import ConfigurationError, MalformedError, PublishError, RejectedError
from tests.indexes import Index, index_serving
from tests.unit.publishers.release_files import release_file
from tests.unit.services.https_server import Answer

from .releases import METADATA, SDIST, WHEEL, Sent, environment, opened, publish, release, sdist, wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOWHERE = ["GET /legacy/simple/demo-pkg/", "GET /legacy/+simple/demo-pkg/"]
"""Where else a simple index is looked for as long as none lists the project."""


@pytest.fixture
def index() -> Iterator[Index]:
    with index_serving() as serving:
        yield serving


def test_each_distribution_is_sent_once_under_its_name(index: Index, tmp_path: Path) -> None:
    sent = publish(index, release(tmp_path))
    assert sent.deeds == {WHEEL: "uploaded", SDIST: "uploaded"}
    assert sent.states == {WHEEL: "same", SDIST: "same"}
    assert index.requests == ["GET /simple/demo-pkg/", *NOWHERE, "POST /legacy/", "POST /legacy/", "GET /simple/demo-pkg/"]
    assert {name: each.content for name, each in index.stored.items()} == {WHEEL: wheel(), SDIST: sdist()}


def test_the_form_says_what_the_metadata_say(index: Index, tmp_path: Path) -> None:
    publish(index, release(tmp_path), comment="for the tests")
    fields = index.stored[WHEEL].fields
    expected = {"name": ["demo-pkg"], "version": ["1.0"], "summary": ["A demo"], "keywords": ["a, b"], "pyversion": ["py3"]}
    assert {name: fields[name] for name in expected} == expected
    assert fields["comment"] == ["for the tests"]
    assert fields["sha256_digest"] == [hashlib.sha256(wheel()).hexdigest()]
    assert "attestations" not in fields


def test_what_an_index_does_not_keep_is_not_sent(index: Index, tmp_path: Path) -> None:
    files = release(tmp_path, attested=True, sidecars=True)
    with opened(index) as destination:
        dropped = {file.name: destination.drops(file) for file in files}
    assert [name for name, reason in dropped.items() if not reason] == [WHEEL, SDIST]
    assert dropped[f"{WHEEL}.sigstore.json"] == dropped["SHA256SUMS"]
    assert dropped["SHA256SUMS"].endswith("publish it to a release on GitHub or to a folder")
    assert dropped["tool.exe"].startswith("an index keeps nothing but wheels and sdists")
    assert "attestations = true" in dropped[f"{WHEEL}.publish.attestation"]
    sent = publish(index, files)
    assert set(sent.deeds) == set(index.stored) == {WHEEL, SDIST}


def test_a_second_run_sends_nothing(index: Index, tmp_path: Path) -> None:
    files = release(tmp_path)
    publish(index, files)
    again = publish(index, files)
    assert again.deeds == {WHEEL: "present", SDIST: "present"}
    assert len(index.posts) == 2


def test_other_bytes_under_a_name_are_never_replaced(index: Index, tmp_path: Path) -> None:
    publish(index, [release_file(tmp_path, WHEEL, wheel("the one that was first"))])
    sent = Sent()
    with pytest.raises(RejectedError, match=f"{WHEEL}: http.*/legacy/ has a file of this name already, with other bytes"):
        publish(index, release(tmp_path), sent)
    assert sent.published == []
    assert len(index.posts) == 1
    assert index.stored[WHEEL].content == wheel("the one that was first")


def test_bytes_that_changed_after_they_were_verified_are_not_sent(index: Index, tmp_path: Path) -> None:
    files = release(tmp_path)
    files[1].path.write_bytes(sdist() + b"\0")
    with pytest.raises(RejectedError, match=f"{SDIST} changed after it was verified"):
        publish(index, files)
    assert index.requests == []


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        (WHEEL, b"no archive", "BadZipFile"),
        (SDIST, b"no archive", "ReadError"),
        (WHEEL, wheel(metadata=METADATA.replace(b"\nVersion: 1.0", b"\nVersion: one")), "invalid"),
    ],
)
def test_a_distribution_without_metadata_keeps_all_from_being_sent(
    index: Index, tmp_path: Path, name: str, content: bytes, found: str
) -> None:
    good = [file for file in release(tmp_path) if file.name != name]
    with pytest.raises(MalformedError, match=f"{name} has metadata that no index takes: .*{found}") as caught:
        publish(index, [*good, release_file(tmp_path, name, content)])
    assert str(tmp_path) not in str(caught.value)
    assert index.requests == []


# --- files that are there already ----------------------------------------------------------------------------------


@pytest.mark.parametrize("listing", ["json", "html", "undigested"])
def test_what_is_there_is_found_in_every_kind_of_listing(tmp_path: Path, listing: str) -> None:
    with index_serving(Index(listing=listing)) as index:
        publish(index, release(tmp_path))
        assert publish(index, release(tmp_path)).deeds == {WHEEL: "present", SDIST: "present"}
        assert len(index.posts) == 2
        with pytest.raises(RejectedError, match="with other bytes"):
            publish(index, [release_file(tmp_path, WHEEL, wheel("other"))])


def test_without_a_simple_index_the_index_itself_says_that_a_file_is_there(tmp_path: Path) -> None:
    with index_serving(Index(listing="none", same_again="refuse")) as index:
        files = release(tmp_path)
        first = publish(index, files)
        assert first.states == {WHEEL: "unreadable", SDIST: "unreadable"}
        assert "index-url" in first.read_back[0].detail
        with pytest.raises(PublishError, match="File already exists"):
            publish(index, files)
        skipped = publish(index, files, skip_existing=True)
        assert skipped.deeds == {WHEEL: "present", SDIST: "present"}
        assert "tells no digest" in skipped.published[0].detail


def test_a_listing_that_lags_does_not_hide_that_a_file_is_there(tmp_path: Path) -> None:
    files = release(tmp_path)[:1]
    with index_serving(Index(same_again="refuse")) as index:
        publish(index, files)
        index.fail_to_tell(*[Answer(404)] * 3)
        assert publish(index, files).deeds == {WHEEL: "present"}
        index.fail_to_tell(*[Answer(404)] * 3)
        with pytest.raises(RejectedError, match="with other bytes"):
            publish(index, [release_file(tmp_path, WHEEL, wheel("other"))])


def test_a_listed_file_that_cannot_be_compared_is_left_to_the_user(tmp_path: Path) -> None:
    files = release(tmp_path)[:1]
    with index_serving(Index(listing="undigested")) as index:
        publish(index, files)
        index.gives_files = False
        with pytest.raises(PublishError, match=r"tells no digest to compare.*--skip-existing"):
            publish(index, files)
        assert publish(index, files, skip_existing=True).deeds == {WHEEL: "present"}
        assert len(index.posts) == 1


# --- settings --------------------------------------------------------------------------------------------------------


def test_the_login_may_be_in_pypirc(index: Index, tmp_path: Path) -> None:
    assert index.login is not None
    lines = ["[distutils]", "index-servers = ours", "[ours]", f"repository = {index.url}", "username = __token__"]
    pypirc = tmp_path / "pypirc"
    pypirc.write_text("\n".join([*lines, f"password = {index.login[1]}"]))
    given = {"repository_url": None, "repository": "ours", "config_file": pypirc}
    assert publish(index, release(tmp_path), environ={}, **given).deeds == {WHEEL: "uploaded", SDIST: "uploaded"}
    with pytest.raises(ConfigurationError, match="the repository 'theirs' has no section of its own"):
        publish(index, release(tmp_path), environ={}, **{**given, "repository": "theirs"})


def test_the_repository_may_be_in_the_environment(index: Index, tmp_path: Path) -> None:
    environ = {**environment(index), "TWINE_REPOSITORY_URL": index.url}
    assert publish(index, release(tmp_path), environ=environ, repository_url=None).deeds[WHEEL] == "uploaded"


def test_an_index_without_a_login_gets_none(tmp_path: Path) -> None:
    with index_serving(Index(login=None)) as index:
        publish(index, release(tmp_path), environ={"TWINE_USERNAME": "", "TWINE_PASSWORD": ""})
        assert not any("authorization" in each.headers for each in index.service.requests)


def test_without_a_login_nothing_is_asked(index: Index, tmp_path: Path) -> None:
    with pytest.raises(PublishError, match=r"needs a credential, and none was found.*TWINE_PASSWORD"):
        publish(index, release(tmp_path), environ={"TWINE_USERNAME": "__token__"})
    assert index.requests == []
