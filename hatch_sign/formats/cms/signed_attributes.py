"""What a signature beside an artifact says of itself, and is signed: the attributes of CAdES-BES (RFC 5126 §4.3.1)."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING

from hatch_sign.formats.asn1 import core, tsp, x509
from hatch_sign.formats.cms.encoding import encode_attributes
from hatch_sign.formats.cms.parsing import CONTENT_TYPE, DATA, MESSAGE_DIGEST
from hatch_sign.formats.cms.signers import SIGNING_CERTIFICATE_V2

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography.x509 import Certificate

SIGNING_TIME = "1.2.840.113549.1.9.5"

_FIRST_GENERAL_YEAR = 2050
"""From here on, UTCTime would be read as 1950 (RFC 5652 §11.3)."""


def detached_attributes(digest: bytes, certificate: Certificate, now: datetime) -> bytes:
    """Return the DER of the attributes over an artifact of this digest, by the holder of `certificate`.

    `now`, aware and of whole seconds in what is written, is what the signer says; it proves nothing to anybody.
    """
    return encode_attributes(
        {
            CONTENT_TYPE: [core.ObjectIdentifier(DATA).dump()],
            MESSAGE_DIGEST: [core.OctetString(digest).dump()],
            SIGNING_TIME: [_time(now)],
            SIGNING_CERTIFICATE_V2: [_signing_certificate(certificate)],
        }
    )


def _time(now: datetime) -> bytes:
    kind = core.UTCTime if now.year < _FIRST_GENERAL_YEAR else core.GeneralizedTime
    return bytes(kind(now.replace(microsecond=0)).dump())


@lru_cache(maxsize=8)  # one for each key of a run, however many artifacts it signs
def _signing_certificate(certificate: Certificate) -> bytes:
    """Return ``SigningCertificateV2`` with SHA-256, which is its default and so is not written (RFC 5035 §4)."""
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - 20 ms, to sign only

    encoded = certificate.public_bytes(Encoding.DER)
    read = x509.Certificate.load(encoded)
    named = {
        "cert_hash": hashlib.sha256(encoded).digest(),
        "issuer_serial": {
            "issuer": [x509.GeneralName({"directory_name": read.issuer})],
            "serial_number": read.serial_number,
        },
    }
    return bytes(tsp.SigningCertificateV2({"certs": [named]}).dump())
