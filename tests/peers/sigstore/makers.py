"""Programs that sign by the identity of the tests: each writes a bundle with a message signature over an artifact."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from .. import rigs
from ..loopback import LoopbackSigstore
from ..rigs import Peer
from .keyless import identity_at, make_keyless_project

Maker = Callable[[LoopbackSigstore, Path, Path, int], None]
"""Takes the instance, the artifact, where the bundle goes, and the version of the log."""

_SIGN_JS = Path(__file__).resolve().parent.parent / "sigstore_js" / "sign_identity.cjs"


def hatch_sign(instance: LoopbackSigstore, artifact: Path, bundle: Path, version: int) -> None:
    """Sign by the command line of hatch-sign, in a folder of its own."""
    project = make_keyless_project(bundle.with_name(f"{bundle.name}.project"), instance)
    copy = project.add(artifact.name, artifact.read_bytes())
    project.succeed("sign", "dist", "--key", identity_at(instance, rekor_version=version))
    bundle.write_bytes(copy.with_name(f"{copy.name}.sigstore.json").read_bytes())


def sigstore_python(instance: LoopbackSigstore, artifact: Path, bundle: Path, version: int) -> None:
    """Sign by the command line of sigstore-python."""
    arguments = ["--trust-config", str(instance.trust_config), "sign", "--rekor-version", str(version)]
    arguments += ["--identity-token", instance.identity_token, "--bundle", str(bundle), str(artifact)]
    _require(rigs.run_program([str(rigs.require(Peer.SIGSTORE_PYTHON)), *arguments]))


def sigstore_js(instance: LoopbackSigstore, artifact: Path, bundle: Path, version: int) -> None:
    """Sign by @sigstore/sign."""
    modules = rigs.require(Peer.SIGSTORE_JS)
    arguments = ["--trust-config", str(instance.trust_config), "--token", str(_token(instance, bundle))]
    arguments += ["--rekor-version", str(version), str(artifact), str(bundle)]
    _require(rigs.run_program(["node", str(_SIGN_JS), *arguments], {"NODE_PATH": str(modules)}))


def cosign(instance: LoopbackSigstore, artifact: Path, bundle: Path, version: int) -> None:
    """Sign by cosign, which takes its services from a file of their own."""
    services = json.loads(instance.trust_config.read_text())["signingConfig"]
    services["rekorTlogUrls"] = [each for each in services["rekorTlogUrls"] if each["majorApiVersion"] == version]
    signing_config = bundle.with_name(f"{bundle.name}.services.json")
    signing_config.write_text(json.dumps(services))
    trust = ["--signing-config", str(signing_config), "--trusted-root", str(instance.trusted_root)]
    token = ["--identity-token", str(_token(instance, bundle))]
    _require(rigs.run_cosign("sign-blob", "--yes", *trust, *token, "--bundle", str(bundle), str(artifact)))


MAKERS: dict[str, Maker] = {
    "hatch-sign": hatch_sign,
    "sigstore-python": sigstore_python,
    "sigstore-js": sigstore_js,
    "cosign": cosign,
}


def _token(instance: LoopbackSigstore, bundle: Path) -> Path:
    """Write the token of the tests, for programs that take a file; it is worth nothing elsewhere."""
    path = bundle.with_name(f"{bundle.name}.token")
    path.write_text(instance.identity_token)
    return path


def _require(result: rigs.PeerResult) -> None:
    assert result.accepted, result.output
