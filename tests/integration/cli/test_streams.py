"""Where results cannot be handed on, the exit code says so, and nothing of Python's own is told."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

FULL = Path("/dev/full")
"""A device that takes nothing, as a full disk."""

needs_full = pytest.mark.skipif(not FULL.exists(), reason="the system has no device that is always full")


def ended(*arguments: str, out: int = subprocess.PIPE, err: int = subprocess.PIPE) -> tuple[int, str]:
    """Return the exit code and what was told on standard error, as far as that is listened to."""
    command = [sys.executable, "-m", "hatch_sign", *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, check=False, timeout=300)
    return done.returncode, (done.stderr or b"").decode()


@contextmanager
def full_device() -> Iterator[int]:
    descriptor = os.open(FULL, os.O_WRONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def pipe_that_nobody_reads() -> Iterator[int]:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        yield writer
    finally:
        os.close(writer)


@needs_full
@pytest.mark.parametrize("arguments", [["plugins"], ["plugins", "--json"]])
def test_a_full_disk_under_the_results_is_a_failure(arguments: list[str]) -> None:
    with full_device() as device:
        assert ended(*arguments, out=device) == (3, "hatch-sign: error: No space left on device\n")


@needs_full
def test_a_full_disk_under_the_errors_hides_none(tmp_path: Path) -> None:
    with full_device() as device:
        assert ended("verify", str(tmp_path / "missing.whl"), "--key", "missing.pub", err=device)[0] == 3


@pytest.mark.parametrize("arguments", [["plugins"], ["plugins", "--json"]])
def test_results_that_nobody_reads_were_not_handed_on(arguments: list[str]) -> None:
    with pipe_that_nobody_reads() as pipe:
        assert ended(*arguments, out=pipe) == (3, "")


def test_results_that_somebody_reads_were(tmp_path: Path) -> None:
    with (tmp_path / "plugins").open("wb") as file:
        assert ended("plugins", out=file.fileno()) == (0, "")
    assert "backend.emulated" in (tmp_path / "plugins").read_text(encoding="utf-8")
