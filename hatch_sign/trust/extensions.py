"""Extensions of certificates and revocation lists, which cryptography reads when they are asked for."""

from __future__ import annotations

from typing import TypeVar

from cryptography import x509

E = TypeVar("E", bound=x509.ExtensionType)


def extension_of(holder: x509.Certificate | x509.CertificateRevocationList, kind: type[E]) -> E | None:
    """Return the extension of that type, None where there is none. Raises what is in late_errors."""
    try:
        return holder.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
