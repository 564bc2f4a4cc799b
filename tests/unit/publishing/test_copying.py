"""The private copy: laid out as the originals are, made of regular files alone, whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from hatch_sign.publishing.copying import private_copy
from hatch_sign.values.errors import HatchSignError, SigningError, UsageError


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    (tmp_path / "dist" / "below").mkdir(parents=True)
    (tmp_path / "dist" / "a.bin").write_bytes(b"first")
    (tmp_path / "dist" / "below" / "b.bin").write_bytes(b"second")
    return tmp_path / "dist"


def test_what_lies_where_stays_as_it_is(dist: Path, temporary: Path) -> None:
    files = [dist / "a.bin", dist / "below" / "b.bin"]
    with private_copy(files, [dist, dist / "below"]) as copy:
        places = [copy.place_of(file) for file in files]
        assert [place.read_bytes() for place in places] == [b"first", b"second"]
        assert places[1].parent.parent == places[0].parent == copy.place_of(dist)
        assert [copy.original_of(place) for place in places] == files
        assert all(temporary in place.parents for place in places)
    assert not any(place.exists() for place in places)


def test_folders_apart_stay_apart_though_their_files_share_names(dist: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.bin").write_bytes(b"another")
    with private_copy([dist / "a.bin", other / "a.bin"], [other, dist]) as copy:
        assert copy.place_of(dist / "a.bin").read_bytes() == b"first"
        assert copy.place_of(other / "a.bin").read_bytes() == b"another"


def test_links_are_not_followed(dist: Path, temporary: Path) -> None:
    (dist / "link.bin").symlink_to(dist / "a.bin")
    with pytest.raises(UsageError, match=r"link\.bin cannot be read"), private_copy([dist / "link.bin"], [dist]):
        pytest.fail("a link was followed")
    assert list(temporary.iterdir()) == []


def test_a_file_that_changes_while_it_is_copied_is_told(dist: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy_bytes = shutil.copyfileobj

    def disturbed(source: object, target: object, length: int) -> None:
        copy_bytes(source, target, length)  # type: ignore[type-var] # whatever streams they are
        with (dist / "a.bin").open("ab") as stream:
            stream.write(b"more")

    monkeypatch.setattr(shutil, "copyfileobj", disturbed)
    with pytest.raises(SigningError, match=r"a\.bin changed while it was copied"), private_copy([dist / "a.bin"], [dist]):
        pytest.fail("half of a file was lent")


@pytest.mark.skipif(sys.platform == "win32", reason="the limit is POSIX's")
def test_a_full_disk_is_told_and_leaves_nothing(dist: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(shutil, "copyfileobj", full)
    expected = r"no private copy of it can be made: No space left on device; free space .* or set TMPDIR"
    with pytest.raises(HatchSignError, match=expected), private_copy([dist / "a.bin"], [dist]):
        pytest.fail("half of a file was lent")
    assert list(temporary.iterdir()) == []


def test_a_missing_temporary_folder_is_told(dist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(HatchSignError, match="no private copy of it can be made"), private_copy([dist / "a.bin"], [dist]):
        pytest.fail("there is nowhere to copy to")
