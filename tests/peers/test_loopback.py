"""Proves the loopback Sigstore with sigstore-python, and the rigs with timestamps from its authority."""

from __future__ import annotations

import base64
import json
import subprocess
import urllib.request
from typing import TYPE_CHECKING

import pytest

from . import crafted, loopback, rigs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .loopback import LoopbackSigstore

PROVENANCE = {
    "buildDefinition": {"buildType": "https://example.com/build/v1", "externalParameters": {}},
    "runDetails": {"builder": {"id": "https://example.com/builder"}},
}
SCHEME = crafted.Scheme(crafted.KeyType.P256, "sha256")


@pytest.fixture(scope="module")
def instance() -> Iterator[LoopbackSigstore]:
    with loopback.loopback_sigstore() as running:
        yield running


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    path = tmp_path / "artifact.bin"
    path.write_bytes(b"the artifact\n" * 100)
    return path


def sigstore(home: Path, *arguments: str) -> rigs.PeerResult:
    """Run sigstore-python; it folds its messages to the width of the screen, so the folds are taken out."""
    finished = subprocess.run(
        [rigs.require("sigstore-python"), *arguments],
        env=rigs.clean_environment(str(home), {"COLUMNS": "1000"}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        text=True,
        timeout=300,
    )
    return rigs.PeerResult(accepted=finished.returncode == 0, output=" ".join(finished.stdout.split()))


def verify(instance: LoopbackSigstore, artifact: Path, bundle: Path, identity: str) -> rigs.PeerResult:
    arguments = ["--cert-identity", identity, "--cert-oidc-issuer", instance.issuer, "--bundle", str(bundle)]
    trust = ["--trust-config", str(instance.trust_config)]
    return sigstore(artifact.parent, *trust, "verify", "identity", "--offline", *arguments, str(artifact))


@pytest.fixture(params=["1", "2"], ids=["rekor-v1", "rekor-v2"])
def bundle(request: pytest.FixtureRequest, instance: LoopbackSigstore, artifact: Path) -> Path:
    path = artifact.parent / "artifact.sigstore.json"
    arguments = ["--rekor-version", request.param, "--identity-token", instance.identity_token, "--bundle", str(path)]
    trust = ["--trust-config", str(instance.trust_config)]
    result = sigstore(artifact.parent, *trust, "sign", *arguments, str(artifact))
    assert result.accepted, result.output
    assert log_version(path) == f"0.0.{request.param}"
    return path


def log_version(bundle: Path) -> str:
    """Return the version of the first log entry: 0.0.1 from Rekor v1, 0.0.2 from Rekor v2."""
    entries = json.loads(bundle.read_text())["verificationMaterial"]["tlogEntries"]
    version: str = entries[0]["kindVersion"]["version"]
    return version


def test_sigstore_python_verifies_what_it_signed(instance: LoopbackSigstore, artifact: Path, bundle: Path) -> None:
    result = verify(instance, artifact, bundle, instance.identity)
    assert result.accepted, result.output
    assert f"OK: {artifact}" in result.output


def test_sigstore_python_refuses_another_artifact(instance: LoopbackSigstore, artifact: Path, bundle: Path) -> None:
    artifact.write_bytes(artifact.read_bytes() + b"!")
    result = verify(instance, artifact, bundle, instance.identity)
    assert not result.accepted
    assert "Bundle message digest mismatch" in result.output


def test_sigstore_python_refuses_another_identity(instance: LoopbackSigstore, artifact: Path, bundle: Path) -> None:
    result = verify(instance, artifact, bundle, "https://github.com/example/other")
    assert not result.accepted
    assert "SANs do not match" in result.output


def test_sigstore_python_refuses_what_another_instance_signed(artifact: Path, bundle: Path) -> None:
    with loopback.loopback_sigstore() as other:
        result = verify(other, artifact, bundle, other.identity)
    assert not result.accepted
    reasons = {"0.0.1": "failed to build timestamp certificate chain", "0.0.2": "not enough sources of verified time"}
    assert reasons[log_version(bundle)] in result.output


def test_sigstore_python_finds_the_instance_by_tuf(instance: LoopbackSigstore, artifact: Path, bundle: Path) -> None:
    remote = ["--instance", instance.url]
    trusted = sigstore(artifact.parent, *remote, "trust-instance", str(instance.tuf_root))
    assert trusted.accepted, trusted.output
    arguments = ["--cert-identity", instance.identity, "--cert-oidc-issuer", instance.issuer, "--bundle", str(bundle)]
    result = sigstore(artifact.parent, *remote, "verify", "identity", *arguments, str(artifact))
    assert result.accepted, result.output


@pytest.mark.parametrize("rekor_version", ["1", "2"])
def test_sigstore_python_signs_a_statement(instance: LoopbackSigstore, artifact: Path, rekor_version: str) -> None:
    predicate, path = artifact.parent / "predicate.json", artifact.parent / "attestation.json"
    predicate.write_text(json.dumps(PROVENANCE))
    trust = ["--trust-config", str(instance.trust_config)]
    options = ["--predicate", str(predicate), "--predicate-type", "https://slsa.dev/provenance/v1"]
    options += ["--rekor-version", rekor_version, "--identity-token", instance.identity_token, "--bundle", str(path)]
    signed = sigstore(artifact.parent, *trust, "attest", *options, str(artifact))
    assert signed.accepted, signed.output
    result = verify(instance, artifact, path, instance.identity)
    assert result.accepted, result.output


def timestamp(instance: LoopbackSigstore, folder: Path, content: bytes) -> bytes:
    """Return a TimeStampResp over the content, asked for with openssl."""
    (folder / "content").write_bytes(content)
    query = [str(rigs.require("openssl")), "ts", "-query", "-data", "content", "-sha256", "-cert", "-out", "query.tsq"]
    subprocess.run(query, cwd=folder, check=True, capture_output=True)
    body, headers = (folder / "query.tsq").read_bytes(), {"Content-Type": "application/timestamp-query"}
    request = urllib.request.Request(instance.timestamp_url, body, headers)  # noqa: S310 - always http
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=60) as response:
        reply: bytes = response.read()
    return reply


