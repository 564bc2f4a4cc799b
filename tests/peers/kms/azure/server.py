"""The stand-in's door: HTTPS on a port of loopback, under a certificate that its own small authority issued."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from .service import VaultService


class Server:
    """A :class:`~.service.VaultService` behind HTTPS, until it is stopped."""

    def __init__(self, service: VaultService, certificate: Path) -> None:
        """Serve at once; `certificate` holds the certificate and its key in PEM."""
        self._server = _HttpServer(("127.0.0.1", 0), _handler_of(service))
        self._server.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._server.context.load_cert_chain(certificate)
        self.port = self._server.server_address[1]
        service.base = f"https://127.0.0.1:{self.port}"
        # The SDK asks for a token only where the vault's host lies below the domain that the challenge names.
        service.resource = f"https://0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def stop(self) -> None:
        """End at once, and cut the connections that clients keep open."""
        self._server.shutdown()
        self._server.server_close()
        self._server.cut_connections()
        self._thread.join()


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    context: ssl.SSLContext

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._open: set[ssl.SSLSocket] = set()

    def cut_connections(self) -> None:
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def finish_request(self, request: object, client_address: object) -> None:
        """Begin TLS in the connection's own thread: a client that is slow at it holds up nobody."""
        try:
            wrapped = self.context.wrap_socket(request, server_side=True)
        except OSError:
            return  # A client that does not trust the certificate hangs up here.
        self._open.add(wrapped)
        with wrapped:
            super().finish_request(wrapped, client_address)
        self._open.discard(wrapped)


def _handler_of(service: VaultService) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._do("GET")

        def do_POST(self) -> None:
            self._do("POST")

        def log_message(self, *_: object) -> None:
            """Say nothing: what was called is in the service."""

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except OSError:
                self.close_connection = True

        def _do(self, method: str) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = service.handle(method, self.path, headers, body)
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body[: len(reply.body) // 2] if reply.cut else reply.body)
            if reply.cut:
                self.close_connection = True

    return Handler
