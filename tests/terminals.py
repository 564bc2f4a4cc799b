"""Programs at a pseudo-terminal, and somebody who answers what they ask."""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

PATIENCE = 300
"""Seconds of silence after which a program is taken to hang, and is ended."""


def converse(
    command: Sequence[str],
    answers: Sequence[bytes] = (),
    *,
    environ: Mapping[str, str],
    folder: Path | None = None,
    output: IO[bytes] | None = None,
) -> tuple[int, str]:
    """Run a program, answer each question once it is asked, and return the exit code and the screen.

    :param output: where standard output goes instead of to the screen.
    """
    import pty  # noqa: PLC0415 - not on every system

    leader, follower = pty.openpty()
    try:
        with subprocess.Popen(
            command,
            cwd=folder,
            env=environ,
            stdin=follower,
            stdout=follower if output is None else output,
            stderr=follower,
            start_new_session=True,
        ) as process:
            os.close(follower)
            try:
                screen = _answered(leader, list(answers))
                process.wait(PATIENCE)
            finally:
                process.kill()
    finally:
        os.close(leader)
    return process.returncode, screen.decode()


def _answered(terminal: int, answers: list[bytes]) -> bytes:
    """Return what is shown until the program ends or hangs."""
    screen = b""
    while select.select([terminal], [], [], PATIENCE)[0]:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # as Linux says that the other end is closed
            break
        if not piece:
            break
        screen += piece
        if answers and screen.rstrip(b" ").endswith(b":"):
            os.write(terminal, answers.pop(0) + b"\n")
    return screen
