"""Starts a service on a port of loopback, waits until it answers, and ends it, whatever becomes of the test."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from tests.peers import rigs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_START_LIMIT = 180.0  # Seconds.
_STOP_LIMIT = 10.0  # Seconds.
_POLL = 0.05  # Seconds.


def script(name: str) -> str:
    """Return the program that a package of this interpreter installed; skip the test where there is none."""
    path = Path(sys.executable).parent / name
    if not path.exists():
        rigs.skip_or_fail(f"{name} is not installed: run 'pip install --group peers'")
    return str(path)


class Program:
    """A running service. `url` is where it answers."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, log: Path) -> None:
        self.url = url
        self._process = process
        self._log = log

    def stop(self) -> None:
        """End it; one that has ended already is left alone."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def wait_until_it_answers(self, path: str, limit: float = _START_LIMIT) -> None:
        deadline = time.monotonic() + limit
        while not _answers(self.url + path):
            if self._process.poll() is not None or time.monotonic() > deadline:
                message = f"{self.url} does not answer: {self._log.read_text(errors='replace')[-2000:]}"
                raise rigs.RigError(message)
            time.sleep(_POLL)


@contextlib.contextmanager
def running(
    command: Sequence[str],
    *,
    port: int,
    folder: Path,
    path: str,
    environ: Mapping[str, str] | None = None,
    limit: float = _START_LIMIT,
) -> Iterator[Program]:
    """Run a service in `folder` until the block ends; ready as soon as `path` is answered, by whatever status.

    It has `limit` seconds to begin.
    """
    log = folder / f"{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=rigs.clean_environment(str(folder), environ),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    program = Program(process, f"http://127.0.0.1:{port}", log)
    try:
        program.wait_until_it_answers(path, limit)
        yield program
    finally:
        program.stop()


def _answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
