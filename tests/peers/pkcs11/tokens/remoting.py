"""A token on another machine: p11-kit serves a SoftHSM token through a socket, and can be killed and started again."""

from __future__ import annotations

import contextlib
import signal
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_sign.values.algorithms import KeyAlgorithm

from .processes import end, rig_folder, running
from .real_token import LABEL, RealToken, TokenName, require_token, softhsm_module
from .softhsm import initialise_softhsm

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

_ALGORITHMS = tuple(algorithm for algorithm in KeyAlgorithm if algorithm is not KeyAlgorithm.ED25519)
"""p11-kit 0.24 passes on no mechanism that it does not know, and it does not know that of Ed25519."""


@dataclass
class RemoteServer:
    """The server; `token` is what it serves, with the way there through the socket."""

    token: RealToken
    folder: Path
    environ: dict[str, str]
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        """Where it listens; the same after a restart."""
        return self.folder / "socket"

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        self.socket.unlink(missing_ok=True)
        served = ["--provider", str(softhsm_module()), "--name", str(self.socket), f"pkcs11:token={LABEL}"]
        command = ["p11-kit", "server", "--foreground", *served]
        manager = running(command, self.folder, ready=self._answers, environ=self.environ)
        self._process = self._stack.enter_context(manager)

    def kill(self) -> None:
        """End it and all that it serves, in the middle of whatever it does, as a power cut would."""
        if self._process is not None:
            end(self._process, first=signal.SIGKILL)

    def stop(self) -> None:
        """End it; for good."""
        self._stack.close()

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as connection:
            return connection.connect_ex(str(self.socket)) == 0


@contextlib.contextmanager
def remote_server() -> Iterator[RemoteServer]:
    """Run a server before a token of its own."""
    module = require_token(TokenName.REMOTE)
    with rig_folder() as folder:
        environ = initialise_softhsm(folder)
        address = {"P11_KIT_SERVER_ADDRESS": f"unix:path={folder / 'socket'}"}
        token = RealToken(TokenName.REMOTE, folder, module, algorithms=_ALGORITHMS, takes_threads=False, environ=address)
        server = RemoteServer(token, folder, environ)
        try:
            server.start()
            yield server
        finally:
            server.stop()


@contextlib.contextmanager
def remote_token() -> Iterator[RealToken]:
    """Run a server, and lend its token. It does what SoftHSM does, as far as p11-kit passes it on.

    Its client gives whoever asks for its functions a connection of their own, and python-pkcs11 initialises its own without
    threads. That is as well: in p11-kit 0.24, of several threads that wait for answers, some wait for ever when it breaks.
    """
    with remote_server() as server:
        yield server.token
