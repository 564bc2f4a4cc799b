"""Whether a certificate is one of a timestamp authority at all, whoever trusts it (RFC 3161 §2.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.values.display import display
from hatch_sign.values.late_errors import late_errors

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


def problem_of_purpose(certificate: Certificate) -> str:
    """Return why a certificate is not for timestamping alone, and critically so; empty where it is. Never raises."""
    from cryptography import x509  # noqa: PLC0415 - 40 ms, for timestamps only
    from cryptography.x509.oid import ExtendedKeyUsageOID  # noqa: PLC0415 - as above

    try:
        extension = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        return "its certificate names no extendedKeyUsage, expected timestamping alone"
    except late_errors() as error:
        return f"its certificate is malformed: {display(error)}"
    if list(extension.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        return "its certificate is not for timestamping alone (extendedKeyUsage)"
    return "" if extension.critical else "its certificate is for timestamping, and does not say so critically"
