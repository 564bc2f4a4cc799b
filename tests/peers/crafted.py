"""Sigstore bundles written by hand with pyca/cryptography, for asking peers what they accept.

Nothing here comes from hatch-sign: a mistake in its formats must not be able to hide in its test material.
"""

from __future__ import annotations

import base64
import enum
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

PREDICATE_TYPE = "https://example.com/predicate/v1"

_MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
_PAYLOAD_TYPE = b"application/vnd.in-toto+json"
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}

PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


class KeyType(enum.Enum):
    """A kind of private key that can be made here."""

    P256 = "P-256"
    P384 = "P-384"
    P521 = "P-521"
    ED25519 = "Ed25519"
    RSA3072 = "RSA-3072"


@dataclass(frozen=True)
class Scheme:
    """How to sign: a key, a hash (for Ed25519 only the bundle's message digest), and RSA-PSS or not."""

    key_type: KeyType
    hash_name: str
    pss: bool = False

    def __str__(self) -> str:
        """Return a test id such as ``RSA-3072-PSS-sha256``."""
        return f"{self.key_type.value}{'-PSS' if self.pss else ''}-{self.hash_name}"


@cache
def private_key(key_type: KeyType) -> PrivateKey:
    """Return the one key of this type that this process uses."""
    match key_type:
        case KeyType.P256:
            return ec.generate_private_key(ec.SECP256R1())
        case KeyType.P384:
            return ec.generate_private_key(ec.SECP384R1())
        case KeyType.P521:
            return ec.generate_private_key(ec.SECP521R1())
        case KeyType.ED25519:
            return ed25519.Ed25519PrivateKey.generate()
        case KeyType.RSA3072:
            return rsa.generate_private_key(65537, 3072)


def public_pem(key_type: KeyType) -> bytes:
    """Return the public half of that key as PEM SubjectPublicKeyInfo."""
    public = private_key(key_type).public_key()
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def hint(key_type: KeyType) -> str:
    """Return base64 of the SHA-256 of the DER SubjectPublicKeyInfo."""
    public = private_key(key_type).public_key()
    spki = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return _base64(hashlib.sha256(spki).digest())


def ssh_fingerprint(key_type: KeyType) -> str:
    """Return the fingerprint as ``ssh-keygen -l`` prints it: ``SHA256:`` and unpadded base64."""
    public = private_key(key_type).public_key()
    line = public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    blob = base64.b64decode(line.split()[1])
    return "SHA256:" + _base64(hashlib.sha256(blob).digest()).rstrip("=")


def sign(scheme: Scheme, message: bytes) -> bytes:
    """Return a signature over the message: DER for ECDSA, the plain octets otherwise."""
    key, algorithm = private_key(scheme.key_type), _HASHES[scheme.hash_name]
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(message, ec.ECDSA(algorithm))
    if scheme.pss:
        return key.sign(message, padding.PSS(padding.MGF1(algorithm), padding.PSS.DIGEST_LENGTH), algorithm)
    return key.sign(message, padding.PKCS1v15(), algorithm)


def message_bundle(scheme: Scheme, content: bytes) -> str:
    """Return a bundle with a signature over the content itself."""
    digest = hashlib.new(scheme.hash_name, content).digest()
    name = scheme.hash_name.replace("sha", "SHA2_")
    signature = {
        "messageDigest": {"algorithm": name, "digest": _base64(digest)},
        "signature": _base64(sign(scheme, content)),
    }
    return _bundle(scheme, messageSignature=signature)


def dsse_bundle(scheme: Scheme, content: bytes, keyid: str | None = None) -> str:
    """Return a bundle with a signed in-toto statement that names the content; None leaves the keyid field out."""
    subject = {"name": "artifact.bin", "digest": {"sha256": hashlib.sha256(content).hexdigest()}}
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [subject],
        "predicateType": PREDICATE_TYPE,
        "predicate": {},
    }
    payload = json.dumps(statement).encode()
    encoded = b"DSSEv1 %d %s %d %s" % (len(_PAYLOAD_TYPE), _PAYLOAD_TYPE, len(payload), payload)
    signature = {"sig": _base64(sign(scheme, encoded))} | ({} if keyid is None else {"keyid": keyid})
    envelope = {"payload": _base64(payload), "payloadType": _PAYLOAD_TYPE.decode(), "signatures": [signature]}
    return _bundle(scheme, dsseEnvelope=envelope)


def _bundle(scheme: Scheme, **content: Any) -> str:  # noqa: ANN401 - JSON
    material = {"publicKey": {"hint": hint(scheme.key_type)}}
    return json.dumps({"mediaType": _MEDIA_TYPE, "verificationMaterial": material, **content})


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
