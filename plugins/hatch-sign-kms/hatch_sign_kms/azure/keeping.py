"""What Azure says of how a key is kept, at the level that this is worth.

A key type that ends in ``-HSM`` is Azure's word that an HSM keeps it. Whether it was brought there from outside, Azure does
not say of any key. An exportable one may leave, under its release policy, so that the hardware vouches for nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.remote import hardware_kept, software_kept
from hatch_sign_kms.azure.answers import as_text, kind_name

if TYPE_CHECKING:
    from azure.keyvault.keys import KeyVaultKey

    from hatch_sign.values.protection import Protection

_SOFTWARE_PLATFORM = "0"


def describe_keeping(key: KeyVaultKey, service: str) -> Protection:
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
    if not kind.endswith("-HSM") or properties.hsm_platform == _SOFTWARE_PLATFORM:
        return software_kept(f"kept in the software of {service}", claims)
    if properties.exportable:
        return software_kept(f"kept in an HSM of {service}, and exportable under its release policy", claims)
    return hardware_kept(f"kept in an HSM of {service}; whether it was imported is not said", claims)
