"""Storing certificates on a token, beside the key that they are for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.serialization import Encoding
from pkcs11 import Attribute, ObjectClass

from hatch_sign.values.certificates import describe_subject, is_for_key
from hatch_sign.values.display import display
from hatch_sign.values.errors import CustodyError
from hatch_sign.values.late_errors import late_errors
from hatch_sign_pkcs11.attributes import read
from hatch_sign_pkcs11.certificates import LONGEST_CHAIN, parse_certificate
from hatch_sign_pkcs11.connecting import connected, parse_in_run
from hatch_sign_pkcs11.keys import TokenKey, find_key
from hatch_sign_pkcs11.searching import search
from hatch_sign_pkcs11.translate import translated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.x509 import Certificate
    from pkcs11 import Session

    from hatch_sign.contract.backends import BackendContext


def import_certificate(reference: str, chain: Sequence[Certificate], context: BackendContext) -> None:
    """Store `chain`, the key's own certificate first, in place of an older one of the same key.

    The new one is stored before the older one is removed, so that a run that is cut off leaves one that fits. Raises
    CustodyError; as logging in does.
    """
    parsed = parse_in_run(reference, context)
    for certificate in chain:
        _encode_names(certificate)  # One that cannot be stored should cost no login, and leave no others behind.
    with connected(parsed, context) as connection, translated(parsed.text), connection.writing() as session:
        key = find_key(session, parsed)
        if not 1 <= len(chain) <= LONGEST_CHAIN or chain[0].public_key() != key.public_key:
            message = f"{display(parsed.text)}: a chain is at most {LONGEST_CHAIN} certificates, that of the key first"
            raise CustodyError(message)
        present = [(bytes(read(entry, Attribute.VALUE, b"")), entry) for entry in _certificates(session)]
        for certificate in chain[1:]:
            if certificate.public_bytes(Encoding.DER) not in [der for der, _ in present]:
                _store(session, certificate, {Attribute.LABEL: describe_subject(certificate)})
        for end in _store_leaf(session, chain[0], key, present):
            context.warn(f"{display(parsed.text)}: the certificate of this key that would end on {end} was replaced")


def _certificates(session: Session) -> Sequence[Any]:
    return search(session, {Attribute.CLASS: ObjectClass.CERTIFICATE})


def _store_leaf(session: Session, leaf: Certificate, key: TokenKey, present: Sequence[tuple[bytes, Any]]) -> list[str]:
    """Store the key's own certificate, then remove those of the same key that were there; return when these would end."""
    der = leaf.public_bytes(Encoding.DER)
    if der not in [value for value, _ in present]:
        _store(session, leaf, {Attribute.LABEL: key.label, Attribute.ID: key.id})
    ends = []
    for value, entry in present:
        older = parse_certificate(value)
        if older is not None and value != der and is_for_key(older, key.public_key):
            entry.destroy()
            ends.append(f"{older.not_valid_after_utc:%Y-%m-%d}")
    return ends


def _store(session: Session, certificate: Certificate, names: dict[Attribute, Any]) -> None:
    session.create_object(
        {
            Attribute.CLASS: ObjectClass.CERTIFICATE,
            Attribute.CERTIFICATE_TYPE: 0,  # CKC_X_509
            Attribute.TOKEN: True,
            Attribute.PRIVATE: False,
            **_encode_names(certificate),
            Attribute.SERIAL_NUMBER: _encode_serial(certificate.serial_number),
            Attribute.VALUE: certificate.public_bytes(Encoding.DER),
            **names,
        }
    )


def _encode_names(certificate: Certificate) -> dict[Attribute, bytes]:
    """Return both names in DER. Raises CustodyError for those that cannot be read, which other programs could not either."""
    try:
        return {
            Attribute.SUBJECT: certificate.subject.public_bytes(),
            Attribute.ISSUER: certificate.issuer.public_bytes(),
        }
    except late_errors():
        message = "a certificate holds a name that is not well-formed, and cannot be stored"
    raise CustodyError(message, remedy="have the authority issue it anew")


def _encode_serial(number: int) -> bytes:
    """Return the serial number as a DER INTEGER, as CKA_SERIAL_NUMBER wants it (PKCS#11 v2.40 base §4.6.3)."""
    content = number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True)
    return bytes([0x02, len(content)]) + content
