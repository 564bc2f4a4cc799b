"""Proves the rigs on bundles that cosign itself signed, with keys that openssl made."""

from __future__ import annotations

import base64
import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from . import rigs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PREDICATE_TYPE = "https://example.com/predicate/v1"

# How each peer words a refusal.
COSIGN_BAD_ECDSA = "could not verify message: invalid signature when validating ASN.1 encoded signature"
COSIGN_BAD_RSA = "could not verify message: crypto/rsa: verification error"
COSIGN_BAD_ENVELOPE = "could not verify envelope: accepted signatures do not match threshold, Found: 0, Expected 1"
COSIGN_BAD_SUBJECT = "provided artifact digests do not match digests in statement"
JS_BAD_SIGNATURE = "SIGNATURE_ERROR: signature verification failed"


@dataclass(frozen=True)
class Signed:
    """What cosign wrote for one artifact with one key that openssl made."""

    artifact: Path
    public_key: Path
    blob: Path
    attestation: Path
    refusal: str


def openssl(*arguments: str) -> None:
    subprocess.run([rigs.require("openssl"), *arguments], check=True, capture_output=True)


@pytest.fixture(scope="module", params=["p256", "rsa3072"])
def signed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Signed:
    folder: Path = tmp_path_factory.mktemp(request.param)
    parameters = {
        "p256": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
        "rsa3072": ["RSA", "-pkeyopt", "rsa_keygen_bits:3072"],
    }[request.param]
    private, public = folder / "private.pem", folder / "public.pem"
    openssl("genpkey", "-algorithm", *parameters, "-out", str(private))
    openssl("pkey", "-in", str(private), "-pubout", "-out", str(public))
    artifact, predicate = folder / "artifact.bin", folder / "predicate.json"
    artifact.write_bytes(b"the artifact\n" * 100)
    predicate.write_text("{}")

    def cosign(*arguments: str) -> None:
        result = rigs.run_cosign(*arguments, folder=folder)
        assert result.accepted, result.output

    unlogged = ["--key", "imported.key", "--use-signing-config=false", "--tlog-upload=false", "--yes"]
    cosign("import-key-pair", "--key", str(private), "--output-key-prefix", "imported")
    cosign("sign-blob", *unlogged, "--bundle", "blob.json", str(artifact))
    statement = ["--predicate", str(predicate), "--type", PREDICATE_TYPE]
    cosign("attest-blob", *unlogged, *statement, "--bundle", "attestation.json", str(artifact))
    refusal = COSIGN_BAD_ECDSA if request.param == "p256" else COSIGN_BAD_RSA
    return Signed(artifact, public, folder / "blob.json", folder / "attestation.json", refusal)


