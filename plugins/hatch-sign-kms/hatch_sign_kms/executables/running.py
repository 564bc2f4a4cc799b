"""Run a program that may hang, flood or die: a time limit, bounded output, and nothing of it left running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from time import monotonic
from typing import IO, TYPE_CHECKING

from hatch_sign.values.errors import CustodyError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

KEPT_OF_ERRORS = 64 << 10
"""Bytes of the error output that are kept; the rest is read and forgotten."""

_CHUNK = 64 << 10
_GRACE = 1.0
"""Seconds for all pipes to end after the program did: a child of its own may hold them open."""

_SLICE = 0.25
"""Seconds after which whoever waits looks whether the run is being given up."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What a program that ended by itself left: its output, the beginning of its error output, its exit status."""

    output: bytes
    errors: bytes
    status: int


def run_program(
    command: Sequence[str],
    message: bytes,
    *,
    environ: Mapping[str, str],
    directory: str,
    seconds: float,
    largest: int,
    stopped: Callable[[], bool] = lambda: False,
) -> Finished:
    """Run `command` in `directory` with `message` on its standard input, and return what it left.

    Raises CustodyError where it cannot be started, takes more than `seconds`, writes more than `largest` bytes, or a signal
    ends it; also once `stopped` says that nobody waits any more. What it has started ends with it, unless it left the group
    of processes on purpose: such an agent may hold the pipes, and what came through them until then is the answer.
    """
    name = os.path.basename(command[0])  # noqa: PTH119 - a command is made of texts
    with ExitStack() as stack:
        process = _start(command, environ, directory, name)
        stack.enter_context(process)
        stack.callback(_end_if_running, process)
        # Each pipe belongs to the thread that uses it, which may outlive this call, and is closed by nobody else.
        (stdin, stdout, stderr), process.stdin = (process.stdin, process.stdout, process.stderr), None
        process.stdout = process.stderr = None
        output = _Drain(stdout, largest, on_excess=lambda: _end(process))
        errors = _Drain(stderr, KEPT_OF_ERRORS)
        feeding = threading.Thread(target=_feed, args=(stdin, message), daemon=True)
        feeding.start()
        _wait(process, seconds, name, stopped)
        _join(process, [feeding, output.thread, errors.thread])
        answered, complained = output.take(), errors.take()
    if output.overflowed:
        text = f"{name} answered with more than {largest} bytes"
        raise CustodyError(text)
    if process.returncode < 0:
        text = f"{name} was ended by signal {-process.returncode}"
        raise CustodyError(text)
    return Finished(answered, complained, process.returncode)


class _Drain:
    """Reads a pipe to its end in a thread of its own, which closes it, and keeps the first `limit` bytes."""

    def __init__(self, pipe: IO[bytes] | None, limit: int, on_excess: Callable[[], None] | None = None) -> None:
        self.overflowed = False
        self._kept = bytearray()
        self._taken = False
        self._pipe = pipe
        self._limit = limit
        self._on_excess = on_excess
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def take(self) -> bytes:
        """Return what was kept; what comes later is nobody's, and whoever writes it finds the pipe closed."""
        self._taken = True
        return bytes(self._kept)

    def _read(self) -> None:
        if self._pipe is None:
            return
        with suppress(OSError), self._pipe as pipe:
            while (chunk := os.read(pipe.fileno(), _CHUNK)) and not self._taken:
                room = self._limit - len(self._kept)
                self._kept += chunk[:room]
                if len(chunk) > room and not self.overflowed:
                    self.overflowed = True
                    if self._on_excess is not None:
                        self._on_excess()


def _start(command: Sequence[str], environ: Mapping[str, str], directory: str, name: str) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - a program that the environment allows by name, without a shell
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environ),
            cwd=directory,
            # A group of its own can be ended whole, and has no terminal on which it could wait for an answer.
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
    message = f"{name} cannot be run: {reason}"
    raise CustodyError(message)


def _feed(pipe: IO[bytes] | None, message: bytes) -> None:
    if pipe is not None:
        with suppress(OSError), pipe:  # a program that needs no more of it may close its end
            pipe.write(message)


def _wait(process: subprocess.Popen[bytes], seconds: float, name: str, stopped: Callable[[], bool]) -> None:
    ends, reason = monotonic() + seconds, f"did not answer within {seconds:g} seconds"
    while (left := ends - monotonic()) > 0:
        with suppress(subprocess.TimeoutExpired):
            process.wait(min(left, _SLICE))
            return
        if stopped():
            reason = "had not answered when the run was given up"
            break
    _end(process)
    message = f"{name} {reason}, and was ended"
    raise CustodyError(message)


def _join(process: subprocess.Popen[bytes], threads: Sequence[threading.Thread]) -> None:
    """Wait for all pipes together: one grace for what is left in the group, and half of one more once it was ended."""
    for grace in (_GRACE, _GRACE / 2):
        ends = monotonic() + grace
        for thread in threads:
            thread.join(max(0.0, ends - monotonic()))
        if not any(thread.is_alive() for thread in threads):
            return
        _end(process)


def _end_if_running(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(OSError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
