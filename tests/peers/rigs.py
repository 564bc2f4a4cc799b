"""Runs independent verifiers over bundles and signatures, each in a clean environment and without the network.

A peer answers with a :class:`PeerResult`; it never raises for a signature that it refuses. What is raised is a rig
that could not run: a missing file, a peer that did not finish, a command line the peer did not understand.
Peers come from ``tests/peers/install.sh``; :func:`require` skips a test whose peer is missing, or fails it where
the environment variable ``CI`` is set.
"""

from __future__ import annotations

import enum
import importlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence
    from types import ModuleType

_HERE = Path(__file__).resolve().parent
_VERIFY_JS = _HERE / "sigstore_js" / "verify.cjs"
_TIMEOUT = 300.0  # Seconds. A peer takes well under one; a loaded machine may take many.
_NO_NETWORK = "http://127.0.0.1:9"  # The discard port: a peer that tries to reach a service fails at once.
_REFUSALS = (1,)  # The exit status by which most peers say no.


class Peer(enum.StrEnum):
    """A program that hatch-sign has no hand in."""

    COSIGN = "cosign"
    SIGSTORE_JS = "js"
    LOOPBACK = "loopback"
    SIGSTORE_PYTHON = "sigstore-python"
    OPENSSL = "openssl"
    OSSLSIGNCODE = "osslsigncode"
    FAKETIME = "faketime"
    JSIGN = "jsign"
    CHROMIUM = "chromium"

    @property
    def remedy(self) -> str:
        """Return the command that installs it."""
        if self is Peer.OPENSSL:
            return "apt-get install openssl"
        if self is Peer.CHROMIUM:
            return "bash tests/peers/install.sh browser"
        code_signing = (Peer.OSSLSIGNCODE, Peer.FAKETIME, Peer.JSIGN)
        return f"bash tests/peers/install.sh {'codesigning' if self in code_signing else self}"


@dataclass(frozen=True)
class PeerResult:
    """What one peer said of one file: its verdict, and its standard output and error as text."""

    accepted: bool
    output: str

    @property
    def refusal(self) -> str:
        """Return what it said in refusing the file; the test fails where it did not."""
        assert not self.accepted, self.output
        return self.output


class RigError(Exception):
    """The peer gave no verdict, so nothing is known of the signature."""


