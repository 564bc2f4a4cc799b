"""What Azure says of how a key is kept.

A key type that ends in ``-HSM`` is Azure's word that an HSM keeps it. No key may leave but one that is exportable, under its
release policy. Whether a key was brought there from outside, Azure does not say of any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.remote import Exposure, service_protection
from hatch_sign_kms.azure.answers import as_text, kind_name

if TYPE_CHECKING:
    from azure.keyvault.keys import KeyVaultKey

    from hatch_sign.values.protection import Protection

_SOFTWARE_PLATFORM = "0"


def describe_keeping(key: KeyVaultKey, service: str, *, plain_channel: bool) -> Protection:
    """Return the protection of `key` as `service` describes it."""
    properties = key.properties
    kind = kind_name(key)
    claims: dict[str, object] = {
        "kty": kind,
        "version": properties.version,
        "hsmPlatform": properties.hsm_platform,
        "exportable": properties.exportable,
        "managed": properties.managed,
        "recoveryLevel": as_text(properties.recovery_level),
        "created": properties.created_on.isoformat() if properties.created_on else None,
        "expires": properties.expires_on.isoformat() if properties.expires_on else None,
    }
    in_hardware = kind.endswith("-HSM") and properties.hsm_platform != _SOFTWARE_PLATFORM
    return service_protection(
        "in an HSM" if in_hardware else "in software",
        claims,
        service=service,
        plain_channel=plain_channel,
        exposure=Exposure.EXPORTABLE if properties.exportable else None,
        remark="whether it was imported is not said",
    )
