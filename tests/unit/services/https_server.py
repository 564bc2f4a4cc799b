"""A real HTTP or HTTPS server on the loopback, and faults between it and its client."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

Headers = Mapping[str, str]


@dataclass(frozen=True)
class Request:
    """What a service is asked. Header names are in lower case; `client` is the subject of the client's certificate."""

    method: str
    path: str
    headers: Headers
    body: bytes
    client: str | None


@dataclass(frozen=True)
class Answer:
    """What a service says; `fault` is what happens to it on the way: ``vanish``, ``cut``, ``stall``, ``drip``."""

    status: int
    body: bytes = b""
    headers: Headers = field(default_factory=dict)
    fault: str = ""

    @classmethod
    def of(cls, status: int, content: object, **headers: str) -> Answer:
        """Return JSON."""
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        return cls(status, json.dumps(content).encode(), {"Content-Type": "application/json", **named})


@dataclass
class Service:
    """A service on a socket: answers by `respond`, after the answers in `scripted`; remembers what it was asked."""

    respond: Callable[[Request], Answer]
    scripted: list[Answer] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    delay: float = 0.0
    cut_after: list[int] = field(default_factory=list)
    """For each of the next requests with a body, how many bytes of it are read before the connection is cut."""
    port: int = 0
    scheme: str = "https"
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def origin(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def answer(self, request: Request) -> Answer:
        time.sleep(self.delay)
        with self._lock:
            self.requests.append(request)
            if self.scripted:
                return self.scripted.pop(0)
        return self.respond(request)


@contextmanager
def serving(
    service: Service, certificate: Path | None, *, client_authority: Path | None = None, demands: bool = False
) -> Iterator[Service]:
    """Run `service` with the server certificate and key in a PEM file, or without TLS; with an authority, ask clients too.

    Where it `demands` one, the handshake of a client without a certificate fails, as behind many a proxy.
    """
    tls = None if certificate is None else _server_context(certificate, client_authority, demands=demands)
    server = _Server(service, tls)
    service.scheme = "https" if tls else "http"
    service.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield service
    finally:
        server.ending.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _server_context(certificate: Path, client_authority: Path | None, *, demands: bool) -> ssl.SSLContext:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    if client_authority is not None:
        tls.load_verify_locations(client_authority)
        tls.verify_mode = ssl.CERT_REQUIRED if demands else ssl.CERT_OPTIONAL
    return tls


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, service: Service, tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.service = service
        self.tls = tls
        self.ending = threading.Event()

    def finish_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as the base class has it
        """Shake hands in the thread of the connection; a client that does not is none of the server's trouble."""
        try:
            if self.tls is None:
                self.RequestHandlerClass(request, client_address, self)
                return
            with self.tls.wrap_socket(request, server_side=True) as wrapped:
                self.RequestHandlerClass(wrapped, client_address, self)
        except (OSError, ValueError):
            return


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else every second write waits for the client's delayed acknowledgement
    server: _Server

    def do_POST(self) -> None:
        if self.command != "GET" and self.server.service.cut_after:
            self.rfile.read(self.server.service.cut_after.pop(0))
            self.close_connection = True  # with bytes left unread, the system resets it
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.service.answer(Request(self.command, self.path, headers, body, self._client()))
        if answer.fault == "vanish":
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self._write(answer)

    do_GET = do_PATCH = do_DELETE = do_POST  # noqa: N815 - the base class finds them by these names

    def _client(self) -> str | None:
        if self.server.tls is None:
            return None
        subject = (self.connection.getpeercert() or {}).get("subject", ())  # type: ignore[attr-defined] # a TLS socket
        return next((value for part in subject for key, value in part if key == "commonName"), None)

    def _write(self, answer: Answer) -> None:
        if answer.fault == "stall":
            self.server.ending.wait(60)
        elif answer.fault == "drip":
            for position in range(len(answer.body)):
                self.wfile.write(answer.body[position : position + 1])
                if self.server.ending.wait(0.05):
                    return
        elif answer.fault == "cut":
            self.wfile.write(answer.body[: len(answer.body) // 2])
            self.close_connection = True
        else:
            self.wfile.write(answer.body)

    def log_message(self, *arguments: object) -> None:
        """Say nothing: tests look at the client."""
