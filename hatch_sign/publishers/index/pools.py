"""Connections of urllib3 on which an answer is not waited for without end, its head no more than its body."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from hatch_sign.remote.http_streams import Deadline, LimitedResponse

if TYPE_CHECKING:
    import socket

    from hatch_sign.publishers.index.pace import Pace


def limited_pools(pace: Pace) -> dict[str, type[HTTPConnectionPool]]:
    """Return the pools by scheme, for a pool manager.

    The limit of urllib3 begins anew with each byte, and a head that only drips would be waited for until it is 64 KiB long.
    """

    def begin_answer(sock: socket.socket, **options: Any) -> LimitedResponse:  # noqa: ANN401 - the library's
        ends = time.monotonic() + pace.limits.total
        return LimitedResponse(sock, limits=pace.limits, deadline=Deadline(ends, time.monotonic, pace.stopped), **options)

    class PlainConnection(HTTPConnection):
        response_class = staticmethod(begin_answer)  # type: ignore[assignment] # only ever called

    class TlsConnection(HTTPSConnection):
        response_class = staticmethod(begin_answer)  # type: ignore[assignment] # as above

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = PlainConnection

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = TlsConnection

    return {"http": PlainPool, "https": TlsPool}
