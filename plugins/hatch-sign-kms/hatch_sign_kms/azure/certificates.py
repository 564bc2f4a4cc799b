"""The certificate that Key Vault manages for a key; a vault gives the leaf alone, and a Managed HSM has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.values.certificates import is_for_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.keyvault.certificates import KeyVaultCertificate
    from azure.keyvault.keys import KeyVaultKey
    from cryptography.x509 import Certificate

    from hatch_sign.remote import ServiceCaller
    from hatch_sign.values.public_keys import PublicKey
    from hatch_sign_kms.azure.connection import Vault


def read_certificates(
    vault: Vault, key: KeyVaultKey, public_key: PublicKey, caller: ServiceCaller, *, warn: Callable[[str], None]
) -> tuple[Certificate, ...]:
    """Return the leaf of a key that a certificate of the vault stands behind, of the same version; else nothing.

    Without the permission ``certificates/get`` the user is told, for the configuration may name the chain instead.
    Raises CustodyError for a certificate that is none, or of another key.
    """
    if not key.properties.managed:
        return ()
    found = caller.call(lambda: _look(vault, key, caller, warn))
    if found is None:
        return ()
    return (_parse(found, public_key, caller),)


def _look(vault: Vault, key: KeyVaultKey, caller: ServiceCaller, warn: Callable[[str], None]) -> KeyVaultCertificate | None:
    from azure.core.exceptions import HttpResponseError  # noqa: PLC0415 - with the SDK only

    try:
        return vault.certificates().get_certificate_version(key.name or "", key.properties.version or "")
    except HttpResponseError as error:
        if error.status_code not in {403, 404}:
            raise
        if error.status_code == 403:  # noqa: PLR2004 - Forbidden (RFC 9110 §15.5.4)
            warn(f"{caller.key}: its certificate cannot be read without the permission certificates/get")
        return None


def _parse(found: KeyVaultCertificate, public_key: PublicKey, caller: ServiceCaller) -> Certificate:
    from cryptography.x509 import load_der_x509_certificate  # noqa: PLC0415 - 40 ms, and few keys have one

    # What is not base64, the SDK hands over as the text that came.
    der = bytes(found.cer) if isinstance(found.cer, bytes | bytearray) else b""
    try:
        certificate = load_der_x509_certificate(der)
    except ValueError:
        caller.reject_answer("sent a certificate that cannot be read")
    if not is_for_key(certificate, public_key):
        caller.reject_answer("sent a certificate of another key")
    return certificate
