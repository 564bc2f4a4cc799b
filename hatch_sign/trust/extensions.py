"""Extensions of certificates and revocation lists, which cryptography reads when they are asked for."""

from __future__ import annotations

from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

E = TypeVar("E", bound=x509.ExtensionType)

LATE_ERRORS = (
    ValueError,
    TypeError,
    KeyError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    x509.InvalidVersion,
)
"""What cryptography raises for what is damaged: keys, names and extensions are read when they are asked for, not before."""


def extension_of(holder: x509.Certificate | x509.CertificateRevocationList, kind: type[E]) -> E | None:
    """Return the extension of that type, None where there is none. Raises what is in :data:`LATE_ERRORS`."""
    try:
        return holder.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
