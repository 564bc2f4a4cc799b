"""Programs that verify identities: each answers whether a bundle over an artifact is by the identity of the tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .. import rigs
from ..loopback import LoopbackSigstore
from ..rigs import Peer, PeerResult

Judge = Callable[[LoopbackSigstore, Path, Path], PeerResult]
"""Takes the instance, the artifact and its bundle."""

_VERIFY_JS = Path(__file__).resolve().parent.parent / "sigstore_js" / "verify_identity.cjs"


def sigstore_python(instance: LoopbackSigstore, artifact: Path, bundle: Path) -> PeerResult:
    """Ask the command line of sigstore-python, offline."""
    program = str(rigs.require(Peer.SIGSTORE_PYTHON))
    whom = ["--cert-identity", instance.identity, "--cert-oidc-issuer", instance.issuer]
    files = ["--bundle", str(bundle.resolve(strict=True)), str(artifact.resolve(strict=True))]
    trust = ["--trust-config", str(instance.trust_config)]
    return rigs.run_program([program, *trust, "verify", "identity", "--offline", *whom, *files])


def cosign(instance: LoopbackSigstore, artifact: Path, bundle: Path) -> PeerResult:
    """Ask cosign for a message signature, with the log and the time that the bundle has."""
    return _cosign("verify-blob", [], instance, artifact, bundle)


def cosign_of_type(predicate_type: str) -> Judge:
    """Return who asks cosign for an envelope with a predicate of this type."""

    def judge(instance: LoopbackSigstore, artifact: Path, bundle: Path) -> PeerResult:
        return _cosign("verify-blob-attestation", ["--type", predicate_type], instance, artifact, bundle)

    return judge


def sigstore_js(instance: LoopbackSigstore, artifact: Path, bundle: Path) -> PeerResult:
    """Ask @sigstore/verify."""
    modules = rigs.require(Peer.SIGSTORE_JS)
    options = ["--trusted-root", str(instance.trusted_root), "--identity", instance.identity, "--issuer", instance.issuer]
    files = [str(bundle.resolve(strict=True)), str(artifact.resolve(strict=True))]
    return rigs.run_program(["node", str(_VERIFY_JS), *options, *files], {"NODE_PATH": str(modules)})


def _cosign(command: str, options: list[str], instance: LoopbackSigstore, artifact: Path, bundle: Path) -> PeerResult:
    arguments = [
        command,
        *options,
        "--bundle",
        str(bundle.resolve(strict=True)),
        "--trusted-root",
        str(instance.trusted_root),
    ]
    arguments += ["--certificate-identity", instance.identity, "--certificate-oidc-issuer", instance.issuer]
    # A log of version 2 says no time: the timestamp in the bundle does.
    if b'"0.0.2"' in bundle.read_bytes():
        arguments.append("--use-signed-timestamps")
    return rigs.run_cosign(*arguments, str(artifact.resolve(strict=True)))
