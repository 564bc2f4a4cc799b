"""Bundles written by hand with cryptography and json alone: nothing here comes from the encoders under test."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.hashes import SHA256

from hatch_sign.values.artifacts import Subject

ARTIFACT = b"sample"
SUBJECT = Subject(
    "example-1.0.tar.gz",
    len(ARTIFACT),
    {name: hashlib.new(name, ARTIFACT).digest() for name in ("sha256", "sha384", "sha512")},
)

# RFC 6979, A.2.5: the private key, and the signature over "sample" with SHA-256.
P256 = ec.derive_private_key(0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721, ec.SECP256R1())
P256_SIGNATURE = utils.encode_dss_signature(
    0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716,
    0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8,
)
# RFC 8032, 7.1, TEST 1: the private key.
ED25519 = ed25519.Ed25519PrivateKey.from_private_bytes(
    bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"),
)

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
OLD_MEDIA_TYPE = "application/vnd.dev.sigstore.bundle+json;version=0.1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
CLAIM = "https://slsa.dev/provenance/v1"


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def message_bundle(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return the bundle over "sample"; `changes` replace its top members."""
    digest = {"algorithm": "SHA2_256", "digest": b64(hashlib.sha256(ARTIFACT).digest())}
    return {
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": {"publicKey": {"hint": "any text"}},
        "messageSignature": {"messageDigest": digest, "signature": b64(P256_SIGNATURE)},
    } | changes


def statement(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return a statement over the artifact."""
    subject = {"name": SUBJECT.name, "digest": {"sha256": hashlib.sha256(ARTIFACT).hexdigest()}}
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [subject],
        "predicateType": CLAIM,
        "predicate": {},
    } | changes


def dsse_bundle(
    claim: dict[str, Any] | bytes | None = None,
    key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey = P256,
    payload_type: str = PAYLOAD_TYPE,
) -> dict[str, Any]:
    """Return a bundle with a signed statement."""
    payload = claim if isinstance(claim, bytes) else json.dumps(claim or statement()).encode()
    kind = payload_type.encode()
    message = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    signature = key.sign(message) if isinstance(key, ed25519.Ed25519PrivateKey) else key.sign(message, ec.ECDSA(SHA256()))
    envelope = {"payload": b64(payload), "payloadType": payload_type, "signatures": [{"sig": b64(signature)}]}
    return {
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": {"publicKey": {"hint": "any text"}},
        "dsseEnvelope": envelope,
    }


def encode(bundle: object) -> bytes:
    return json.dumps(bundle).encode()