def stamped_bundle(instance: LoopbackSigstore, artifact: Path, *, over: bytes | None = None) -> tuple[Path, Path]:
    """Write a key-signed bundle with a timestamp over its signature, or over something else, and the public key."""
    content = json.loads(crafted.message_bundle(SCHEME, artifact.read_bytes()))
    signature = base64.b64decode(content["messageSignature"]["signature"])
    reply = timestamp(instance, artifact.parent, signature if over is None else over)
    stamps = [{"signedTimestamp": base64.b64encode(reply).decode()}]
    content["verificationMaterial"]["timestampVerificationData"] = {"rfc3161Timestamps": stamps}
    paths = artifact.parent / "bundle.json", artifact.parent / "public.pem"
    paths[0].write_text(json.dumps(content))
    paths[1].write_bytes(crafted.public_pem(SCHEME.key_type))
    return paths


def test_peers_accept_a_timestamped_bundle(instance: LoopbackSigstore, artifact: Path) -> None:
    files = stamped_bundle(instance, artifact)
    cosign = rigs.cosign_verify_blob(artifact, *files, trusted_root=instance.trusted_root)
    assert cosign.accepted, cosign.output
    script = rigs.sigstore_js_verify(artifact, *files, trusted_root=instance.trusted_root, timestamps=1)
    assert script.accepted, script.output


def test_peers_refuse_a_timestamp_of_something_else(instance: LoopbackSigstore, artifact: Path) -> None:
    files = stamped_bundle(instance, artifact, over=b"something else")
    cosign = rigs.cosign_verify_blob(artifact, *files, trusted_root=instance.trusted_root)
    assert not cosign.accepted
    assert "threshold not met for verified signed timestamps" in cosign.output
    script = rigs.sigstore_js_verify(artifact, *files, trusted_root=instance.trusted_root, timestamps=1)
    assert not script.accepted
    assert "TIMESTAMP_ERROR" in script.output


def test_peers_refuse_a_missing_timestamp(instance: LoopbackSigstore, artifact: Path) -> None:
    files = stamped_bundle(instance, artifact)
    content = json.loads(files[0].read_text())
    del content["verificationMaterial"]["timestampVerificationData"]
    files[0].write_text(json.dumps(content))
    cosign = rigs.cosign_verify_blob(artifact, *files, trusted_root=instance.trusted_root)
    assert not cosign.accepted
    assert "threshold not met for verified signed timestamps: 0 < 1" in cosign.output


def test_server_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "loopback-sigstore"
    (folder / "node_modules").mkdir(parents=True)
    (folder / "pins").write_text("none\n")
    monkeypatch.setenv("HATCH_SIGN_PEERS", str(tmp_path))
    with pytest.raises(rigs.RigError, match="Cannot find module"), loopback.loopback_sigstore():
        pass
