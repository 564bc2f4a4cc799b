"""A proxy on the loopback that opens a tunnel to wherever it is asked to, and remembers where."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Tunnel:
    """`heads` are the requests that it got, as they came."""

    url: str = ""
    heads: list[bytes] = field(default_factory=list)


@contextlib.contextmanager
def tunnelling() -> Iterator[Tunnel]:
    """Open one tunnel, for one connection."""
    tunnel = Tunnel()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        tunnel.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread = threading.Thread(target=_serve, args=(listening, tunnel), daemon=True)
        thread.start()
        yield tunnel
        thread.join(30)


def _serve(listening: socket.socket, tunnel: Tunnel) -> None:
    near, _ = listening.accept()
    with near:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += near.recv(1)
        tunnel.heads.append(head)
        host, _, port = head.split()[1].decode().rpartition(":")
        with socket.create_connection((host, int(port))) as far:
            near.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pump, args=(far, near), daemon=True)
            back.start()
            _pump(near, far)
            back.join(30)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
