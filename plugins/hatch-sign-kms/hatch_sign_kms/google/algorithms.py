"""The algorithms of key versions, and what signs by each; a version has exactly one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST_MESSAGE = 64 * 1024
"""Bytes of data that the service takes in one call."""

_RAW = "RSA_SIGN_RAW_PKCS1_"
_RSA_PREFIXES = {"RSA_SIGN_PKCS1_": "rsa-pkcs1", "RSA_SIGN_PSS_": "rsa-pss"}
_OTHERS: Mapping[str, Scheme] = {
    "EC_SIGN_P256_SHA256": Scheme.ECDSA_SHA256,
    "EC_SIGN_P384_SHA384": Scheme.ECDSA_SHA384,
    "EC_SIGN_ED25519": Scheme.ED25519,
}
_GENERATED: Mapping[KeyAlgorithm, str] = {
    KeyAlgorithm.ECDSA_P256: "EC_SIGN_P256_SHA256",
    KeyAlgorithm.ECDSA_P384: "EC_SIGN_P384_SHA384",
    KeyAlgorithm.RSA_3072: "RSA_SIGN_PKCS1_3072_SHA256",
    KeyAlgorithm.RSA_4096: "RSA_SIGN_PKCS1_4096_SHA256",
    KeyAlgorithm.ED25519: "EC_SIGN_ED25519",
}

_DIGEST_INFO: Mapping[str, bytes] = {
    "sha256": bytes.fromhex("3031300d060960864801650304020105000420"),
    "sha384": bytes.fromhex("3041300d060960864801650304020205000430"),
    "sha512": bytes.fromhex("3051300d060960864801650304020305000440"),
}
"""What stands before the digest in a PKCS#1 v1.5 signature (RFC 8017 §9.2, note 1)."""


def schemes_of(algorithm: str) -> tuple[Scheme, ...]:
    """Return what a version of `algorithm`, as the service names it, signs by; empty for one of another purpose."""
    if algorithm in _OTHERS:
        return (_OTHERS[algorithm],)
    if algorithm.startswith(_RAW):
        return (Scheme.RSA_PKCS1_SHA256, Scheme.RSA_PKCS1_SHA384, Scheme.RSA_PKCS1_SHA512)
    for prefix, family in _RSA_PREFIXES.items():
        if algorithm.startswith(prefix):
            hash_ = algorithm.rpartition("_")[2].lower()
            return tuple(scheme for scheme in Scheme if scheme.value == (family, hash_))
    return ()


def signs_raw(algorithm: str) -> bool:
    """Return whether versions of `algorithm` pad what they are given, and leave the DigestInfo to the caller."""
    return algorithm.startswith(_RAW)


def digest_info(digest: bytes, scheme: Scheme) -> bytes:
    """Return the DER DigestInfo of `digest` (RFC 8017 §9.2)."""
    return _DIGEST_INFO[scheme.hash or ""] + digest


def algorithm_to_generate(algorithm: KeyAlgorithm, *, subject: str) -> str:
    """Return the service's name for a kind of key. Raises UnsupportedError for one that it does not make."""
    if algorithm in _GENERATED:
        return _GENERATED[algorithm]
    message = f"{subject}: Google Cloud KMS makes no {algorithm.value} keys"
    raise UnsupportedError(message, remedy=f"choose among {', '.join(each.value for each in _GENERATED)}")
