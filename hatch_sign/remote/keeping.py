"""What the word of a service on how it keeps a key is worth: one rule, for every service.

A service that says that a key cannot be exported vouches for it, in hardware or in its own software, and the summary names
which. Its word covers no key that may leave it, none that was outside before, and nothing that came over a plain channel,
on which anybody may have said it: the level of such a key is software.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from hatch_sign.values.display import display
from hatch_sign.values.protection import Protection, ProtectionLevel

if TYPE_CHECKING:
    from collections.abc import Mapping


class Exposure(Enum):
    """Why the word of a service does not cover a key; each value is a phrase for people."""

    EXPORTABLE = "it may be exported"
    PLAIN_BACKUP = "it may be backed up in clear"
    IMPORTED = "it was imported, and nobody vouches for the copies outside"
    EXTERNAL = "a key manager outside keeps it, for which the service does not vouch"
    UNSAID = "the service does not say whether it may leave"
    ORIGIN_UNREAD = "whether it was imported could not be read"


def service_protection(
    place: str,
    claims: Mapping[str, object],
    *,
    service: str,
    plain_channel: bool,
    exposure: Exposure | None = None,
    remark: str = "",
) -> Protection:
    """Return the protection of a key that `service` keeps in `place`, such as ``in an HSM``, at the level that is worth.

    Leave `exposure` out only where the service says that the key cannot be exported. `plain_channel` says whether what it
    says came without TLS, from this machine as well. `remark` is a phrase of what else there is to know; `claims` are what
    the service said, by name, and None or an empty text where it said nothing.
    """
    level = ProtectionLevel.SOFTWARE
    if exposure is not None:
        found = f"{place}; {exposure.value}"
    elif plain_channel:
        found = f"{place}, says whatever answers for {service} over a plain channel (http)"
    else:
        found, level = f"{place}, not exportable; {service} says so", ProtectionLevel.PROVIDER_ASSERTED
    return Protection(level, f"{found}; {remark}" if remark else found, _shown(claims))


def _shown(claims: Mapping[str, object]) -> dict[str, str]:
    """Return what was claimed as text; what the service left out is left out."""
    return {name: _text(value) for name, value in claims.items() if value is not None and value != ""}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else display(value)