def other_artifact(signed: Signed, folder: Path) -> Path:
    """Return a copy of the artifact with one bit of one byte changed."""
    content = bytearray(signed.artifact.read_bytes())
    content[len(content) // 2] ^= 1
    changed = folder / "artifact.bin"
    changed.write_bytes(content)
    return changed


def edited(bundle: Path, folder: Path, edit: Callable[[dict[str, Any]], object]) -> Path:
    """Return a copy of the bundle after the edit."""
    content = json.loads(bundle.read_text())
    edit(content)
    copy = folder / "edited.json"
    copy.write_text(json.dumps(content))
    return copy


def spoil(holder: dict[str, Any], field: str) -> None:
    """Change the last byte of a base64 field: of the signature's value, so that its encoding stays sound."""
    content = bytearray(base64.b64decode(holder[field]))
    content[-1] ^= 1
    holder[field] = base64.b64encode(content).decode()


def assert_refused(result: rigs.PeerResult, reason: str) -> None:
    assert reason in result.refusal


def test_cosign_blob_is_accepted(signed: Signed) -> None:
    cosign = rigs.cosign_verify_blob(signed.artifact, signed.blob, signed.public_key)
    assert cosign.accepted, cosign.output
    assert "Verified OK" in cosign.output
    script = rigs.sigstore_js_verify(signed.artifact, signed.blob, signed.public_key)
    assert script == rigs.PeerResult(accepted=True, output="")


def test_cosign_blob_is_refused_for_another_artifact(signed: Signed, tmp_path: Path) -> None:
    artifact = other_artifact(signed, tmp_path)
    assert_refused(rigs.cosign_verify_blob(artifact, signed.blob, signed.public_key), signed.refusal)
    assert_refused(rigs.sigstore_js_verify(artifact, signed.blob, signed.public_key), JS_BAD_SIGNATURE)


def test_cosign_blob_is_refused_with_another_signature(signed: Signed, tmp_path: Path) -> None:
    bundle = edited(signed.blob, tmp_path, lambda content: spoil(content["messageSignature"], "signature"))
    assert_refused(rigs.cosign_verify_blob(signed.artifact, bundle, signed.public_key), signed.refusal)
    assert_refused(rigs.sigstore_js_verify(signed.artifact, bundle, signed.public_key), JS_BAD_SIGNATURE)


def test_cosign_attestation_is_accepted(signed: Signed) -> None:
    arguments = signed.artifact, signed.attestation, signed.public_key
    cosign = rigs.cosign_verify_attestation(*arguments, PREDICATE_TYPE)
    assert cosign.accepted, cosign.output
    assert "Verified OK" in cosign.output
    assert rigs.sigstore_js_verify(*arguments) == rigs.PeerResult(accepted=True, output="")


def test_cosign_attestation_is_refused_for_another_artifact(signed: Signed, tmp_path: Path) -> None:
    arguments = other_artifact(signed, tmp_path), signed.attestation, signed.public_key
    assert_refused(rigs.cosign_verify_attestation(*arguments, PREDICATE_TYPE), COSIGN_BAD_SUBJECT)
    assert_refused(rigs.sigstore_js_verify(*arguments), "SUBJECT_ERROR: no subject has sha256")
    assert rigs.sigstore_js_verify(*arguments, envelope_only=True).accepted


def test_cosign_attestation_is_refused_with_another_signature(signed: Signed, tmp_path: Path) -> None:
    bundle = edited(signed.attestation, tmp_path, lambda content: spoil(content["dsseEnvelope"]["signatures"][0], "sig"))
    arguments = signed.artifact, bundle, signed.public_key
    assert_refused(rigs.cosign_verify_attestation(*arguments, PREDICATE_TYPE), COSIGN_BAD_ENVELOPE)
    assert_refused(rigs.sigstore_js_verify(*arguments), JS_BAD_SIGNATURE)
    assert_refused(rigs.sigstore_js_verify(*arguments, envelope_only=True), JS_BAD_SIGNATURE)


def test_cosign_attestation_is_refused_for_another_predicate_type(signed: Signed) -> None:
    arguments = signed.artifact, signed.attestation, signed.public_key
    result = rigs.cosign_verify_attestation(*arguments, "https://example.com/other")
    assert_refused(result, "invalid predicate type, expected https://example.com/other")


def test_bundle_with_another_hint_is_refused_by_sigstore_js_only(signed: Signed, tmp_path: Path) -> None:
    bundle = edited(signed.blob, tmp_path, lambda content: spoil(content["verificationMaterial"]["publicKey"], "hint"))
    arguments = signed.artifact, bundle, signed.public_key
    assert_refused(rigs.sigstore_js_verify(*arguments), "PUBLIC_KEY_ERROR: key not found")
    assert rigs.cosign_verify_blob(*arguments).accepted


def test_bundle_without_a_demanded_timestamp_is_refused(signed: Signed) -> None:
    result = rigs.sigstore_js_verify(signed.artifact, signed.blob, signed.public_key, timestamps=1)
    assert_refused(result, "TIMESTAMP_ERROR: expected 1 timestamps, got 0")


def test_openssl_checks_the_bare_signature(signed: Signed, tmp_path: Path) -> None:
    signature = base64.b64decode(json.loads(signed.blob.read_text())["messageSignature"]["signature"])
    result = rigs.openssl_verify(signed.artifact, signature, signed.public_key, "sha256")
    assert result.accepted, result.output
    artifact = other_artifact(signed, tmp_path)
    assert_refused(rigs.openssl_verify(artifact, signature, signed.public_key, "sha256"), "Verification failure")
    spoilt = signature[:-1] + bytes([signature[-1] ^ 1])
    refused = rigs.openssl_verify(signed.artifact, spoilt, signed.public_key, "sha256")
    assert_refused(refused, "Verification failure")


def test_missing_file_is_not_a_refusal(signed: Signed, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        rigs.cosign_verify_blob(tmp_path / "absent", signed.blob, signed.public_key)
    with pytest.raises(FileNotFoundError):
        rigs.sigstore_js_verify(signed.artifact, tmp_path / "absent", signed.public_key)


def test_misused_script_is_not_a_refusal(signed: Signed) -> None:
    with pytest.raises(rigs.RigError, match=r"exit status 2\): .*DECODER"):
        rigs.sigstore_js_verify(signed.artifact, signed.blob, signed.artifact)


@pytest.mark.parametrize("peer", rigs.Peer)
def test_missing_peer_skips_or_under_ci_fails(peer: rigs.Peer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HATCH_SIGN_PEERS", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=peer.remedy):
        rigs.require(peer)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=peer.remedy):
        rigs.require(peer)


def test_a_missing_module_skips_or_under_ci_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"absent\.part is not installed: run 'pip install --group peers'"):
        rigs.require_module("absent.part")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=r"absent\.part is not installed: run 'pip install --group peers'"):
        rigs.require_module("absent.part")
