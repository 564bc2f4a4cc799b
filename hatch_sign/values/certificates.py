"""What certificates say of keys and of one another; nothing here trusts anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.values.late_errors import late_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cryptography.x509 import Certificate, Name

    from hatch_sign.values.public_keys import PublicKey


def is_for_key(certificate: Certificate, key: PublicKey) -> bool:
    """Return whether `certificate` is for `key`; False for one whose own key cannot be read."""
    try:
        return certificate.public_key() == key
    except late_errors():
        return False


def describe_subject(certificate: Certificate) -> str:
    """Return whom `certificate` is for (RFC 4514), or that its name cannot be read; the text is not yet safe to show."""
    return _describe(lambda: certificate.subject)


def describe_issuer(certificate: Certificate) -> str:
    """Return who issued `certificate`, as `describe_subject` returns whom it is for."""
    return _describe(lambda: certificate.issuer)


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


def _describe(read: Callable[[], Name]) -> str:
    """Return a name as text: cryptography decodes names when they are asked for, and may fail then."""
    try:
        return read().rfc4514_string()
    except late_errors():
        return "a name that is not well-formed"
