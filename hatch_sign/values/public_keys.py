"""Public keys of the closed table: reading them, naming them, checking signatures under them."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

from hatch_sign.values.algorithms import DIGEST_SIZES, Scheme, schemes_of_family
from hatch_sign.values.errors import MalformedError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey
"""A public key of the closed table."""

_CURVES = {"secp256r1": "ecdsa-p256", "secp384r1": "ecdsa-p384", "secp521r1": "ecdsa-p521"}
_HASHES: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}


def hash_algorithm(name: str) -> hashes.HashAlgorithm:
    """Return cryptography's object for a hash of the closed table."""
    return _HASHES[name]()


def as_public_key(key: object, *, subject: str) -> PublicKey:
    """Return `key` if it is of the closed table.

    Raises UnsupportedError, naming `subject`, for another type or curve.
    """
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
        return key
    if isinstance(key, rsa.RSAPublicKey | ed25519.Ed25519PublicKey):
        return key
    found = f"a key on curve {key.curve.name}" if isinstance(key, ec.EllipticCurvePublicKey) else type(key).__name__
    message = f"{subject}: {found} is not supported"
    raise UnsupportedError(message, remedy="use ECDSA P-256, P-384 or P-521, RSA, or Ed25519")


def parse_public_key(pem: bytes, *, subject: str) -> PublicKey:
    """Return the public key in a PEM ``PUBLIC KEY`` block (RFC 7468 §13).

    Raises MalformedError if it is none, UnsupportedError for a kind outside the table; both name `subject`.
    """
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # 20 ms, and few runs need it  # noqa: PLC0415

    try:
        key = load_pem_public_key(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        message = f"{subject}: not a PEM public key"
        remedy = "give the file that `hatch-sign key export-public` or `openssl pkey -pubout` writes"
        raise MalformedError(message, remedy=remedy) from None
    return as_public_key(key, subject=subject)


def encode_public_key(key: PublicKey) -> bytes:
    """Return the DER SubjectPublicKeyInfo of `key` (RFC 5280 §4.1.2.7)."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415 (as above)

    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def encode_public_key_pem(key: PublicKey) -> bytes:
    """Return `key` as a PEM ``PUBLIC KEY`` block, ending in a newline."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415 (as above)

    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def key_hint(key: PublicKey) -> str:
    """Return base64(SHA-256(SubjectPublicKeyInfo)), by which cosign and hatch-sign name a key in a bundle."""
    return base64.b64encode(hashlib.sha256(encode_public_key(key)).digest()).decode("ascii")


def describe_key(key: PublicKey) -> str:
    """Return the kind of key as people read it: ``ecdsa-p256``, ``rsa-3072``, ``ed25519``."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _CURVES[key.curve.name]
    if isinstance(key, rsa.RSAPublicKey):
        return f"rsa-{key.key_size}"
    return "ed25519"


def schemes_of_key(key: PublicKey) -> tuple[Scheme, ...]:
    """Return every scheme that fits `key`, the one that most verifiers accept first."""
    return schemes_of_family("rsa" if isinstance(key, rsa.RSAPublicKey) else describe_key(key))


def verify_digest(key: PublicKey, signature: bytes, digest: bytes, scheme: Scheme) -> bool:
    """Return whether `signature` is one by `key` over `digest` under `scheme`; False where they do not fit together."""
    if scheme.hash is None or scheme not in schemes_of_key(key) or len(digest) != DIGEST_SIZES[scheme.hash]:
        return False
    algorithm = utils.Prehashed(hash_algorithm(scheme.hash))
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, digest, ec.ECDSA(algorithm))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, digest, rsa_padding(scheme), algorithm)
    except InvalidSignature:
        return False
    return True


def verify_message(key: PublicKey, signature: bytes, message: bytes, scheme: Scheme) -> bool:
    """Return whether `signature` is one by `key` over `message` under `scheme`; False where they do not fit together."""
    if scheme.hash is not None:
        return verify_digest(key, signature, hashlib.new(scheme.hash, message).digest(), scheme)
    if not isinstance(key, ed25519.Ed25519PublicKey):
        return False
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def mark_signature(signature: bytes, scheme: Scheme) -> bytes:
    """Return what only copies of one signature share: all of it, but of one by ECDSA the first number.

    Of a signature (r, s) by ECDSA, everybody can make a second that is as good, (r, n - s). Two that the key made never
    share r, else it could be computed from them.
    """
    if scheme.family != "ecdsa":
        return signature
    try:
        number, _ = utils.decode_dss_signature(signature)
    except ValueError:  # no verifier of ours takes it; what a plugin's takes is not for this to say
        return signature
    return b"r%x" % number


def rsa_padding(scheme: Scheme) -> padding.AsymmetricPadding:
    """Return cryptography's padding for an RSA scheme; PSS salts are as long as the digest."""
    if scheme.family == "rsa-pkcs1" or scheme.hash is None:
        return padding.PKCS1v15()
    return padding.PSS(mgf=padding.MGF1(hash_algorithm(scheme.hash)), salt_length=DIGEST_SIZES[scheme.hash])
