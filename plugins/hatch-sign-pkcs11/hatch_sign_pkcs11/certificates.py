"""The certificates on a token: that of a key, and its issuers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cryptography import x509
from pkcs11 import Attribute, ObjectClass

from hatch_sign.values.certificates import complete_chain, describe_subject, is_for_key, names_issuer
from hatch_sign.values.display import display
from hatch_sign.values.errors import CustodyError
from hatch_sign.values.late_errors import late_errors
from hatch_sign_pkcs11.attributes import read
from hatch_sign_pkcs11.searching import search

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkcs11 import Session

    from hatch_sign.values.public_keys import PublicKey

LONGEST_CHAIN = 16
"""Certificates in a chain, as many as any authority has between a root and a leaf, and then some."""

_X_509 = 0


def read_chain(session: Session, key_id: bytes, public_key: PublicKey, *, subject: str) -> tuple[x509.Certificate, ...]:
    """Return the certificate of the key, then its issuers, as far as the token holds them; empty where it holds none.

    That of the key is looked for under the key's id, then by its public key; of several the one that ends last. Raises
    CustodyError where the key's id leads to certificates of other keys only; PKCS11Error.
    """
    by_id = read_certificates(session, {Attribute.ID: key_id}) if key_id else []
    all_there = read_certificates(session, {})
    leaf = _latest([each for each in by_id if is_for_key(each, public_key)])
    leaf = leaf or _latest([each for each in all_there if is_for_key(each, public_key)])
    if leaf is None and by_id:
        named = display(describe_subject(by_id[0]))
        message = f"{subject}: the certificate beside the key is for another key ({named})"
        raise CustodyError(message, remedy="store the right one: `hatch-sign key import-certificate`")
    return tuple(complete_chain(leaf, all_there)[:LONGEST_CHAIN]) if leaf else ()


def read_certificates(session: Session, template: dict[Attribute, Any]) -> list[x509.Certificate]:
    """Return the X.509 certificates that match `template`; what cannot be read as one is passed over. Raises PKCS11Error."""
    found = []
    for entry in search(session, {Attribute.CLASS: ObjectClass.CERTIFICATE, **template}):
        if read(entry, Attribute.CERTIFICATE_TYPE, _X_509) != _X_509:
            continue
        certificate = parse_certificate(read(entry, Attribute.VALUE, b""))
        if certificate is not None:
            found.append(certificate)
    return found


def parse_certificate(der: bytes) -> x509.Certificate | None:
    """Return the certificate, or None where the bytes are none."""
    try:
        return x509.load_der_x509_certificate(der)
    except late_errors():
        return None


def public_key_of_certificate(session: Session, template: dict[Attribute, Any]) -> object | None:
    """Return the public key of the first certificate that matches, for tokens that show it nowhere else."""
    for certificate in read_certificates(session, template):
        try:
            return certificate.public_key()
        except late_errors():
            continue
    return None


def _latest(certificates: Sequence[x509.Certificate]) -> x509.Certificate | None:
    """Return the one that ends last; one that signed itself, which anybody can make who has the public key, only alone."""
    return max(certificates, key=lambda each: (not names_issuer(each, each), each.not_valid_after_utc), default=None)
