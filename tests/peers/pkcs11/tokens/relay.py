"""A relay before a p11-kit server that counts what comes through, so that a server can be lost after exactly k signatures.

p11-kit's protocol: each side sends one byte, its version; then messages of three 32-bit lengths in network order (a number
by which the answer finds its call, the length of the options, the length of the body), the options and the body. A body
begins with the number of the call and the signature of its arguments.
"""

from __future__ import annotations

import array
import contextlib
import fcntl
import socket
import struct
import termios
import threading
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .real_token import RealToken
    from .remoting import RemoteServer

LOGIN, SIGN = 18, 43
"""Numbers of C_Login and C_Sign (p11-kit, rpc-message.h)."""
_LENGTHS = struct.Struct(">III")
_NUMBER = struct.Struct(">I")
_BYTES = b"\0\0\0\x02ay\x01"
"""Before an answer's array of bytes: its type and that it is there. A caller that only asks for its length gets none."""
_STOP_LIMIT = 10.0  # Seconds.
_READ_LIMIT = 10.0  # Seconds.
_POLL = 0.0002  # Seconds.


@dataclass
class Relay:
    """Passes everything on between the clients of `address` and the server; `signatures` and `logins` count as they go.

    `on_signature` is called with the count after each signature that has reached the client; nothing more reaches anybody
    before it returns.
    """

    server: RemoteServer
    on_signature: Callable[[Relay], None] = field(default=lambda _: None)
    _counts: Counter[int] = field(default_factory=Counter)
    _sockets: list[socket.socket] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)

    @property
    def signatures(self) -> int:
        """Signatures that reached a client."""
        return self._counts[SIGN]

    @property
    def logins(self) -> int:
        """Tries of a PIN, right or wrong, that reached the server."""
        return self._counts[LOGIN]

    @property
    def address(self) -> Path:
        """Where clients connect."""
        return self.server.folder / "relay"

    @property
    def token(self) -> RealToken:
        """The server's token, by way of the relay."""
        return replace(self.server.token, environ={"P11_KIT_SERVER_ADDRESS": f"unix:path={self.address}"})

    def listen(self) -> None:
        """Take clients."""
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.address))
        listener.listen()
        self._sockets.append(listener)
        self._start(self._accept, listener)

    def cut(self) -> None:
        """Break every connection, and refuse new ones, as when the server has gone."""
        self.address.unlink(missing_ok=True)
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._sockets.clear()

    def close(self) -> None:
        """Cut, and wait until nothing is under way."""
        self.cut()
        for thread in self._threads:
            thread.join(_STOP_LIMIT)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):  # It is closed by `cut`.
            while True:
                client, _ = listener.accept()
                server = socket.socket(socket.AF_UNIX)
                self._sockets += [client, server]
                try:
                    server.connect(str(self.server.socket))
                except OSError:  # It is gone. `cut` may have been here already, and the client must not wait for ever.
                    client.close()
                    server.close()
                    continue
                self._start(self._pump, client, server, self._see_call)
                self._start(self._pump, server, client, self._see_answer)

    def _pump(self, source: socket.socket, target: socket.socket, see: Callable[[bytes], bool]) -> None:
        with contextlib.suppress(OSError, EOFError):  # Either side may go at any time.
            target.sendall(_read(source, 1))
            while True:
                lengths = _read(source, _LENGTHS.size)
                _, options, body = _LENGTHS.unpack(lengths)
                content = _read(source, options + body)
                is_signature = see(content[options:])
                target.sendall(lengths + content)
                if is_signature:
                    _wait_until_read(target)
                    self._counts[SIGN] += 1
                    self.on_signature(self)
        for each in (source, target):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _see_call(self, body: bytes) -> bool:
        if _NUMBER.unpack_from(body)[0] == LOGIN:
            self._counts[LOGIN] += 1
        return False

    def _see_answer(self, body: bytes) -> bool:
        return _NUMBER.unpack_from(body)[0] == SIGN and body[_NUMBER.size :].startswith(_BYTES)


@contextlib.contextmanager
def relay(server: RemoteServer, *, on_signature: Callable[[Relay], None] = lambda _: None) -> Iterator[Relay]:
    """Run a relay before `server`."""
    made = Relay(server, on_signature)
    made.listen()
    try:
        yield made
    finally:
        made.close()


def _wait_until_read(target: socket.socket) -> None:
    """Return once the other side has taken all that it was sent: what lies in the socket is lost when it is cut."""
    unread = array.array("i", [1])
    deadline = time.monotonic() + _READ_LIMIT
    while unread[0] and time.monotonic() < deadline:
        fcntl.ioctl(target, termios.TIOCOUTQ, unread)
        time.sleep(_POLL)


def _read(source: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        piece = source.recv(size - len(data))
        if not piece:
            raise EOFError
        data += piece
    return bytes(data)
