"""Old or new, never half; and nothing left of a run that was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

import pytest

from hatch_sign.storage.atomic import remove_stale_temporaries, stage_bytes, stage_stream, write_atomically
from hatch_sign.values.errors import SigningError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_staged_file_is_complete_before_it_has_its_name(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.write_bytes(b"old")
    staged = stage_bytes(target, b"new")
    assert staged.read() == b"new"
    assert target.read_bytes() == b"old"
    staged.commit()
    assert target.read_bytes() == b"new"
    assert names(tmp_path) == ["a"]


def test_a_discarded_file_leaves_nothing(tmp_path: Path) -> None:
    stage_bytes(tmp_path / "a", b"new").discard()
    assert names(tmp_path) == []


def test_what_cannot_be_staged_leaves_nothing(tmp_path: Path) -> None:
    def fail(stream: BinaryIO) -> None:
        stream.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(SigningError, match="a cannot be written: No space left on device; free space"):
        stage_stream(tmp_path / "a", fail)
    assert names(tmp_path) == []


def test_ctrl_c_while_staging_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(stream: BinaryIO) -> None:
        stream.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stage_stream(tmp_path / "a", interrupt)
    assert names(tmp_path) == []


def test_a_target_that_is_a_folder_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(SigningError, match="a cannot be written"):
        write_atomically(tmp_path / "a", b"new")
    assert names(tmp_path / "a") == []


def test_the_longest_name_that_a_file_system_takes_can_be_staged(tmp_path: Path) -> None:
    target = tmp_path / ("é" * 127)
    write_atomically(target, b"new")
    assert target.read_bytes() == b"new"


def test_what_a_killed_run_left_is_removed_and_what_a_running_one_has_is_kept(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from hatch_sign.storage.atomic import stage_bytes\n"
        "staged = stage_bytes(Path(sys.argv[1]), b'x'); print('staged', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "a")], stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        running.stdout.readline()
        remove_stale_temporaries([tmp_path])
        assert len(names(tmp_path)) == 1
        running.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
        running.wait()
    remove_stale_temporaries([tmp_path])
    assert names(tmp_path) == []


def test_files_of_others_are_never_taken_for_ours(tmp_path: Path) -> None:
    for name in (".a.1-12345678.tmp", "a.99999999-12345678.hatch-sign-tmp", ".a.x-12345678.hatch-sign-tmp"):
        (tmp_path / name).write_bytes(b"x")
    before = names(tmp_path)
    remove_stale_temporaries([tmp_path])
    assert names(tmp_path) == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no full device")
def test_a_disk_that_is_full_when_the_buffer_is_flushed_is_a_failure(tmp_path: Path) -> None:
    def write(stream: BinaryIO) -> None:
        with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
            os.dup2(full.fileno(), stream.fileno())
        stream.write(b"x")

    with pytest.raises(SigningError, match="No space left on device"):
        stage_stream(tmp_path / "a", write)
    assert names(tmp_path) == []
