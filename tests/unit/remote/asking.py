"""Questions of the HTTP client, and servers on the loopback that answer them, as they should or not."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.client import parse_headers
from typing import TYPE_CHECKING

from hatch_sign.remote.failures import Failure
from hatch_sign.remote.http import ask
from hatch_sign.remote.http_messages import Question, Reply
from hatch_sign.remote.limits import NetworkLimits
from tests.authority import Authority
from tests.unit.services.https_server import Answer, Request, Service, serving

if TYPE_CHECKING:
    from pathlib import Path

LARGEST = 1000
LIMITS = NetworkLimits(connect=30.0, read=60.0, total=120.0, attempts=3, first_pause=0.001, longest_pause=0.001)
ONCE = replace(LIMITS, attempts=1)
SHORT_SILENCE, SHORT_TIME = replace(ONCE, read=0.2), replace(ONCE, total=0.5)
TLS = Authority("TLS Root")


@contextmanager
def server(respond: Callable[[Request], Answer], tls: Path | None = None) -> Iterator[Service]:
    with serving(Service(respond), tls) as service:
        yield service


def answers(*given: Answer) -> Callable[[Request], Answer]:
    """Answer with each in turn, and with the last for ever."""
    left = list(given)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def question(address: str, body: bytes | None = b"query") -> Question:
    return Question(address, accept="application/x-reply", largest=LARGEST, body=body, content_type="application/x-query")


def reply_of(address: str, **options: object) -> Reply:
    answer = ask(question(address), limits=LIMITS, **options)  # type: ignore[arg-type] # whatever a test gives
    assert isinstance(answer, Reply), answer
    return answer


def failure_of(address: str, body: bytes | None = b"query", limits: NetworkLimits = LIMITS) -> Failure:
    answer = ask(question(address, body), limits=limits)
    assert isinstance(answer, Failure), answer
    return answer


@contextmanager
def raw_server(*answers: bytes) -> Iterator[str]:
    """Answer each connection with the next of these bytes, whatever is asked, and close it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for answer in answers:
                connection, _ = listening.accept()
                connection.settimeout(30)
                with connection:
                    _read_request(connection)
                    connection.sendall(answer)
                    connection.shutdown(socket.SHUT_WR)
                    with suppress(OSError):
                        # Until the other side has gone: closing earlier may reset what is under way.
                        while connection.recv(65536):
                            pass

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        finally:
            thread.join(30)


def _read_request(connection: socket.socket) -> None:
    """Read a request to its end: who closes with something unread resets the connection."""
    with connection.makefile("rb") as stream:
        stream.readline()
        stream.read(int(parse_headers(stream).get("Content-Length", "0")))


def chunked(*chunks: bytes) -> bytes:
    parts = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + parts
