"""Certificates that signatures bring along, and the keys in them: hostile bytes, whatever format they lie in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm

from hatch_sign.values.errors import MalformedError, UnsupportedError
from hatch_sign.values.late_errors import late_errors
from hatch_sign.values.public_keys import as_public_key

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from hatch_sign.values.public_keys import PublicKey

LARGEST_RSA_BITS = 8192
"""A certificate may bring any key, and a file many certificates: larger ones cost milliseconds, and nobody makes them."""
LARGEST_RSA_EXPONENT_BITS = 32
"""Checking costs as much as signing where the public exponent is as long as the private one; Windows takes no more."""

_LENGTH = rb"(?:[\x00-\x7f]|\x81.|\x82..|\x83...)"
_POSITIVE_SERIAL = re.compile(
    rb"\x30" + _LENGTH + rb"\x30" + _LENGTH + rb"(?:\xa0\x03\x02\x01.)?\x02" + _LENGTH + rb"(?:[\x01-\x7f]|\x00[\x80-\xff])",
    re.DOTALL,
)
"""How certificates begin (RFC 5280 §4.1). cryptography warns of other serial numbers, and will refuse them one day."""


def parse_certificate(data: bytes, *, subject: str) -> Certificate:
    """Return the certificate in DER.

    Raises MalformedError, naming `subject`, for what is none, and for one by whose key checking a signature takes long.
    """
    from cryptography.x509 import load_der_x509_certificate  # noqa: PLC0415 - 40 ms, with certificates only

    try:
        certificate = load_der_x509_certificate(data) if _POSITIVE_SERIAL.match(data) else None
    except late_errors():
        certificate = None
    if certificate is None:
        message = f"{subject} is not one"
        raise MalformedError(message)
    if _has_slow_key(certificate):
        most = f"{LARGEST_RSA_BITS} bits and a public exponent of {LARGEST_RSA_EXPONENT_BITS}"
        message = f"{subject} is for a larger RSA key than anybody makes, expected at most {most}"
        raise MalformedError(message)
    return certificate


def certified_key(certificate: Certificate, *, subject: str) -> PublicKey | None:
    """Return the key of a certificate; None for one outside the closed table.

    Raises MalformedError, naming `subject`, where the key is none.
    """
    try:
        return as_public_key(certificate.public_key(), subject=subject)
    except (UnsupportedAlgorithm, UnsupportedError):
        return None
    except late_errors():
        message = f"{subject} has a key that is none"
        raise MalformedError(message) from None


def _has_slow_key(certificate: Certificate) -> bool:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415 - as above

    try:
        key = certificate.public_key()
    except late_errors():
        return False  # nothing can be checked by it at all
    if not isinstance(key, RSAPublicKey):
        return False
    return key.key_size > LARGEST_RSA_BITS or key.public_numbers().e.bit_length() > LARGEST_RSA_EXPONENT_BITS
