"""Time and memory of whole programs. Machines are shared and noisy: only ratios within one run mean anything."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Measured:
    """The best of several runs: seconds of wall clock, and the largest resident set in MiB.

    The latter is never below what this process had when it forked, so it is an upper bound.
    """

    seconds: float
    mebibytes: float


def measure(
    commands: Mapping[str, Sequence[str]], *, rounds: int, environ: Mapping[str, str], folder: Path
) -> dict[str, Measured]:
    """Run the commands in turn, `rounds` times, so that noise meets all of them alike; every one must succeed."""
    best: dict[str, Measured] = {}
    for _ in range(rounds):
        for name, command in commands.items():
            now = run_once(command, environ=environ, folder=folder)
            older = best.get(name, now)
            best[name] = Measured(min(now.seconds, older.seconds), max(now.mebibytes, older.mebibytes))
    return best


def run_once(command: Sequence[str], *, environ: Mapping[str, str], folder: Path) -> Measured:
    """Run one command and measure it with what it started."""
    start = time.perf_counter()
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, cwd=folder, env=dict(environ), **pipes) as process:  # type: ignore[call-overload] # none takes a table
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - start
    assert process.returncode == 0, output.decode(errors="replace")
    return Measured(seconds, usage.ru_maxrss / 1024)


def hatch_sign(*arguments: str) -> list[str]:
    """Return the command line of our program under this interpreter."""
    return [sys.executable, "-m", "hatch_sign", *arguments]


def report(title: str, lines: Sequence[str]) -> None:
    """Print a heading and its lines, for `pytest -s`."""
    print(f"\n== {title}")  # noqa: T201 - printing is what a benchmark is for
    for line in lines:
        print(f"   {line}")  # noqa: T201 - as above
