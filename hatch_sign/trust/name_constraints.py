"""Name constraints that cryptography passes over: it holds them against subjectAltName alone (RFC 5280 §4.2.1.10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import NameOID

from hatch_sign.trust.extensions import extension_of

if TYPE_CHECKING:
    from collections.abc import Sequence


def unheld_constraint(chain: Sequence[x509.Certificate]) -> str:
    """Return which constraint of an issuer in `chain`, leaf to root, nobody held against a subject; empty for none.

    Constraints of directory names would have to be, and those of e-mail addresses where a subject holds one. They are rare
    for signers, and refused, critical or not. Raises what is in late_errors.
    """
    for position, issuer in enumerate(chain[1:], start=1):
        constraints = extension_of(issuer, x509.NameConstraints)
        if constraints is None:
            continue
        subtrees = (*(constraints.permitted_subtrees or ()), *(constraints.excluded_subtrees or ()))
        if any(isinstance(each, x509.DirectoryName) for each in subtrees):
            return "an issuer constrains directory names, which is not supported"
        emails = any(isinstance(each, x509.RFC822Name) for each in subtrees)
        if emails and any(below.subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS) for below in chain[:position]):
            return "an issuer constrains e-mail addresses, and a subject below it holds one"
    return ""
