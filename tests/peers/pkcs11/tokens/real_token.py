"""What the tests know of a token, and how they get at it."""

from __future__ import annotations

import enum
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ... import rigs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hatch_sign.values.algorithms import KeyAlgorithm, Scheme

LABEL = "release"
PIN = "Zk7-qW2v"
"""As long as openCryptoki takes them, and with letters that no hexadecimal number and no word has in this order."""
SO_PIN = "Ro9-xT4j"
_PATIENCE = 300.0
"""Seconds that a tool may take; the slowest makes an RSA key in one or two."""


class TokenName(enum.StrEnum):
    """A token; the value is how tests are named after it."""

    SOFTHSM = "softhsm"
    REMOTE = "p11-kit-remote"
    OPENCRYPTOKI = "opencryptoki"
    TPM = "tpm"


_SOFTHSM = "softhsm/libsofthsm2.so"
_MODULES = {
    TokenName.SOFTHSM: _SOFTHSM,
    TokenName.REMOTE: "pkcs11/p11-kit-client.so",
    TokenName.OPENCRYPTOKI: "pkcs11/libopencryptoki.so",
    TokenName.TPM: "pkcs11/libtpm2_pkcs11.so",
}
_PROGRAMS = {
    TokenName.SOFTHSM: ("softhsm2-util", "pkcs11-tool"),
    TokenName.REMOTE: ("softhsm2-util", "pkcs11-tool", "p11-kit"),
    TokenName.OPENCRYPTOKI: ("pkcs11-tool", "pkcsslotd", "unshare", "nsenter"),
    TokenName.TPM: ("pkcs11-tool", "swtpm", "tpm2-abrmd", "tpm2_ptool", "tpm2_getcap", "dbus-daemon"),
}


@dataclass(frozen=True)
class RealToken:
    """A running, initialised token without a key. `folder` holds all its files, and is the mark of its processes.

    `environ` holds the variables by which a process reaches the token; they are read when it loads the module, so that
    one process can use one such token. `entrance` runs a command where the token can be reached; empty for one that can
    be reached from everywhere. `takes_threads` says whether the module may be called from several threads at once.

    `algorithms` are the kinds of key that it makes; `lacks` the schemes that keys of these kinds can have and its keys have
    not; `unusable` the kinds of key that it makes and then cannot sign with. Everything else has to be refused.
    """

    name: TokenName
    folder: Path
    module: Path
    algorithms: tuple[KeyAlgorithm, ...]
    takes_threads: bool
    lacks: frozenset[Scheme] = frozenset()
    unusable: tuple[KeyAlgorithm, ...] = ()
    label: str = LABEL
    pin: str = field(default=PIN, repr=False)
    so_pin: str = field(default=SO_PIN, repr=False)
    environ: Mapping[str, str] = field(default_factory=dict)
    entrance: tuple[str, ...] = ()

    def reference(self, key: str = "", **query: str) -> str:
        """Return the URI of a key by its label, or of the token; RFC 7512 §2.3. Its PIN comes from ``HSM_PIN``."""
        path = f"token={self.label}" + (f";object={key}" if key else "")
        attributes = {"module-path": str(self.module), "pin-source": "env:HSM_PIN"} | query
        return f"pkcs11:{path}?" + "&".join(f"{name}={value}" for name, value in attributes.items())

    def command(self, *words: str | Path, folder: Path | None = None) -> list[str]:
        """Return the command line that runs `words` in `folder` where the token can be reached."""
        moved = ["env", f"--chdir={folder or Path.cwd()}"] if self.entrance else []
        return [*self.entrance, *moved, *map(str, words)]

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment of such a command: that of the tests, with the way to the token and to its PIN."""
        return os.environ | dict(self.environ) | {"HSM_PIN": self.pin} | more

    def pkcs11_tool(self, *arguments: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run OpenSC's ``pkcs11-tool`` over the module; another implementation's view of what is in the token."""
        done = subprocess.run(
            self.command("pkcs11-tool", "--module", self.module, *arguments),
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
        if check and done.returncode != 0:
            raise rigs.RigError(done.stderr)
        return done

    def as_user(self, *arguments: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run ``pkcs11-tool``, logged in with the PIN."""
        return self.pkcs11_tool("--token-label", self.label, "--login", "--pin", self.pin, *arguments, check=check)


def find_program(name: str) -> Path | None:
    """Return a program of the system: daemons lie where a user's path does not lead."""
    found = shutil.which(name, path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin")
    return Path(found) if found else None


def find_module(name: TokenName) -> Path | None:
    """Return the module of a token as Debian's package installs it; None unless all that its rig runs is there."""
    if not all(find_program(program) for program in _PROGRAMS[name]):
        return None
    inner = _SOFTHSM if name is TokenName.REMOTE else _MODULES[name]
    return _in_library_folders(_MODULES[name]) if _in_library_folders(inner) else None


def require_token(name: TokenName) -> Path:
    """Return the module, else skip the test, or fail it under continuous integration."""
    found = find_module(name)
    if found is None:
        rigs.skip_or_fail(f"the token {name} is not installed: run 'bash tests/peers/install.sh tokens'")
    return found


def softhsm_module() -> Path:
    """Return SoftHSM's module, which stands behind two of the tokens."""
    require_token(TokenName.SOFTHSM)
    found = _in_library_folders(_SOFTHSM)
    assert found is not None
    return found


def _in_library_folders(name: str) -> Path | None:
    return next(
        (path for path in [Path("/usr/lib", name), *sorted(Path("/usr/lib").glob(f"*/{name}"))] if path.exists()), None
    )
