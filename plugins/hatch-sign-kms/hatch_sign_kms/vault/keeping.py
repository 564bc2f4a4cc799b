"""What Vault or OpenBao says of how a transit key is kept.

The engine keeps keys in the memory of the server; one of type ``managed_key`` is in an HSM or a KMS behind it. Both whether
a key may be exported and whether it may be backed up in clear are said of every key, and neither can be taken back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hatch_sign.remote import Exposure, service_protection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hatch_sign.values.protection import Protection


def describe_keeping(described: Mapping[str, Any], version: int, *, service: str, plain_channel: bool) -> Protection:
    """Return the protection of a version of the key that ``GET /transit/keys/NAME`` described."""
    claims = {
        "service": service,
        "key type": described.get("type"),
        "version": version,
        "exportable": described.get("exportable"),
        "plaintext backup": described.get("allow_plaintext_backup"),
        "imported": described.get("imported_key"),
        "created": _created(described.get("keys"), version),
    }
    managed = described.get("type") == "managed_key"
    return service_protection(
        "in an HSM or a KMS behind it" if managed else "in software",
        claims,
        service=service,
        plain_channel=plain_channel,
        exposure=_find_exposure(described),
    )


def _find_exposure(described: Mapping[str, Any]) -> Exposure | None:
    found = {
        Exposure.EXPORTABLE: described.get("exportable"),
        Exposure.PLAIN_BACKUP: described.get("allow_plaintext_backup"),
        Exposure.IMPORTED: described.get("imported_key"),
    }
    for exposure, said in found.items():
        if said:
            return exposure
    said_no = found[Exposure.EXPORTABLE] is False and found[Exposure.PLAIN_BACKUP] is False
    return None if said_no else Exposure.UNSAID


def _created(versions: object, version: int) -> object:
    entry = versions.get(str(version)) if isinstance(versions, dict) else None
    return entry.get("creation_time") if isinstance(entry, dict) else None
