"""HTTPS to one service: bounded answers, no redirects, no repetitions of its own, the proxy of the environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

import urllib3
from urllib3.exceptions import TimeoutError as TimedOutError

from hatch_sign_services.proxies import find_proxy

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from urllib3.response import BaseHTTPResponse

    from hatch_sign.remote import NetworkLimits

LARGEST = 1 << 20
"""Bytes of an answer; a chain of certificates is a few kilobytes."""

_CHUNK = 16 << 10
_SUCCESS = range(200, 300)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. Header names are in lower case; what the service says is not for messages, for it may repeat a secret."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class StatusError(Exception):
    """An answer with a status that is no success."""

    def __init__(self, reply: Reply) -> None:
        """Hold `reply`."""
        super().__init__(str(reply.status))
        self.reply = reply


class TooLargeError(Exception):
    """An answer of more than :data:`LARGEST` bytes."""


class HttpsClient:
    """Connections to one origin, asked from any thread."""

    def __init__(
        self,
        origin: str,
        context: ssl.SSLContext,
        environ: Mapping[str, str],
        *,
        connections: int,
        limits: NetworkLimits,
    ) -> None:
        """Prepare `connections` to `origin`, such as ``https://host:8443``; nothing is connected yet."""
        self._origin = origin
        self._limits = limits
        self._timeout = urllib3.Timeout(connect=limits.connect, read=limits.read)
        proxy = find_proxy(origin, environ)
        if proxy is None:
            self._pool = urllib3.PoolManager(ssl_context=context, maxsize=connections, block=True)
        else:
            self._pool = urllib3.ProxyManager(
                proxy.url, proxy_headers=proxy.headers, ssl_context=context, maxsize=connections, block=True
            )

    def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None) -> Reply:
        """Return the answer. Raises StatusError for a status that is no success, TooLargeError, and what urllib3 raises."""
        response = self._pool.request(
            method,
            self._origin + path,
            headers={"Accept-Encoding": "identity", **headers},
            body=body,
            timeout=self._timeout,
            redirect=False,
            retries=False,
            preload_content=False,
        )
        try:
            content = self._read(response)
        except BaseException:
            response.close()  # half an answer must not be the beginning of the next
            raise
        response.release_conn()
        names = {name.lower(): value for name, value in response.headers.items()}
        reply = Reply(response.status, names, content)
        if reply.status not in _SUCCESS:
            raise StatusError(reply)
        return reply

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def _read(self, response: BaseHTTPResponse) -> bytes:
        # The socket limits each silence; a service that sends a byte at a time is limited here.
        ends, content = monotonic() + self._limits.read, bytearray()
        while chunk := response.read1(_CHUNK, decode_content=False):
            content += chunk
            if len(content) > LARGEST:
                raise TooLargeError
            if monotonic() > ends:
                raise TimedOutError
        return bytes(content)