def cache_folder() -> Path:
    """Return the folder that ``install.sh`` fills, whether or not it exists."""
    if chosen := os.environ.get("HATCH_SIGN_PEERS"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "hatch-sign-peers"


def find(peer: Peer | str) -> Path | None:
    """Return the peer's program, or for a Node peer its ``node_modules``; None unless completely installed."""
    cache = cache_folder()
    match Peer(peer):
        case Peer.OPENSSL | Peer.OSSLSIGNCODE | Peer.FAKETIME | Peer.CHROMIUM as program_of_the_system:
            found = shutil.which(program_of_the_system)
            return Path(found) if found else None
        case Peer.JSIGN:
            stamp, program = cache / "codesigning" / "pins", cache / "codesigning" / "jsign.jar"
            if shutil.which("java") is None:
                return None
        case Peer.COSIGN:
            stamp, program = cache / "bin" / "cosign.pins", cache / "bin" / "cosign"
        case Peer.SIGSTORE_PYTHON:
            stamp, program = cache / "sigstore-python" / "pins", cache / "sigstore-python" / "bin" / "sigstore"
        case Peer.SIGSTORE_JS | Peer.LOOPBACK as node_peer:
            folder = cache / ("sigstore-js" if node_peer is Peer.SIGSTORE_JS else "loopback-sigstore")
            stamp, program = folder / "pins", folder / "node_modules"
            if shutil.which("node") is None:
                return None
    return program if stamp.is_file() and program.exists() else None


def require(peer: Peer | str) -> Path:
    """Return what :func:`find` returns, else skip the test, or fail it under continuous integration."""
    found = find(peer)
    if found is None:
        skip_or_fail(f"{peer} is not installed: run '{Peer(peer).remedy}'")
    return found


def require_module(name: str) -> ModuleType:
    """Return a module of a distribution of the dependency group ``peers``, else skip or fail as :func:`require` does."""
    if importlib.util.find_spec(name.partition(".")[0]) is None:
        skip_or_fail(f"{name} is not installed: run 'pip install --group peers'")
    return importlib.import_module(name)


def skip_or_fail(reason: str) -> NoReturn:
    """Skip the test that lacks something; fail it under continuous integration, which has to have everything."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason, allow_module_level=True)  # whole modules need a peer, too


def cosign_verify_blob(artifact: Path, bundle: Path, public_key: Path, *, trusted_root: Path | None = None) -> PeerResult:
    """Ask cosign whether a message-signature bundle is good, with no log entry demanded.

    With a trusted root, an RFC 3161 timestamp from an authority in it is demanded too.
    """
    return _cosign_verify("verify-blob", [], (artifact, bundle, public_key), trusted_root)


def cosign_verify_attestation(
    artifact: Path, bundle: Path, public_key: Path, predicate_type: str, *, trusted_root: Path | None = None
) -> PeerResult:
    """Ask cosign whether a DSSE bundle is good, of this predicate type, and names the artifact's SHA-256."""
    options = ["--type", predicate_type]
    return _cosign_verify("verify-blob-attestation", options, (artifact, bundle, public_key), trusted_root)


def sigstore_js_verify(
    artifact: Path,
    bundle: Path,
    public_key: Path,
    *,
    envelope_only: bool = False,
    trusted_root: Path | None = None,
    timestamps: int = 0,
) -> PeerResult:
    """Ask @sigstore/verify whether a bundle of either kind is good, with no log entry demanded.

    :param envelope_only: for a DSSE bundle, do not ask whether its statement names the artifact.
    :param trusted_root: where the authorities behind timestamps and log entries are found, if the bundle has any.
    :param timestamps: how many timestamps the bundle must carry.
    """
    modules = require(Peer.SIGSTORE_JS)
    options = ["--timestamps", str(timestamps)]
    if envelope_only:
        options.append("--envelope-only")
    if trusted_root is not None:
        options += ["--trusted-root", _existing(trusted_root)]
    files = [_existing(bundle), _existing(artifact), _existing(public_key)]
    return run_program(["node", str(_VERIFY_JS), *options, *files], {"NODE_PATH": str(modules)})


def openssl_verify(
    artifact: Path, signature_der: bytes, public_key: Path, hash_name: str | None, *, pss: bool = False
) -> PeerResult:
    """Ask openssl whether a bare signature over the artifact is good.

    :param signature_der: as the algorithm defines it: DER for ECDSA, the plain octets for RSA and Ed25519.
    :param hash_name: such as ``sha256``; None for Ed25519, which signs the artifact itself.
    :param pss: RSASSA-PSS with a salt as long as the digest, instead of PKCS#1 v1.5.
    """
    program = str(require(Peer.OPENSSL))
    with tempfile.TemporaryDirectory() as folder:
        signature = Path(folder, "signature")
        signature.write_bytes(signature_der)
        key, data = _existing(public_key), _existing(artifact)
        if hash_name is None:
            arguments = ["pkeyutl", "-verify", "-pubin", "-inkey", key, "-rawin", "-in", data, "-sigfile"]
            return run_program([program, *arguments, str(signature)])
        padding = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"] if pss else []
        arguments = ["dgst", f"-{hash_name}", "-verify", key, *padding, "-signature", str(signature), data]
        return run_program([program, *arguments])


def run_cosign(*arguments: str, folder: Path | None = None) -> PeerResult:
    """Run any cosign command in a folder, with an empty key password; accepted means it succeeded."""
    return run_program([str(require(Peer.COSIGN)), *arguments], {"COSIGN_PASSWORD": ""}, folder)


def clean_environment(home: str, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment of PATH, the given home, no way past loopback, and the extra variables only."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": home, "LC_ALL": "C.UTF-8"}
    environment |= dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), _NO_NETWORK)
    environment |= dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost")
    return environment | dict(extra or {})


def _cosign_verify(
    command: str, options: list[str], files: tuple[Path, Path, Path], trusted_root: Path | None
) -> PeerResult:
    # cosign takes a path that does not exist for a digest or an address, hence the check.
    artifact, bundle, public_key = map(_existing, files)
    arguments = [command, "--key", public_key, "--bundle", bundle, "--insecure-ignore-tlog", *options]
    if trusted_root is not None:
        arguments += ["--trusted-root", _existing(trusted_root), "--use-signed-timestamps"]
    return run_cosign(*arguments, artifact)


def _existing(path: Path) -> str:
    """Return the absolute path of a file that must be there; a peer's own complaint would pass for a refusal."""
    return str(path.resolve(strict=True))


def run_program(
    command: Sequence[str | Path],
    extra: Mapping[str, str] | None = None,
    folder: Path | None = None,
    *,
    refusals: Container[int] = _REFUSALS,
) -> PeerResult:
    """Run a program in a clean environment: accepted if it succeeds, refused if it ends with one of `refusals`."""
    with tempfile.TemporaryDirectory(prefix="peer-home-") as home:
        finished = subprocess.run(
            command,
            cwd=folder or home,
            env=clean_environment(home, extra),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_TIMEOUT,
            check=False,
        )
    output = finished.stdout.decode(errors="replace")
    if (finished.returncode and finished.returncode not in refusals) or "unknown flag" in output:
        message = f"{command[0]} gave no verdict (exit status {finished.returncode}): {output}"
        raise RigError(message)
    return PeerResult(accepted=finished.returncode == 0, output=output)
