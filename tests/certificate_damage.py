"""Certificates that load, and whose names raise once they are asked for: whoever brings one may have made it so."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

BIT_STRING, INTEGER, UTF8_STRING = 0x03, 0x02, 0x0C
UNREADABLE = "a name that is not well-formed"


def with_damaged_name(
    certificate: x509.Certificate, name: str, *, tag: int = BIT_STRING, first: int = 0
) -> x509.Certificate:
    """Return the certificate with another tag and first byte for this common name, of its subject or of its issuer."""
    whole, text = certificate.public_bytes(Encoding.DER), name.encode()
    old, new = bytes([UTF8_STRING, len(text)]) + text, bytes([tag, len(text), first]) + text[1:]
    assert whole.count(old) == 1
    return x509.load_der_x509_certificate(whole.replace(old, new))
