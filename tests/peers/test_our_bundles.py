"""What hatch-sign writes, before cosign and @sigstore/verify: accepted as it is, refused with one byte changed."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hatch_sign.formats.intoto import ARTIFACT_CLAIM, RELEASE_CLAIM

from ..integration.cli.cli_project import Project, make_project, make_wheel
from . import rigs
from .rigs import PeerResult

ALGORITHMS = ("ecdsa-p256", "rsa-3072", "rsa-4096", "ecdsa-p384", "ecdsa-p521", "ed25519")
Judge = Callable[[Path, Path, Path], PeerResult]


@pytest.fixture(scope="module", params=ALGORITHMS)
def signed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Project]:
    """Return a release signed with one kind of key: sidecars, one statement, signed checksums."""
    project = make_project(tmp_path_factory.mktemp(request.param), algorithm=request.param)
    make_wheel(project)
    project.add("demo-1.0.tar.gz", b"stands for an sdist\n" * 50)
    project.succeed("sign", "dist", "--format", "sigstore", "--format", "statement", "--format", "checksums")
    return request.param, project


@pytest.fixture
def copy(signed: tuple[str, Project], tmp_path: Path) -> Project:
    """Return a copy of the signed release that a test may tamper with."""
    project = signed[1]
    (tmp_path / "dist").mkdir()
    for path in [*project.dist.iterdir(), project.folder / "release.pub", project.folder / "hatch-sign.toml"]:
        (tmp_path / path.relative_to(project.folder)).write_bytes(path.read_bytes())
    return Project(tmp_path, project.environ)


def sidecar_judges(algorithm: str) -> list[Judge]:
    """Return who judges sidecars: message signatures for all but Ed25519, whose sidecars are envelopes."""

    def cosign(artifact: Path, bundle: Path, key: Path) -> PeerResult:
        if algorithm == "ed25519":
            return rigs.cosign_verify_attestation(artifact, bundle, key, ARTIFACT_CLAIM)
        return rigs.cosign_verify_blob(artifact, bundle, key)

    return [cosign, rigs.sigstore_js_verify]


def statement_judges() -> list[Judge]:
    def cosign(artifact: Path, bundle: Path, key: Path) -> PeerResult:
        return rigs.cosign_verify_attestation(artifact, bundle, key, RELEASE_CLAIM)

    return [cosign, rigs.sigstore_js_verify]


def flip(path: Path, position: int) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)


def change_signature(bundle: Path) -> None:
    """Flip one bit of the raw signature and write it back as well-formed base64."""
    document = json.loads(bundle.read_text())
    holder, key = (
        (document["messageSignature"], "signature")
        if "messageSignature" in document
        else (document["dsseEnvelope"]["signatures"][0], "sig")
    )
    raw = bytearray(base64.b64decode(holder[key]))
    raw[-1] ^= 1
    holder[key] = base64.b64encode(raw).decode()
    bundle.write_text(json.dumps(document))


@pytest.mark.parametrize("name", ["demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz", "SHA256SUMS"])
def test_sidecars_before_peers(signed: tuple[str, Project], copy: Project, name: str) -> None:
    artifact, bundle, key = copy.dist / name, copy.dist / f"{name}.sigstore.json", copy.folder / "release.pub"
    for judge in sidecar_judges(signed[0]):
        good = judge(artifact, bundle, key)
        assert good.accepted, good.output
    original = artifact.read_bytes(), bundle.read_bytes()
    for change_artifact in (True, False):
        if change_artifact:
            flip(artifact, len(original[0]) // 2)
        else:
            change_signature(bundle)
        for judge in sidecar_judges(signed[0]):
            refused = judge(artifact, bundle, key)
            assert not refused.accepted
            assert any(word in refused.output.lower() for word in ("signature", "digest", "subject")), refused.output
        require = "checksums" if name == "SHA256SUMS" else "sigstore"
        assert copy.run("verify", "dist", "--require", require).code == 1
        artifact.write_bytes(original[0])
        bundle.write_bytes(original[1])


def test_one_statement_over_the_release_before_peers(signed: tuple[str, Project], copy: Project) -> None:
    bundle, key = copy.dist / "demo-1.0.intoto.sigstore.json", copy.folder / "release.pub"
    artifacts = [copy.dist / "demo-1.0-py3-none-any.whl", copy.dist / "demo-1.0.tar.gz"]
    for judge in statement_judges():
        for artifact in artifacts:
            good = judge(artifact, bundle, key)
            assert good.accepted, (signed[0], good.output)
    flip(artifacts[0], 40)
    for judge in statement_judges():
        refused = judge(artifacts[0], bundle, key)
        assert not refused.accepted
        assert "digest" in refused.output.lower() or "subject" in refused.output.lower(), refused.output
        assert judge(artifacts[1], bundle, key).accepted
    change_signature(bundle)
    for judge in statement_judges():
        refused = judge(artifacts[1], bundle, key)
        assert not refused.accepted
        assert "signature" in refused.output.lower(), refused.output
    assert copy.run("verify", str(artifacts[1]), "--require", "statement").code == 1


def test_another_key_is_refused_by_peers(signed: tuple[str, Project], copy: Project) -> None:
    other = copy.folder / "other.pub"
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    other.write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    artifact = copy.dist / "demo-1.0.tar.gz"
    for judge in sidecar_judges(signed[0]):
        refusal = judge(artifact, artifact.with_name(artifact.name + ".sigstore.json"), other).refusal
        # cosign tries the key; @sigstore/verify looks for one that answers to the hint.
        assert "failed to verify signature" in refusal or "PUBLIC_KEY_ERROR: key not found" in refusal


def test_the_checksums_before_coreutils(copy: Project) -> None:
    check = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    assert subprocess.run(check, cwd=copy.dist, check=False, capture_output=True).returncode == 0
    flip(copy.dist / "demo-1.0.tar.gz", 3)
    refused = subprocess.run(check, cwd=copy.dist, check=False, capture_output=True)
    assert refused.returncode == 1
    assert b"demo-1.0.tar.gz: FAILED" in refused.stdout


def test_openssl_takes_the_bare_signature_of_a_bundle(signed: tuple[str, Project], copy: Project) -> None:
    """The message signature is an ordinary signature over the artifact, whatever is thought of bundles."""
    algorithm = signed[0]
    artifact = copy.dist / "demo-1.0.tar.gz"
    document = json.loads((copy.dist / "demo-1.0.tar.gz.sigstore.json").read_text())
    if algorithm == "ed25519":
        assert "messageSignature" not in document
        return
    message = document["messageSignature"]
    hash_name = message["messageDigest"]["algorithm"].replace("SHA2_", "sha")
    signature = base64.b64decode(message["signature"])
    assert rigs.openssl_verify(artifact, signature, copy.folder / "release.pub", hash_name).accepted
    flip(artifact, 3)
    assert not rigs.openssl_verify(artifact, signature, copy.folder / "release.pub", hash_name).accepted
