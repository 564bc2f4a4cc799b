"""What becomes of an artifact that could not be signed."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from hatch_sign.building.quarantine import PLACE, empty_quarantine, move, withdraw
from tests.peers.rigs import skip_or_fail


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    (tmp_path / "dist").mkdir()
    path = tmp_path / "dist" / "thing-1.0.whl"
    path.write_bytes(b"new")
    return path


def test_an_artifact_is_moved_where_git_does_not_look(artifact: Path, tmp_path: Path) -> None:
    said = withdraw({artifact: Path(artifact.name)}, tmp_path)
    assert not artifact.exists()
    assert (tmp_path / PLACE / artifact.name).read_bytes() == b"new"
    assert (tmp_path / PLACE / ".gitignore").read_text() == "*\n"
    assert said == f"moved to {tmp_path / PLACE}"


def test_an_older_one_of_the_name_is_replaced(artifact: Path, tmp_path: Path) -> None:
    (tmp_path / PLACE).mkdir(parents=True)
    (tmp_path / PLACE / artifact.name).write_bytes(b"old")
    withdraw({artifact: Path(artifact.name)}, tmp_path)
    assert (tmp_path / PLACE / artifact.name).read_bytes() == b"new"


def test_one_that_cannot_be_moved_is_removed(artifact: Path, tmp_path: Path) -> None:
    (tmp_path / ".hatch-sign").write_text("a file in the way")
    said = withdraw({artifact: Path(artifact.name)}, tmp_path)
    assert not artifact.exists()
    assert "removed" in said
    assert "moved to" not in said


def test_one_that_cannot_even_be_removed_is_named(artifact: Path, tmp_path: Path) -> None:
    (tmp_path / ".hatch-sign").write_text("a file in the way")
    artifact.unlink()
    artifact.mkdir()
    assert "do not publish" in withdraw({artifact: Path(artifact.name)}, tmp_path)


def test_nothing_to_withdraw_is_said() -> None:
    assert withdraw({}, Path("/nowhere")) == "there is nothing left of it"


def _other_file_system() -> Path | None:
    shared = Path("/dev/shm")  # noqa: S108 - the one other file system that most Linux systems have
    return shared if shared.is_dir() and os.access(shared, os.W_OK) else None


def test_moving_works_across_file_systems(artifact: Path) -> None:
    other = _other_file_system()
    if other is None or other.stat().st_dev == artifact.stat().st_dev:
        skip_or_fail("there is one file system only: mount another at /dev/shm")
    target = other / f"hatch-sign-{os.getpid()}.whl"
    try:
        with pytest.raises(OSError, match="device") as caught:
            os.replace(artifact, target)  # noqa: PTH105 - shows that the simple way is not enough
        assert caught.value.errno == errno.EXDEV
        move(artifact, target)
        assert target.read_bytes() == b"new"
        assert not artifact.exists()
        assert not list(other.glob(".*.hatch-sign-tmp"))
    finally:
        target.unlink(missing_ok=True)


def test_a_move_that_fails_leaves_the_source(artifact: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        move(artifact, tmp_path / "missing" / "thing.whl")
    assert artifact.read_bytes() == b"new"


def test_the_quarantine_is_emptied_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / PLACE).mkdir(parents=True)
    (tmp_path / PLACE / "old.whl").write_bytes(b"old")
    (tmp_path / ".hatch-sign" / "audit.jsonl").write_text("{}\n")
    empty_quarantine(tmp_path)
    assert not (tmp_path / PLACE).exists()
    assert (tmp_path / ".hatch-sign" / "audit.jsonl").exists()
    empty_quarantine(tmp_path)


def test_a_quarantine_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").touch()
    (tmp_path / ".hatch-sign").mkdir()
    (tmp_path / PLACE).symlink_to(tmp_path / "precious")
    empty_quarantine(tmp_path)
    assert (tmp_path / "precious" / "file").exists()


def test_an_emptied_quarantine_leaves_no_folder_behind(artifact: Path, tmp_path: Path) -> None:
    withdraw({artifact: Path(artifact.name)}, tmp_path)
    empty_quarantine(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["dist"]
