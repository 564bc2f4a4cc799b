"""Records which key ids and algorithms each peer accepts today, over bundles written by hand.

The tables are observations, not wishes. When a newer peer is pinned and a row fails, that peer has changed its
mind: correct the row, and whatever in hatch-sign relies on it.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

from . import crafted, rigs
from .crafted import KeyType, Scheme

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ARTIFACT = b"the artifact\n" * 100
P256 = Scheme(KeyType.P256, "sha256")

# None stands for "accepted", text for the reason of a refusal.
ACCEPTED = None
BAD_ECDSA = "could not verify message: invalid signature when validating ASN.1 encoded signature"
BAD_RSA = "could not verify message: crypto/rsa: verification error"
BAD_ENVELOPE = "could not verify envelope: accepted signatures do not match threshold, Found: 0, Expected 1"
BAD_IN_JS = "SIGNATURE_ERROR: signature verification failed"


class Row(NamedTuple):
    """One scheme, and the answer of each peer to a message signature and to an envelope."""

    scheme: Scheme
    cosign_message: str | None
    cosign_envelope: str | None
    js_message: str | None
    js_envelope: str | None


# cosign hashes with SHA-256 whatever the key and the bundle say. @sigstore/verify takes the hash of a message
# signature from the bundle, but always verifies envelopes with SHA-256. Neither knows RSA-PSS from a plain PEM key.
ALGORITHMS = [
    Row(P256, ACCEPTED, ACCEPTED, ACCEPTED, ACCEPTED),
    Row(Scheme(KeyType.P384, "sha384"), BAD_ECDSA, BAD_ENVELOPE, ACCEPTED, BAD_IN_JS),
    Row(Scheme(KeyType.P384, "sha256"), ACCEPTED, ACCEPTED, ACCEPTED, ACCEPTED),
    Row(Scheme(KeyType.P521, "sha512"), BAD_ECDSA, BAD_ENVELOPE, ACCEPTED, BAD_IN_JS),
    Row(Scheme(KeyType.P521, "sha256"), ACCEPTED, ACCEPTED, ACCEPTED, ACCEPTED),
    Row(Scheme(KeyType.ED25519, "sha256"), ACCEPTED, ACCEPTED, BAD_IN_JS, ACCEPTED),
    Row(Scheme(KeyType.ED25519, "sha512"), ACCEPTED, ACCEPTED, BAD_IN_JS, ACCEPTED),
    Row(Scheme(KeyType.RSA3072, "sha256"), ACCEPTED, ACCEPTED, ACCEPTED, ACCEPTED),
    Row(Scheme(KeyType.RSA3072, "sha512"), BAD_RSA, BAD_ENVELOPE, ACCEPTED, BAD_IN_JS),
    Row(Scheme(KeyType.RSA3072, "sha256", pss=True), BAD_RSA, BAD_ENVELOPE, BAD_IN_JS, BAD_IN_JS),
]

# cosign skips a signature whose keyid is neither empty nor the SSH fingerprint of the key it was given: not even
# the hint of the same key passes. @sigstore/verify does not look at it.
KEY_IDS = [
    pytest.param(lambda _: None, ACCEPTED, id="absent"),
    pytest.param(lambda _: "", ACCEPTED, id="empty"),
    pytest.param(crafted.hint, BAD_ENVELOPE, id="hint"),
    pytest.param(crafted.ssh_fingerprint, ACCEPTED, id="ssh-fingerprint"),
    pytest.param(lambda _: "arbitrary text", BAD_ENVELOPE, id="arbitrary"),
]


# What cosign says to the blobs and attestations that it signed itself with these types of key.
NO_DIGEST = "message is missing artifact digest"
OWN_SIGNATURES = [
    pytest.param(["EC", "-pkeyopt", "ec_paramgen_curve:P-256"], ACCEPTED, ACCEPTED, id="P-256"),
    pytest.param(["EC", "-pkeyopt", "ec_paramgen_curve:P-384"], BAD_ECDSA, BAD_ENVELOPE, id="P-384"),
    pytest.param(["EC", "-pkeyopt", "ec_paramgen_curve:P-521"], BAD_ECDSA, BAD_ENVELOPE, id="P-521"),
    pytest.param(["ED25519"], NO_DIGEST, BAD_ENVELOPE, id="Ed25519"),
    pytest.param(["RSA", "-pkeyopt", "rsa_keygen_bits:3072"], ACCEPTED, ACCEPTED, id="RSA-3072"),
]


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    path = tmp_path / "artifact.bin"
    path.write_bytes(ARTIFACT)
    return path


def write(folder: Path, bundle: str, key_type: KeyType) -> tuple[Path, Path]:
    """Write the bundle and the public key, and return their paths."""
    paths = folder / "bundle.json", folder / "public.pem"
    paths[0].write_text(bundle)
    paths[1].write_bytes(crafted.public_pem(key_type))
    return paths


def assert_answer(result: rigs.PeerResult, expected: str | None) -> None:
    """Check the verdict, and the reason if it is a refusal."""
    assert result.accepted == (expected is ACCEPTED), result.output
    assert expected is ACCEPTED or expected in result.output


@pytest.mark.parametrize(("scheme", "expected"), [(row.scheme, row.cosign_message) for row in ALGORITHMS], ids=str)
def test_cosign_on_a_message_signature(artifact: Path, scheme: Scheme, expected: str | None) -> None:
    files = write(artifact.parent, crafted.message_bundle(scheme, ARTIFACT), scheme.key_type)
    assert_answer(rigs.cosign_verify_blob(artifact, *files), expected)


@pytest.mark.parametrize(("scheme", "expected"), [(row.scheme, row.cosign_envelope) for row in ALGORITHMS], ids=str)
def test_cosign_on_an_envelope(artifact: Path, scheme: Scheme, expected: str | None) -> None:
    files = write(artifact.parent, crafted.dsse_bundle(scheme, ARTIFACT), scheme.key_type)
    assert_answer(rigs.cosign_verify_attestation(artifact, *files, crafted.PREDICATE_TYPE), expected)


@pytest.mark.parametrize(("scheme", "expected"), [(row.scheme, row.js_message) for row in ALGORITHMS], ids=str)
def test_sigstore_js_on_a_message_signature(artifact: Path, scheme: Scheme, expected: str | None) -> None:
    files = write(artifact.parent, crafted.message_bundle(scheme, ARTIFACT), scheme.key_type)
    assert_answer(rigs.sigstore_js_verify(artifact, *files), expected)


@pytest.mark.parametrize(("scheme", "expected"), [(row.scheme, row.js_envelope) for row in ALGORITHMS], ids=str)
def test_sigstore_js_on_an_envelope(artifact: Path, scheme: Scheme, expected: str | None) -> None:
    files = write(artifact.parent, crafted.dsse_bundle(scheme, ARTIFACT), scheme.key_type)
    assert_answer(rigs.sigstore_js_verify(artifact, *files), expected)


@pytest.mark.parametrize(("make_keyid", "expected"), KEY_IDS)
def test_keyid_of_an_envelope(artifact: Path, make_keyid: Callable[[KeyType], str | None], expected: str | None) -> None:
    keyid = make_keyid(P256.key_type)
    files = write(artifact.parent, crafted.dsse_bundle(P256, ARTIFACT, keyid), P256.key_type)
    assert_answer(rigs.cosign_verify_attestation(artifact, *files, crafted.PREDICATE_TYPE), expected)
    assert_answer(rigs.sigstore_js_verify(artifact, *files), ACCEPTED)


@pytest.mark.parametrize("scheme", [row.scheme for row in ALGORITHMS], ids=str)
def test_openssl_on_the_bare_signature(artifact: Path, scheme: Scheme) -> None:
    """Openssl accepts every scheme, so what the others refuse is their limit and not a bad signature."""
    _, public_key = write(artifact.parent, "", scheme.key_type)
    hash_name = None if scheme.key_type is KeyType.ED25519 else scheme.hash_name
    signature = crafted.sign(scheme, ARTIFACT)
    result = rigs.openssl_verify(artifact, signature, public_key, hash_name, pss=scheme.pss)
    assert_answer(result, ACCEPTED)
    artifact.write_bytes(ARTIFACT + b"!")
    result = rigs.openssl_verify(artifact, signature, public_key, hash_name, pss=scheme.pss)
    assert not result.accepted
    assert "erification failure" in result.output.replace("Verification Failure", "Verification failure")


@pytest.mark.parametrize(("algorithm", "expected_blob", "expected_attestation"), OWN_SIGNATURES)
def test_cosign_on_what_cosign_signed(
    artifact: Path, algorithm: list[str], expected_blob: str | None, expected_attestation: str | None
) -> None:
    folder = artifact.parent
    openssl, public_key = str(rigs.require("openssl")), folder / "imported.pub"
    make_key = [openssl, "genpkey", "-algorithm", *algorithm, "-out", str(folder / "private.pem")]
    subprocess.run(make_key, check=True, capture_output=True)
    (folder / "predicate.json").write_text("{}")
    unlogged = ["--key", "imported.key", "--use-signing-config=false", "--tlog-upload=false", "--yes"]
    statement = ["--predicate", "predicate.json", "--type", crafted.PREDICATE_TYPE]
    for command in (
        ["import-key-pair", "--key", "private.pem", "--output-key-prefix", "imported"],
        ["sign-blob", *unlogged, "--bundle", "blob.json", str(artifact)],
        ["attest-blob", *unlogged, *statement, "--bundle", "attestation.json", str(artifact)],
    ):
        signed = rigs.run_cosign(*command, folder=folder)
        assert signed.accepted, signed.output
    blob = rigs.cosign_verify_blob(artifact, folder / "blob.json", public_key)
    assert_answer(blob, expected_blob)
    attestation = folder / "attestation.json"
    result = rigs.cosign_verify_attestation(artifact, attestation, public_key, crafted.PREDICATE_TYPE)
    assert_answer(result, expected_attestation)
