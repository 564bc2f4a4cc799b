"""Answers of services, made into what crosses the port."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.values.errors import MalformedError
from hatch_sign.values.public_keys import as_public_key, parse_public_key

if TYPE_CHECKING:
    from hatch_sign.remote.calling import ServiceCaller
    from hatch_sign.values.public_keys import PublicKey

_UNREADABLE = "sent a public key that cannot be read"


def parse_public_key_der(der: bytes, caller: ServiceCaller) -> PublicKey:
    """Return the key in a DER SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) that a service sent.

    Raises UnsupportedError for a kind outside the table, CustodyError for bytes that are no key.
    """
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - for keys that are opened only
    from cryptography.hazmat.primitives.serialization import load_der_public_key  # noqa: PLC0415 - 20 ms

    try:
        key = load_der_public_key(der)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        caller.reject_answer(_UNREADABLE)
    return as_public_key(key, subject=caller.key)


def parse_public_key_pem(pem: bytes, caller: ServiceCaller) -> PublicKey:
    """Return the key in a PEM ``PUBLIC KEY`` block that a service sent. Raises as :func:`parse_public_key_der`."""
    try:
        return parse_public_key(pem, subject=caller.key)
    except MalformedError:
        caller.reject_answer(_UNREADABLE)


def encode_ecdsa_signature(raw: bytes, caller: ServiceCaller) -> bytes:
    """Return the DER of an ECDSA signature that came as r and s, big-endian, of equal length, one after the other.

    Raises CustodyError for a length that is odd or zero.
    """
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature  # noqa: PLC0415 - as above

    half, odd = divmod(len(raw), 2)
    if odd or not half:
        caller.reject_answer("sent a signature of an impossible length")
    return encode_dss_signature(int.from_bytes(raw[:half]), int.from_bytes(raw[half:]))
