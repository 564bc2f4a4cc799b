"""Certificates that signatures bring along, and the keys in them: hostile bytes, whatever format they lie in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm

from hatch_sign.values.errors import MalformedError, UnsupportedError
from hatch_sign.values.public_keys import as_public_key, describe_key

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from hatch_sign.values.public_keys import PublicKey

LARGEST_RSA_BITS = 16384
"""A certificate may bring any key: larger ones cost seconds for each signature, and nobody makes them."""

_LENGTH = rb"(?:[\x00-\x7f]|\x81.|\x82..|\x83...)"
_POSITIVE_SERIAL = re.compile(
    rb"\x30" + _LENGTH + rb"\x30" + _LENGTH + rb"(?:\xa0\x03\x02\x01.)?\x02" + _LENGTH + rb"(?:[\x01-\x7f]|\x00[\x80-\xff])",
    re.DOTALL,
)
"""How certificates begin (RFC 5280 §4.1). cryptography warns of other serial numbers, and will refuse them one day."""


def parse_certificate(data: bytes, *, subject: str) -> Certificate:
    """Return the certificate in DER. Raises MalformedError, naming `subject`, for what is none."""
    from cryptography.x509 import InvalidVersion, load_der_x509_certificate  # noqa: PLC0415 - 40 ms, with certificates only

    try:
        if _POSITIVE_SERIAL.match(data):
            return load_der_x509_certificate(data)
    except (ValueError, InvalidVersion):
        pass
    message = f"{subject} is not one"
    raise MalformedError(message)


def certified_key(certificate: Certificate, *, subject: str) -> PublicKey | None:
    """Return the key of a certificate; None for one outside the closed table, or larger than anybody makes.

    Raises MalformedError, naming `subject`, where the key is none.
    """
    try:
        key = as_public_key(certificate.public_key(), subject=subject)
    except ValueError:
        message = f"{subject} has a key that is none"
        raise MalformedError(message) from None
    except (UnsupportedAlgorithm, UnsupportedError):
        return None
    too_large = describe_key(key).startswith("rsa") and getattr(key, "key_size", 0) > LARGEST_RSA_BITS
    return None if too_large else key
