"""Connections of urllib on which nothing is waited for longer than it may be. Imported where a network is asked only."""

from __future__ import annotations

import http.client
import io
import os
import selectors
import ssl
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any
from urllib.request import AbstractHTTPHandler

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from urllib.request import Request

    from hatch_sign.remote.http_messages import Readable
    from hatch_sign.remote.limits import NetworkLimits

_LONGEST_NAP = 0.25
"""Seconds for which nobody looks whether the run is being given up."""
_BLOCK = 64 * 1024
"""Bytes of a streamed body that are sent at once."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """The instant at which everything ends, by `clock`, in seconds; `stopped` says that it ends now."""

    ends: float
    clock: Callable[[], float]
    stopped: Callable[[], bool] | None = None

    def patience(self, most: float) -> float:
        """Return for how long one wait may last, at most `most`. Raises TimeoutError once there is no time left."""
        left = self.ends - self.clock()
        if left <= 0.0 or (self.stopped is not None and self.stopped()):
            raise TimeoutError
        return min(most, left)


class _Stream(io.RawIOBase):
    """The bytes of a socket, none of which is waited for longer than the limits allow, however many come before it."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, limits: NetworkLimits, deadline: Deadline) -> None:
        super().__init__()
        self._raw = raw
        self._sock = sock
        self._limits = limits
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 - whatever the buffered reader gives
        silent_until = self._deadline.clock() + self._limits.read
        nap = min(_LONGEST_NAP, self._limits.read)
        while not _has_bytes(self._sock, self._deadline.patience(nap)):
            if self._deadline.clock() >= silent_until:
                raise TimeoutError
        self._sock.settimeout(self._deadline.patience(self._limits.read))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _has_bytes(sock: socket.socket, seconds: float) -> bool:
    """Wait for so long, and return whether there is something to be read, or the end."""
    if isinstance(sock, ssl.SSLSocket) and sock.pending():
        return True
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_READ)
        return bool(selector.select(seconds))


class LimitedResponse(http.client.HTTPResponse):
    """A response whose head and body are read through a :class:`_Stream`."""

    def __init__(self, sock: socket.socket, *, limits: NetworkLimits, deadline: Deadline, **options: Any) -> None:  # noqa: ANN401 - the library's
        super().__init__(sock, **options)
        raw: Any = self.fp.detach()
        self.fp = io.BufferedReader(_Stream(raw, sock, limits, deadline))


def _connection(kind: Callable[..., Any], host: str, *, limits: NetworkLimits, deadline: Deadline, **options: Any) -> Any:  # noqa: ANN401 - the library's
    connection = kind(host, blocksize=_BLOCK, **options)
    connection.response_class = partial(LimitedResponse, limits=limits, deadline=deadline)
    connection.send = _Sender(connection.send)
    return connection


class _Sender:
    """Sends for as long as the other side listens: who refuses a large body answers at once, and reads no further."""

    def __init__(self, send: Callable[[Any], None]) -> None:
        self._send = send
        self._heard = True

    def __call__(self, data: Any) -> None:  # noqa: ANN401 - whatever the library sends
        if self._heard:
            try:
                self._send(data)
            except (BrokenPipeError, ConnectionResetError):  # reading tells what it answered, or that it did not
                self._heard = False


class Outgoing:
    """What a body is sent from: read as the library asks for it, no longer than there is time."""

    def __init__(self, stream: Readable, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, most: int) -> bytes:
        """Return the next bytes. Raises TimeoutError once there is no time left."""
        self._deadline.patience(_LONGEST_NAP)
        return self._stream.read(most)


class LimitedHandler(AbstractHTTPHandler):
    """Opens connections within limits, plain ones and by TLS, which it verifies."""

    http_request = https_request = AbstractHTTPHandler.do_request_  # urllib finds what it calls by these names

    def __init__(self, limits: NetworkLimits, deadline: Deadline) -> None:
        super().__init__()
        self._limited = partial(_connection, limits=limits, deadline=deadline)

    def http_open(self, request: Request) -> http.client.HTTPResponse:
        """Return the answer over a plain connection."""
        return self.do_open(partial(self._limited, http.client.HTTPConnection), request)

    def https_open(self, request: Request) -> http.client.HTTPResponse:
        """Return the answer over TLS."""
        context = _tls_context(os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", ""))
        return self.do_open(partial(self._limited, http.client.HTTPSConnection), request, context=context)


@cache
def _tls_context(file: str, folder: str) -> ssl.SSLContext:
    """Return the context that verifies by the system's roots. OpenSSL itself reads the two variables named here."""
    del file, folder
    return ssl.create_default_context()
