"""Programs that run as long as a test does."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ...rigs import RigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

MARK = "HATCH_SIGN_TEST_RIG"
"""The variable that all processes of a rig carry, with the rig's folder in it: so what is left behind can be found."""
_START_LIMIT = 30.0  # Seconds; each takes a fraction of one, and a loaded machine some.
_STOP_LIMIT = 10.0  # Seconds.
_POLL = 0.02  # Seconds.


@contextlib.contextmanager
def rig_folder() -> Iterator[Path]:
    """Lend a folder whose path is short enough for the sockets in it (108 bytes); it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="token-") as name:
        yield Path(name)


@contextlib.contextmanager
def running(
    command: Sequence[str | Path], folder: Path, *, ready: Callable[[], bool], environ: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program with a group of its own, wait until `ready`, and end the group.

    :raises RigError: it ended, or was not ready in time; the message has its own words.
    """
    log = folder / f"{Path(command[0]).name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(word) for word in command],
            env=os.environ | dict(environ or {}) | {MARK: str(folder)},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait_until_ready(process, ready, log)
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes], *, first: signal.Signals = signal.SIGTERM) -> None:
    """End a program and what it started in its group, and wait for it; nothing where it has been ended already."""
    if process.returncode is not None:
        return
    os.killpg(process.pid, first)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_LIMIT)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def processes_of(folder: Path) -> list[int]:
    """Return the processes that carry the mark of a rig's folder."""
    mark = f"{MARK}={folder}".encode()
    return [int(entry.parent.name) for entry in Path("/proc").glob("[0-9]*/environ") if mark in _read(entry).split(b"\0")]


def _wait_until_ready(process: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + _START_LIMIT
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            message = f"{process.args!r} did not start: {log.read_text(errors='replace')}"
            raise RigError(message)
        time.sleep(_POLL)


def _read(entry: Path) -> bytes:
    try:
        return entry.read_bytes()
    except OSError:  # It has ended meanwhile, or is somebody else's.
        return b""
