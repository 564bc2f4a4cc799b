"""A TPM: swtpm, the resource manager before it on a message bus of their own, and tpm2-pkcs11 over both."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_sign.values.algorithms import KeyAlgorithm

from .processes import rig_folder, running
from .real_token import LABEL, PIN, SO_PIN, RealToken, TokenName, find_program, require_token

if TYPE_CHECKING:
    from collections.abc import Iterator

_ALGORITHMS = (KeyAlgorithm.ECDSA_P256, KeyAlgorithm.ECDSA_P384, KeyAlgorithm.RSA_3072)
_LISTENING = "0A"
_PORTS_TRIED = 100


@contextlib.contextmanager
def tpm_token() -> Iterator[RealToken]:
    """Run a TPM with a fresh store. A bus, not a port, leads to it, and its name is in the variables.

    tpm2-pkcs11 1.9 says that it locks, and does not: of two threads, one meets "Esys called in bad sequence".
    It writes the point of a P-521 key with a length that DER does not have, and then cannot read it.
    """
    module = require_token(TokenName.TPM)
    with rig_folder() as folder, contextlib.ExitStack() as stack:
        environ = _environ(folder)
        (folder / "store").mkdir()
        (folder / "state").mkdir()
        bus, tpm, manager = _commands(folder, port := _free_pair())
        stack.enter_context(running(bus, folder, ready=(folder / "bus").exists))
        stack.enter_context(running(tpm, folder, ready=lambda: _listens(port)))
        stack.enter_context(running(manager, folder, ready=lambda: _answers(environ), environ=environ))
        _initialise(environ)
        yield RealToken(
            TokenName.TPM,
            folder,
            module,
            algorithms=_ALGORITHMS,
            unusable=(KeyAlgorithm.ECDSA_P521,),
            takes_threads=False,
            environ=environ,
        )


def _environ(folder: Path) -> dict[str, str]:
    return {
        "DBUS_SESSION_BUS_ADDRESS": f"unix:path={folder}/bus",
        "TPM2TOOLS_TCTI": "tabrmd:bus_type=session",
        "TPM2_PKCS11_TCTI": "tabrmd:bus_type=session",
        "TPM2_PKCS11_STORE": f"{folder}/store",
    }


def _commands(folder: Path, port: int) -> tuple[list[str], list[str], list[str]]:
    """Return the bus, the TPM with its control port beside the other one, and what lets many processes share it."""
    at = [f"type=tcp,port={each},bindaddr=127.0.0.1" for each in (port, port + 1)]
    bus = ["dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address=unix:path={folder}/bus"]
    tpm = ["swtpm", "socket", "--tpm2", f"--tpmstate=dir={folder}/state", "--server", at[0], "--ctrl", at[1]]
    as_root = ["--allow-root"] if os.geteuid() == 0 else []
    manager = [str(find_program("tpm2-abrmd")), "--session", f"--tcti=swtpm:port={port}", *as_root]
    return bus, [*tpm, "--flags", "not-need-init,startup-clear"], manager


def _initialise(environ: dict[str, str]) -> None:
    token = ["addtoken", "--pid=1", f"--label={LABEL}", f"--sopin={SO_PIN}", f"--userpin={PIN}"]
    for arguments in (["init"], token):
        subprocess.run(["tpm2_ptool", *arguments], env=os.environ | environ, check=True, capture_output=True)


def _answers(environ: dict[str, str]) -> bool:
    asked = subprocess.run(
        ["tpm2_getcap", "properties-fixed"], env=os.environ | environ, check=False, capture_output=True, timeout=300
    )
    return asked.returncode == 0


def _free_pair() -> int:
    """Return a free port that is followed by another: the library looks for the control port there."""
    for _ in range(_PORTS_TRIED):
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            if port < 2**16 - 1 and _binds(second, port + 1):
                return port
    message = "no two free ports in a row were found"
    raise RuntimeError(message)


def _binds(candidate: socket.socket, port: int) -> bool:
    try:
        candidate.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


def _listens(port: int) -> bool:
    """Return whether somebody listens there, without connecting: the TPM would take that for its only client."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return any(fields[1].endswith(f":{port:04X}") and fields[3] == _LISTENING for fields in map(str.split, lines))
