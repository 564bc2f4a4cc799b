"""A proxy in front of a service, which does to chosen replies what networks and overloaded services do."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import urlsplit

Kind = Literal["answer", "cut", "pass", "reset", "stall"]
_STALL = 30.0  # Seconds: longer than any time limit of a test.
_DROPPED = {"connection", "content-length", "transfer-encoding", "keep-alive", "date", "server"}


@dataclass
class Fault:
    """What becomes of the next `times` matching requests; the service itself does not see them, but for `alter` and `cut`.

    ``answer``: `status`, `headers` and `body` instead of the service's, or the service's own body put through `alter`.
    ``cut``: half of the service's reply, then the end of the connection. ``pass``: nothing, but for `meanwhile`, which is
    what happens in the world before any request is dealt with. ``reset``: the end of the connection, and no reply.
    ``stall``: silence. `matches` is looked for in the method, the path, and the operation that AWS names in a header.
    """

    kind: Kind = "answer"
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    alter: Callable[[bytes], bytes] | None = None
    matches: str = ""
    times: int = 1
    meanwhile: Callable[[], None] | None = None


class Proxy:
    """Passes everything on to `upstream`, in the order of :attr:`faults`; `delay` is in seconds, for each reply."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.faults: list[Fault] = []
        self.delay = 0.0
        self.requests: list[str] = []
        self.bodies: list[bytes] = []
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self.stopped = threading.Event()
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def meet(self, summary: str, body: bytes) -> Fault | None:
        """Return the fault that the request runs into, and count it."""
        with self._lock:
            self.requests.append(summary)
            self.bodies.append(body)
            for fault in self.faults:
                if fault.times and fault.matches in summary:
                    fault.times -= 1
                    return fault
        return None

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            yield
        finally:
            with self._lock:
                self._at_once -= 1

    def count(self, text: str) -> int:
        """Return how many requests had `text` in their path or headers."""
        return sum(text in request for request in self.requests)


@contextlib.contextmanager
def proxied(upstream: str) -> Iterator[Proxy]:
    """Run a proxy until the block ends."""
    proxy = Proxy(upstream)
    try:
        yield proxy
    finally:
        proxy.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, proxy: Proxy) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.proxy = proxy
        self.upstream = urlsplit(proxy.upstream).netloc


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, *_: object) -> None:
        """Say nothing: what was asked is in the proxy."""

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True

    def do(self) -> None:
        proxy = self.server.proxy
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with proxy.counted():
            if proxy.delay:
                time.sleep(proxy.delay)
            fault = proxy.meet(f"{self.command} {self.path} {self.headers.get('X-Amz-Target', '')}", body)
            if fault is not None and fault.meanwhile is not None:
                fault.meanwhile()
            self._deal(fault, body)

    do_GET = do_POST = do_PUT = do_LIST = do  # noqa: N815 - http.server finds them by these names

    def _deal(self, fault: Fault | None, body: bytes) -> None:
        if fault is None or fault.kind == "pass":
            self._reply(*self._pass_on(body))
        elif fault.kind == "stall":
            self.server.proxy.stopped.wait(_STALL)
            self.close_connection = True
        elif fault.kind == "reset":
            self.close_connection = True
        elif fault.kind == "cut":
            self._reply(*self._pass_on(body), cut=True)
        elif fault.alter is not None:
            status, headers, content = self._pass_on(body)
            self._reply(status, headers, fault.alter(content))
        else:
            self._reply(fault.status, list(fault.headers.items()), fault.body)

    def _pass_on(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self.server.upstream, timeout=_STALL)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _DROPPED}
        try:
            connection.request(self.command, self.path, body, headers)
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()
        finally:
            connection.close()

    def _reply(self, status: int, headers: list[tuple[str, str]], content: bytes, *, cut: bool = False) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in _DROPPED:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if cut else content)
        self.close_connection = self.close_connection or cut
