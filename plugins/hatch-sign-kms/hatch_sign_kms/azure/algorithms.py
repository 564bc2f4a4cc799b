"""The service's algorithms (RFC 7518 §3.1) and kinds of keys, and ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Mapping

ALGORITHMS: Mapping[Scheme, str] = {
    Scheme.ECDSA_SHA256: "ES256",
    Scheme.ECDSA_SHA384: "ES384",
    Scheme.ECDSA_SHA512: "ES512",
    Scheme.RSA_PKCS1_SHA256: "RS256",
    Scheme.RSA_PKCS1_SHA384: "RS384",
    Scheme.RSA_PKCS1_SHA512: "RS512",
    Scheme.RSA_PSS_SHA256: "PS256",
    Scheme.RSA_PSS_SHA384: "PS384",
    Scheme.RSA_PSS_SHA512: "PS512",
}

_OF_CURVE: Mapping[str, Scheme] = {
    "P-256": Scheme.ECDSA_SHA256,
    "P-384": Scheme.ECDSA_SHA384,
    "P-521": Scheme.ECDSA_SHA512,
}
"""A curve signs digests of one hash only."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A kind of key that the service is asked to make: its type, and its curve or its size in bits."""

    kty: str
    curve: str | None = None
    size: int | None = None


_GENERATED: Mapping[KeyAlgorithm, Wanted] = {
    KeyAlgorithm.ECDSA_P256: Wanted("EC-HSM", curve="P-256"),
    KeyAlgorithm.ECDSA_P384: Wanted("EC-HSM", curve="P-384"),
    KeyAlgorithm.ECDSA_P521: Wanted("EC-HSM", curve="P-521"),
    KeyAlgorithm.RSA_3072: Wanted("RSA-HSM", size=3072),
    KeyAlgorithm.RSA_4096: Wanted("RSA-HSM", size=4096),
}


def schemes_of(kty: str, curve: str) -> tuple[Scheme, ...]:
    """Return what a key of type `kty`, on `curve` if it has one, signs by; empty for one that hatch-sign does not use."""
    if kty in {"RSA", "RSA-HSM"}:
        return KeyAlgorithm.RSA_3072.schemes
    if kty in {"EC", "EC-HSM"} and curve in _OF_CURVE:
        return (_OF_CURVE[curve],)
    return ()


def kind_to_generate(algorithm: KeyAlgorithm, *, subject: str) -> Wanted:
    """Return what the service is to make, in an HSM. Raises UnsupportedError for a kind of key that it does not have."""
    if algorithm in _GENERATED:
        return _GENERATED[algorithm]
    message = f"{subject}: Azure makes no {algorithm.value} keys"
    raise UnsupportedError(message, remedy=f"choose among {', '.join(each.value for each in _GENERATED)}")
