"""What every producer of CMS signatures does alike: sign attributes, ask the witnesses, and put the whole together."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from hatch_sign.formats.cms.encoding import AttributeTable, encode_signed_data
from hatch_sign.values.errors import MalformedError, UnsupportedError, WitnessError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.x509 import Certificate

    from hatch_sign.contract import Seal

_VERSION = 1
"""Of PKCS #7, and of CMS over data where the signer is named by issuer and serial number (RFC 5652 §5.1)."""


def require_certificate(certificates: Sequence[Certificate]) -> None:
    """Raise UnsupportedError where there is none, as for a bare key."""
    if not certificates:
        message = "a CMS signature names its signer by a certificate, and the key has none"
        raise UnsupportedError(message, remedy="set `certificates` to the file that holds the chain, leaf first")


def seal_attributes(
    attributes: bytes,
    seal: Seal,
    *,
    content_type: str,
    content: bytes | None,
    certificates: Sequence[Certificate],
    timestamp: str,
) -> bytes:
    """Return the DER of a signature over `attributes`, with the timestamps of the run's witnesses.

    `attributes` are those of :func:`~hatch_sign.formats.cms.encoding.encode_attributes`, by the hash of the seal's scheme;
    `content` is what :func:`~hatch_sign.formats.cms.encoding.encode_signed_data` encapsulates; `timestamp` is the number of
    the unsigned attribute for timestamps. Other evidence is left out: CMS has no place for the entries of logs. Raises
    WitnessError for a timestamp that is none.
    """
    hash_ = str(seal.scheme.hash)
    signature = seal.sign(attributes)
    evidence = seal.witness(signature, hashlib.new(hash_, attributes).digest())
    try:
        unsigned = stamp_attribute(timestamp, [each.data for each in evidence if each.kind == "timestamp"])
    except MalformedError as error:
        raise WitnessError(error.message) from None
    return encode_signed_data(
        version=_VERSION,
        content_type=content_type,
        content=content,
        attributes=attributes,
        hash_=hash_,
        scheme=seal.scheme,
        signature=signature,
        certificates=certificates,
        unsigned=unsigned,
    )


def stamp_attribute(number: str, timestamps: Sequence[bytes]) -> AttributeTable:
    """Return the unsigned attribute with the tokens of `timestamps`, none without any. Raises MalformedError."""
    if not timestamps:
        return {}
    from hatch_sign.formats.rfc3161 import token_of  # noqa: PLC0415 - with timestamps only

    return {number: [token_of(each) for each in timestamps]}
