"""What certificates say of keys and of one another; nothing here trusts anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.values.late_errors import late_errors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography.x509 import Certificate

    from hatch_sign.values.public_keys import PublicKey


def is_for_key(certificate: Certificate, key: PublicKey) -> bool:
    """Return whether `certificate` is for `key`; False for one whose own key cannot be read."""
    try:
        return certificate.public_key() == key
    except late_errors():
        return False


def names_issuer(certificate: Certificate, issuer: Certificate) -> bool:
    """Return whether `issuer` is named in `certificate`; False where a name cannot be read."""
    try:
        return certificate.issuer == issuer.subject
    except late_errors():
        return False


def is_issued_by(certificate: Certificate, issuer: Certificate) -> bool:
    """Return whether `issuer` is named in `certificate`, and its key has signed it; False where that cannot be checked."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - as above

    try:
        certificate.verify_directly_issued_by(issuer)
    except late_errors(InvalidSignature):
        return False
    return True


def complete_chain(leaf: Certificate, others: Iterable[Certificate]) -> list[Certificate]:
    """Return `leaf`, its issuer, that one's issuer, and so on, as far as they are among `others`; each once."""
    left = [each for each in dict.fromkeys(others) if each != leaf]
    chain = [leaf]
    while (issuer := next((each for each in left if is_issued_by(chain[-1], each)), None)) is not None:
        left.remove(issuer)
        chain.append(issuer)
    return chain
