"""The closed table of what hatch-sign signs and verifies with. Nothing outside it is ever tried."""

from __future__ import annotations

from enum import Enum

DIGEST_SIZES = {"sha256": 32, "sha384": 48, "sha512": 64}
"""Bytes in a digest of each hash that may be signed."""

SMALLEST_RSA_BITS = 3072
"""RSA keys of artifact signers below this size are refused, unless a trust rule says otherwise (CSBR 6.1.5.2)."""


class Scheme(Enum):
    """A way to sign: (family, hash).

    PSS is MGF1 with the same hash and a salt as long as the digest, nothing else (RFC 8017 §9.1). Ed25519 is pure
    (RFC 8032 §5.1): it signs messages, never digests. ECDSA signatures are DER (RFC 3279 §2.2.3).
    """

    ECDSA_SHA256 = ("ecdsa", "sha256")
    ECDSA_SHA384 = ("ecdsa", "sha384")
    ECDSA_SHA512 = ("ecdsa", "sha512")
    RSA_PKCS1_SHA256 = ("rsa-pkcs1", "sha256")
    RSA_PKCS1_SHA384 = ("rsa-pkcs1", "sha384")
    RSA_PKCS1_SHA512 = ("rsa-pkcs1", "sha512")
    RSA_PSS_SHA256 = ("rsa-pss", "sha256")
    RSA_PSS_SHA384 = ("rsa-pss", "sha384")
    RSA_PSS_SHA512 = ("rsa-pss", "sha512")
    ED25519 = ("ed25519", None)

    @property
    def family(self) -> str:
        """The kind of signature: ``ecdsa``, ``rsa-pkcs1``, ``rsa-pss`` or ``ed25519``."""
        family: str = self.value[0]
        return family

    @property
    def hash(self) -> str | None:
        """The name of the hash as :mod:`hashlib` spells it; None for Ed25519, which signs the message itself."""
        hash_: str | None = self.value[1]
        return hash_

    @property
    def label(self) -> str:
        """The scheme as people read it and configuration spells it, such as ``ecdsa-sha256``."""
        return self.family if self.hash is None else f"{self.family}-{self.hash}"


class KeyAlgorithm(Enum):
    """A kind of key that hatch-sign makes, with the schemes it signs by, the one that most verifiers accept first."""

    ECDSA_P256 = "ecdsa-p256"
    ECDSA_P384 = "ecdsa-p384"
    ECDSA_P521 = "ecdsa-p521"
    RSA_3072 = "rsa-3072"
    RSA_4096 = "rsa-4096"
    ED25519 = "ed25519"

    @property
    def schemes(self) -> tuple[Scheme, ...]:
        """Every scheme that a key of this kind can sign by, best first."""
        return _SCHEMES[self.value.partition("-")[0] if self.value.startswith("rsa") else self.value]


_SCHEMES = {
    "ecdsa-p256": (Scheme.ECDSA_SHA256,),
    "ecdsa-p384": (Scheme.ECDSA_SHA384, Scheme.ECDSA_SHA256),
    "ecdsa-p521": (Scheme.ECDSA_SHA512, Scheme.ECDSA_SHA384, Scheme.ECDSA_SHA256),
    "rsa": (
        Scheme.RSA_PKCS1_SHA256,
        Scheme.RSA_PKCS1_SHA384,
        Scheme.RSA_PKCS1_SHA512,
        Scheme.RSA_PSS_SHA256,
        Scheme.RSA_PSS_SHA384,
        Scheme.RSA_PSS_SHA512,
    ),
    "ed25519": (Scheme.ED25519,),
}


def schemes_of_family(name: str) -> tuple[Scheme, ...]:
    """Return the schemes of a key kind: a value of :class:`KeyAlgorithm`, or ``rsa`` for RSA of any size.

    Raises KeyError for a kind that is not in the table.
    """
    return _SCHEMES[name]
