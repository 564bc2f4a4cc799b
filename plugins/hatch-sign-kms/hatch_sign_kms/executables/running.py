"""Run a program that may hang, flood or die: a time limit, bounded output, and nothing of it left running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from hatch_sign.values.errors import CustodyError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

KEPT_OF_ERRORS = 64 << 10
"""Bytes of the error output that are kept; the rest is read and forgotten."""

_CHUNK = 64 << 10
_GRACE = 5.0
"""Seconds for the pipes to end after the program did: a child of its own may hold them open."""


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
) -> Finished:
    """Run `command` in `directory` with `message` on its standard input, and return what it left.

    Raises CustodyError where it cannot be started, takes more than `seconds`, writes more than `largest` bytes, or a signal
    ends it. What it has started ends with it, unless it left the process group on purpose.
    """
    name = os.path.basename(command[0])  # noqa: PTH119 - a command is made of texts
    with ExitStack() as stack:
        process = _start(command, environ, directory, name)
        stack.enter_context(process)
        stack.callback(_end_if_running, process)
        output = _Drain(process.stdout, largest, on_excess=lambda: _end(process))
        errors = _Drain(process.stderr, KEPT_OF_ERRORS)
        feeding = threading.Thread(target=_feed, args=(process.stdin, message), daemon=True)
        feeding.start()
        _wait(process, seconds, name)
        _join(process, [feeding, output.thread, errors.thread])
    if output.overflowed:
        text = f"{name} answered with more than {largest} bytes"
        raise CustodyError(text)
    if process.returncode < 0:
        text = f"{name} was ended by signal {-process.returncode}"
        raise CustodyError(text)
    return Finished(bytes(output.kept), bytes(errors.kept), process.returncode)


class _Drain:
    """Reads a pipe to its end in a thread of its own, and keeps the first `limit` bytes."""

    def __init__(self, pipe: IO[bytes] | None, limit: int, on_excess: Callable[[], None] | None = None) -> None:
        self.kept = bytearray()
        self.overflowed = False
        self._pipe = pipe
        self._limit = limit
        self._on_excess = on_excess
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        descriptor = self._pipe.fileno() if self._pipe is not None else -1
        with suppress(OSError):
            while chunk := os.read(descriptor, _CHUNK):
                room = self._limit - len(self.kept)
                self.kept += chunk[:room]
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


def _wait(process: subprocess.Popen[bytes], seconds: float, name: str) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        pass
    else:
        return
    _end(process)
    message = f"{name} did not answer within {seconds:g} seconds, and was ended"
    raise CustodyError(message)


def _join(process: subprocess.Popen[bytes], threads: Sequence[threading.Thread]) -> None:
    for thread in threads:
        thread.join(_GRACE)
        if thread.is_alive():
            _end(process)
            thread.join(_GRACE)


def _end_if_running(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(OSError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
