"""A folder that releases are published to."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hatch_sign.contract import Destination, Previews, Publisher
from hatch_sign.publishers.folder.files import add_file
from hatch_sign.publishers.folder.publisher import FolderPublisher
from hatch_sign.values.errors import ConfigurationError, HatchSignError, PublishError, RejectedError, UnsupportedError
from tests.unit.publishers.release_files import BUNDLE, IN_ORDER, WHEEL, Heard, release, release_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hatch_sign.contract import ReleaseFile


@pytest.fixture
def public(tmp_path: Path) -> Path:
    return tmp_path / "srv" / "public"


@pytest.fixture
def files(tmp_path: Path) -> list[ReleaseFile]:
    return release(tmp_path / "copy")


def destination_at(folder: Path) -> Destination:
    publisher: Publisher = FolderPublisher()
    with publisher.open({"path": folder}, Heard().context()) as destination:
        return destination


def publish(folder: Path, files: Sequence[ReleaseFile]) -> Heard:
    heard = Heard()
    destination_at(folder).publish(files, heard)
    return heard


def failure_of(folder: Path, files: Sequence[ReleaseFile]) -> tuple[HatchSignError, Heard]:
    heard = Heard()
    with pytest.raises(HatchSignError) as caught:
        destination_at(folder).publish(files, heard)
    return caught.value, heard


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def wanted(files: Sequence[ReleaseFile]) -> dict[str, bytes]:
    return {file.name: file.path.read_bytes() for file in files}


# --- what comes there -------------------------------------------------------------------------------------------------


def test_every_file_comes_there_signatures_first_and_readable_by_all(public: Path, files: list[ReleaseFile]) -> None:
    before = os.umask(0o077)
    try:
        heard = publish(public, files)
    finally:
        os.umask(before)
    assert heard.uploaded == IN_ORDER
    assert contents(public) == wanted(files)
    assert {stat.S_IMODE(path.stat().st_mode) for path in public.iterdir()} == {0o644}


def test_it_says_what_it_has(public: Path, files: list[ReleaseFile]) -> None:
    publish(public, files)
    assert {back.state for back in destination_at(public).read_back(files)} == {"same"}


def test_again_is_present_and_nothing_is_touched(public: Path, files: list[ReleaseFile]) -> None:
    publish(public, files)
    before = {path.name: path.stat() for path in public.iterdir()}
    heard = publish(public, files)
    assert sorted(heard.present) == sorted(IN_ORDER)
    assert heard.uploaded == []
    assert {path.name: path.stat().st_mtime_ns for path in public.iterdir()} == {
        name: status.st_mtime_ns for name, status in before.items()
    }


def test_what_is_missing_is_added(public: Path, files: list[ReleaseFile]) -> None:
    publish(public, files[:1])
    heard = publish(public, files)
    assert (heard.present, heard.uploaded) == ([WHEEL], IN_ORDER[:-1])


def test_a_link_to_the_folder_is_followed(tmp_path: Path, public: Path, files: list[ReleaseFile]) -> None:
    public.mkdir(parents=True)
    link = tmp_path / "link"
    link.symlink_to(public)
    publish(link, files)
    assert contents(public) == wanted(files)


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("there", [b"other", b"w", b""])
def test_other_bytes_are_not_replaced_and_nothing_is_added(public: Path, files: list[ReleaseFile], there: bytes) -> None:
    public.mkdir(parents=True)
    (public / WHEEL).write_bytes(there)
    error, heard = failure_of(public, files)
    assert isinstance(error, RejectedError)
    assert f"{public}/{WHEEL} is there already, with other bytes; nothing was replaced" in str(error)
    assert contents(public) == {WHEEL: there}
    assert heard.deeds == []
    backs = {back.name: back.state for back in destination_at(public).read_back(files)}
    assert backs == {**dict.fromkeys(IN_ORDER, "unreadable"), WHEEL: "differs"}


def test_bytes_of_the_same_length_are_other_bytes(public: Path, files: list[ReleaseFile]) -> None:
    publish(public, files)
    (public / BUNDLE).write_bytes(b"bundlE")
    error, _ = failure_of(public, files)
    assert isinstance(error, RejectedError)


def test_no_link_is_written_through(tmp_path: Path, public: Path, files: list[ReleaseFile]) -> None:
    public.mkdir(parents=True)
    outside = tmp_path / "outside"
    (public / WHEEL).symlink_to(outside)
    error, _ = failure_of(public, files)
    assert isinstance(error, PublishError)
    assert "is there already, and is no regular file" in str(error)
    assert not outside.exists()


def test_whoever_else_may_write_there_makes_no_private_file_readable(
    tmp_path: Path, public: Path, files: list[ReleaseFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    private = tmp_path / "private"
    private.touch(mode=0o600)
    sync, exchanged = os.fsync, []

    def sync_and_exchange(descriptor: int) -> None:
        sync(descriptor)
        for staged in public.glob(".*.hatch-sign-tmp"):
            staged.unlink()
            staged.symlink_to(private)
            exchanged.append(staged)

    monkeypatch.setattr(os, "fsync", sync_and_exchange)
    publish(public, files)
    assert len(exchanged) == len(files)
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert {each.state for each in destination_at(public).read_back(files)} == {"differs"}


def test_a_link_to_the_same_bytes_is_not_taken_for_them(public: Path, files: list[ReleaseFile]) -> None:
    public.mkdir(parents=True)
    (public / WHEEL).symlink_to(files[0].path)
    error, _ = failure_of(public, files)
    assert "is no regular file" in str(error)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes in folders")
def test_a_pipe_is_not_waited_for(public: Path, files: list[ReleaseFile]) -> None:
    public.mkdir(parents=True)
    os.mkfifo(public / WHEEL)
    error, _ = failure_of(public, files)
    assert "is no regular file" in str(error)


@pytest.mark.parametrize("name", ["../app.whl", "sub/app.whl", "sub\\app.whl", ".app.whl", "..", "", "app\0.whl"])
def test_a_name_that_leads_elsewhere_is_refused_before_anything_is_written(tmp_path: Path, public: Path, name: str) -> None:
    file = release_file(tmp_path, "x", b"content")
    moved = type(file)(name, file.path, file.size, file.sha256)
    destination = destination_at(public)
    assert destination.drops(moved)
    assert destination.drops(file) == ""
    error, _ = failure_of(public, [file, moved])
    assert isinstance(error, UnsupportedError)
    assert not public.exists()


def test_a_file_that_changed_leaves_nothing_behind(public: Path, files: list[ReleaseFile]) -> None:
    files[0].path.write_bytes(b"w" * files[0].size)
    error, heard = failure_of(public, files)
    assert isinstance(error, RejectedError)
    assert f"{WHEEL} changed after it was verified" in str(error)
    assert sorted(path.name for path in public.iterdir()) == sorted(heard.uploaded) == sorted(IN_ORDER[:-1])


def test_what_comes_between_looking_and_writing_is_not_replaced(public: Path, files: list[ReleaseFile]) -> None:
    public.mkdir(parents=True)
    (public / WHEEL).write_bytes(b"theirs")
    with pytest.raises(RejectedError, match="was put there by somebody else meanwhile"):
        add_file(files[0], public / WHEEL)
    assert contents(public) == {WHEEL: b"theirs"}


def test_a_file_system_without_hard_links_does_as_well(
    public: Path, files: list[ReleaseFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    assert publish(public, files).uploaded == IN_ORDER
    assert contents(public) == wanted(files)
    with pytest.raises(RejectedError, match="was put there by somebody else meanwhile"):
        add_file(release_file(public.parent, WHEEL, b"other"), public / WHEEL)
    assert contents(public) == wanted(files)


# --- what fails -------------------------------------------------------------------------------------------------------


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path, files: list[ReleaseFile]) -> None:
    (tmp_path / "file").write_bytes(b"")
    error, _ = failure_of(tmp_path / "file" / "public", files)
    assert isinstance(error, PublishError)
    assert "cannot be made a folder: Not a directory; name a folder that you may write to" in str(error)


def test_a_file_that_is_too_long_for_its_system_is_told(tmp_path: Path, public: Path) -> None:
    short = release_file(tmp_path, "x", b"content")
    error, _ = failure_of(public, [type(short)("x" * 300, short.path, short.size, short.sha256)])
    assert isinstance(error, PublishError)
    assert list(public.iterdir()) == []


def test_a_disk_that_fails_at_the_last_step_leaves_nothing(
    public: Path, files: list[ReleaseFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    monkeypatch.setattr(os, "link", fail)
    monkeypatch.setattr(Path, "rename", fail)
    error, heard = failure_of(public, files)
    assert isinstance(error, PublishError)
    assert f"{public}/{BUNDLE} cannot be written: {os.strerror(errno.EDQUOT)}" in str(error)
    assert list(public.iterdir()) == heard.deeds == []


def test_what_a_killed_run_left_is_removed(public: Path, files: list[ReleaseFile]) -> None:
    public.mkdir(parents=True)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait(60)
    left = public / f".{WHEEL}.{ended.pid}-0123abcd.hatch-sign-tmp"
    left.write_bytes(b"half")
    running = public / f".{WHEEL}.{os.getppid()}-0123abcd.hatch-sign-tmp"
    running.write_bytes(b"half")
    publish(public, files)
    assert not left.exists()
    assert running.exists()


# --- the port ---------------------------------------------------------------------------------------------------------


def test_nothing_is_written_before_it_is_published_to(public: Path, files: list[ReleaseFile]) -> None:
    publisher = FolderPublisher()
    assert isinstance(publisher, Previews)
    preview = publisher.preview({"path": public}, Heard().context())
    assert preview.title == str(public) == destination_at(public).title
    assert [preview.drops(file) for file in files] == [""] * len(files)
    assert [back.detail for back in destination_at(public).read_back(files[:1])] == ["is not there"]
    assert not public.exists()


def test_a_folder_must_be_named() -> None:
    with pytest.raises(ConfigurationError, match="lacks `path`"), FolderPublisher().open({}, Heard().context()):
        pass
