"""openCryptoki's soft token, with all its folders, its shared memory and its daemon apart from those of the machine."""

from __future__ import annotations

import contextlib
import os
import shlex
from typing import TYPE_CHECKING

from hatch_sign.values.algorithms import KeyAlgorithm

from .processes import rig_folder, running
from .real_token import LABEL, PIN, RealToken, TokenName, find_program, require_token

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SO_PIN = "87654321"
"""What the token is made with; changing it is one more step that no test needs."""
_SLOT = "3"
_CONFIGURATION = f"version opencryptoki-3.1\nslot {_SLOT}\n{{\nstdll = libpkcs11_sw.so\n}}\n"
_GROUPS = "root:x:0:\npkcs11:x:0:root\n"
"""The daemon hands what it makes to this group; where the rig is no superuser, no other than its own can be had."""
_FOLDERS = {
    "configuration": "/etc/opencryptoki",
    "store": "/var/lib/opencryptoki",
    "run": "/run",
    "memory": "/dev/shm",  # noqa: S108 - what lies there is hidden, not used
    "log": "/var/log",
}
"""All that openCryptoki and its daemon write to, and what stands there instead; none of it can be configured."""


@contextlib.contextmanager
def opencryptoki_token() -> Iterator[RealToken]:
    """Run the daemon in a private mount and IPC namespace, with a fresh token in its slot; it makes RSA keys only."""
    module = require_token(TokenName.OPENCRYPTOKI)
    with rig_folder() as folder:
        _prepare(folder)
        private = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        command = ["unshare", *private, "--mount", "--ipc", "sh", "-ec", _script(folder)]
        with running(command, folder, ready=(folder / "run" / "pkcsslotd.socket").exists) as daemon:
            joined = ["--user", "--preserve-credentials"] if private else []
            token = RealToken(
                TokenName.OPENCRYPTOKI,
                folder,
                module,
                algorithms=(KeyAlgorithm.RSA_3072, KeyAlgorithm.RSA_4096),
                takes_threads=True,
                so_pin=_SO_PIN,
                entrance=("nsenter", f"--target={daemon.pid}", *joined, "--mount", "--ipc"),
            )
            _initialise(token)
            yield token


def _prepare(folder: Path) -> None:
    for path in (*_FOLDERS, "store/swtok/TOK_OBJ", "run/lock/opencryptoki/swtok"):
        (folder / path).mkdir(parents=True, exist_ok=True)
    (folder / "configuration" / "opencryptoki.conf").write_text(_CONFIGURATION)
    (folder / "group").write_text(_GROUPS)


def _script(folder: Path) -> str:
    mounts = _FOLDERS | {"group": "/etc/group"}
    lines = [f"mount --bind {shlex.quote(str(folder / ours))} {theirs}" for ours, theirs in mounts.items()]
    return "\n".join([*lines, f"exec {find_program('pkcsslotd')} -f"])


def _initialise(token: RealToken) -> None:
    token.pkcs11_tool("--slot", _SLOT, "--init-token", "--label", LABEL, "--so-pin", _SO_PIN)
    as_officer = ("--slot", _SLOT, "--login", "--login-type", "so", "--so-pin", _SO_PIN)
    token.pkcs11_tool(*as_officer, "--init-pin", "--pin", PIN)
