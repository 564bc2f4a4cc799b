"""Whole runs over both services: through the core, and through the command line as a user types it."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from hatch_sign.configuration.model import SignatureSettings
from hatch_sign.registry import Registry
from hatch_sign.registry.entries import installed_entries
from hatch_sign.values.errors import CredentialRotatedError
from hatch_sign.values.public_keys import as_public_key, encode_public_key_pem
from tests.contract.sketch_plugins import sketch_registry
from tests.contract.test_ports import sign

from .https_server import Answer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import ArtifactSigningRig, Rig, SignServerRig
    from .https_server import Request


def command(rig: Rig, *arguments: str, code: int = 0) -> str:
    """Run ``hatch-sign`` in the folder of the rig, expect its exit status, and return what it says."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HATCH_SIGN_")}
    done = subprocess.run(
        [sys.executable, "-m", "hatch_sign", *arguments],
        cwd=rig.folder,
        env={**inherited, **rig.environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    folder.mkdir()
    for number in range(6):
        (folder / f"tool-{number}.bin").write_bytes(b"artifact %d" % number)
    return folder


# --- SignServer -------------------------------------------------------------------------------------------------------


def test_a_release_is_signed_and_verified(signserver: SignServerRig, dist: Path) -> None:
    key = as_public_key(signserver.worker.key.public_key(), subject="test")
    (signserver.folder / "release.pub").write_bytes(encode_public_key_pem(key))
    command(signserver, "sign", "dist", "--key", signserver.reference())
    assert len(list(dist.glob("*.sigstore.json"))) == signserver.worker.signatures == 6
    assert "6 artifacts are trusted" in command(signserver, "verify", "dist", "--key", "release.pub")
    (dist / "tool-0.bin").write_bytes(b"tampered")
    assert "hash-mismatch" in command(signserver, "verify", "dist", "--key", "release.pub", code=1)


def test_a_statement_costs_one_signature(signserver: SignServerRig) -> None:
    (signserver.folder / "demo-1.0.tar.gz").write_bytes(b"an sdist")
    command(signserver, "sign", "demo-1.0.tar.gz", "--format", "statement", "--key", signserver.reference())
    assert signserver.worker.signatures == 1


def test_a_certificate_request_is_signed_by_the_worker(signserver: SignServerRig) -> None:
    command(signserver, "key", "csr", signserver.reference(), "--subject", "CN=Example Ltd", "-o", "request.pem")
    request = x509.load_pem_x509_csr((signserver.folder / "request.pem").read_bytes())
    assert request.is_signature_valid


def test_a_service_that_ends_in_the_middle_leaves_what_is_done_and_the_rest_is_done_again(
    signserver: SignServerRig, dist: Path
) -> None:
    respond = signserver.service.respond

    def until_the_fourth(request: Request) -> Answer:
        return respond(request) if signserver.worker.signatures < 3 else Answer.of(404, {"error": "No such worker"})

    signserver.service.respond = until_the_fourth
    said = command(signserver, "sign", "dist", "--key", signserver.reference(), code=3)
    assert "has no such worker (404)" in said
    assert "3 artifacts are signed, run again for the rest" in said
    assert len(list(dist.glob("*.sigstore.json"))) == 3
    signserver.service.respond = respond
    command(signserver, "sign", "dist", "--key", signserver.reference())
    assert len(list(dist.glob("*.sigstore.json"))) == signserver.worker.signatures == 6


def test_a_worker_with_another_key_signs_nothing_that_is_written(signserver: SignServerRig, dist: Path) -> None:
    other = signserver.fake.workers["ecdsa-p384"]
    signserver.worker.key = other.key
    said = command(signserver, "sign", "dist", "--key", signserver.reference(), code=3)
    assert "not a signature by this key" in said
    assert list(dist.glob("*.sigstore.json")) == []


# --- Artifact Signing -------------------------------------------------------------------------------------------------


def test_nothing_is_signed_without_a_timestamp(artifact_signing: ArtifactSigningRig, dist: Path) -> None:
    said = command(artifact_signing, "sign", "dist", "--key", artifact_signing.reference, code=2)
    assert "its certificate lives for days, so that signatures need a timestamp; set `timestamp`" in said
    assert artifact_signing.fake.operations == {}
    assert list(dist.glob("*.sigstore.json")) == []


def test_a_key_is_shown_without_a_signature(artifact_signing: ArtifactSigningRig) -> None:
    document = json.loads(command(artifact_signing, "key", "show", artifact_signing.reference, "--json"))
    (key,) = document["keys"]
    assert key["algorithm"] == "rsa-3072"
    assert key["certificates"][0]["subject"] == "CN=Example Ltd"
    assert artifact_signing.fake.operations == {}


@pytest.fixture
def registry() -> Registry:
    """Return the core and the sketches, a timestamp authority among them, with Artifact Signing."""
    ours = [entry for entry in installed_entries() if entry.name == "artifact-signing"]
    return Registry([*sketch_registry().entries, *ours])


def turning(rig: ArtifactSigningRig, turns: set[int]) -> Callable[[Request], Answer]:
    """Return what turns the profile before each submission whose number is in `turns`."""
    respond, submitted = rig.service.respond, []

    def answer(request: Request) -> Answer:
        if request.method == "POST":
            submitted.append(request)
            if len(submitted) in turns:
                rig.fake.turn()
        return respond(request)

    return answer


def leaves_of(folder: Path) -> list[bytes]:
    bundles = [json.loads(path.read_text()) for path in sorted(folder.glob("*.sigstore.json"))]
    return [bundle["verificationMaterial"]["certificate"]["rawBytes"].encode() for bundle in bundles]


def test_a_leaf_that_turns_in_the_middle_of_a_run_is_followed(
    artifact_signing: ArtifactSigningRig, dist: Path, registry: Registry
) -> None:
    artifact_signing.service.respond = turning(artifact_signing, {4})
    options = {"sigstore": {"bundle-certificate": True}}
    settings = SignatureSettings(None, artifact_signing.reference, timestamp=("toy:time",), options=options)
    report = sign(dist, settings, registry=registry, context=artifact_signing.context())
    report.raise_failure()
    assert len(report.outcomes) == 6
    assert len(set(leaves_of(dist))) == 2
    assert len(artifact_signing.fake.leaves) == 2


def test_a_leaf_that_turns_at_every_signature_is_given_up(
    artifact_signing: ArtifactSigningRig, dist: Path, registry: Registry
) -> None:
    for path in sorted(dist.iterdir())[1:]:
        path.unlink()  # of several, one may meet a turn that another was told of
    artifact_signing.service.respond = turning(artifact_signing, set(range(1, 100)))
    settings = SignatureSettings(None, artifact_signing.reference, timestamp=("toy:time",))
    report = sign(dist, settings, registry=registry, context=artifact_signing.context())
    with pytest.raises(CredentialRotatedError):
        report.raise_failure()
    assert list(dist.glob("*.sigstore.json")) == []


def test_the_leaf_in_the_bundle_is_the_profiles(
    artifact_signing: ArtifactSigningRig, dist: Path, registry: Registry
) -> None:
    options = {"sigstore": {"bundle-certificate": True}}
    settings = SignatureSettings(None, artifact_signing.reference, timestamp=("toy:time",), options=options)
    sign(dist, settings, registry=registry, context=artifact_signing.context()).raise_failure()
    expected = artifact_signing.fake.leaf.certificate.public_bytes(Encoding.DER)
    assert {base64.b64decode(leaf) for leaf in leaves_of(dist)} == {expected}
