"""An index whose answer begins, and never gets as far as its body."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.indexes import Index

from .releases import LIMITS, shown

if TYPE_CHECKING:
    from pathlib import Path

_BRIEF = replace(LIMITS, total=0.5, attempts=1)
_BRIEFEST = replace(_BRIEF, total=0.1)
"""For what never comes, however long one waits."""


@contextmanager
def dripping(before: bytes, drop: bytes) -> Iterator[str]:
    """Serve `before` and then `drop` without end, some of it at a time, to whoever connects; give the address."""
    ended = threading.Event()

    def answer(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(before)
            while not ended.wait(0.01):
                connection.sendall(drop)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=answer, args=server.accept()[:1], daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/legacy/"
        ended.set()
        server.shutdown(socket.SHUT_RDWR)
        accepting.join()


@pytest.mark.parametrize(
    ("before", "drop", "reason"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nX: ", b"a", "did not answer in time", id="a header"),
        pytest.param(b"HTTP/1.1 ", b"2", "did not answer in time", id="the status"),
        pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n", "did not answer in time", id="answers before the answer"),
        pytest.param(b"HTTP/1.1 400 No\r\nContent-Length: 60000\r\n\r\n", b"a", "(400)", id="the body"),
    ],
)
def test_an_answer_that_drips_is_given_up_however_far_it_came(
    tmp_path: Path, before: bytes, drop: bytes, reason: str
) -> None:
    with dripping(before, drop) as address:
        limits = _BRIEF if reason == "(400)" else _BRIEFEST
        line = shown(Index(), tmp_path, limits=limits, repository_url=address)
    assert address in line
    assert reason in line


def test_a_release_is_refused_by_an_answer_that_does_not_drip(tmp_path: Path) -> None:
    with dripping(b"HTTP/1.1 400 No\r\nContent-Length: 3\r\n\r\nwhy", b"") as address:
        assert "saying: why" in shown(Index(), tmp_path, limits=_BRIEF, repository_url=address)
