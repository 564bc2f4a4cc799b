"""CMS signatures, written (RFC 5652): from attributes that are signed elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hatch_sign.formats.asn1 import cms, core, malformed_asn1, parse_der
from hatch_sign.formats.cms.algorithms import encode_digest_algorithm, encode_scheme
from hatch_sign.formats.cms.parsing import MAX_SIZE, SIGNED_DATA
from hatch_sign.formats.cms.structures import Attributes, ContentInfo, SignerInfo

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from hatch_sign.values.algorithms import Scheme

AttributeTable = Mapping[str, Sequence[bytes]]
"""Attributes by their dotted numbers, each with the DER of its values."""


def encode_attributes(attributes: AttributeTable) -> bytes:
    """Return the DER of attributes as a SET: what a signer signs (RFC 5652 §5.4)."""
    return bytes(_attributes(attributes).dump())


def encode_signed_data(  # noqa: PLR0913 - one argument for each field of the structure
    *,
    version: int,
    content_type: str,
    content: bytes | None,
    attributes: bytes,
    hash_: str,
    scheme: Scheme,
    signature: bytes,
    certificates: Sequence[Certificate],
    unsigned: AttributeTable | None = None,
) -> bytes:
    """Return the DER of a signature by the first of `certificates`, all of which it carries.

    `content` is the DER of what is encapsulated, None for a detached signature; `attributes` is what was signed, from
    :func:`encode_attributes`; `hash_` is that of the message digest in it.
    """
    encoded = [_certificate(certificate) for certificate in certificates]
    encapsulated: dict[str, Any] = {"content_type": content_type}
    if content is not None:
        encapsulated["content"] = {"value": core.Any.load(content)}
    signer = {
        "version": 1,
        "sid": _identifier(encoded[0]),
        "digest_algorithm": encode_digest_algorithm(hash_),
        # The same contents under another tag: what is signed is a SET, what is written has the tag [0].
        "signed_attrs": Attributes.load(attributes, strict=True),
        "signature_algorithm": encode_scheme(scheme),
        "signature": signature,
    }
    if unsigned:
        signer["unsigned_attrs"] = _attributes(unsigned)
    signed_data = {
        "version": version,
        "digest_algorithms": [encode_digest_algorithm(hash_)],
        "encap_content_info": encapsulated,
        "certificates": [core.Any.load(each) for each in encoded],
        "signer_infos": [SignerInfo(signer)],
    }
    return bytes(ContentInfo({"content_type": SIGNED_DATA, "content": signed_data}).dump())


def replace_unsigned(data: bytes, unsigned: AttributeTable, *, subject: str) -> bytes:
    """Return the DER of a signature with other unsigned attributes, and everything else as it was.

    `data` holds one signature, which :func:`~hatch_sign.formats.cms.parsing.parse_signed_data` has read. Raises
    MalformedError for one that does not.
    """
    info = parse_der(ContentInfo, data, subject=subject, longest=MAX_SIZE)
    with malformed_asn1(subject):
        (signer,) = info["content"]["signer_infos"]
        if unsigned:
            signer["unsigned_attrs"] = _attributes(unsigned)
        else:
            del signer["unsigned_attrs"]
        return bytes(info.dump())


def _attributes(attributes: AttributeTable) -> Any:  # noqa: ANN401 - asn1crypto has no types
    table = [{"type": number, "values": [core.Any.load(v) for v in values]} for number, values in attributes.items()]
    return Attributes(table)


def _certificate(certificate: Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - 20 ms, to sign only

    return certificate.public_bytes(Encoding.DER)


def _identifier(encoded: bytes) -> Any:  # noqa: ANN401 - as above
    certificate = cms.Certificate.load(encoded)
    identifier = {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
    return cms.SignerIdentifier({"issuer_and_serial_number": identifier})
