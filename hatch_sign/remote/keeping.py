"""What a service says of how a key is kept, at the level that this is worth.

A service that vouches for hardware is provider-asserted. One that keeps the key in the memory of its own programs says so
of software: whoever reads that memory has the key, however well its doors are guarded, and so the level is software.
The same holds of a key whose material was brought in from outside, for nobody vouches for the copies that stayed there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.values.display import display
from hatch_sign.values.protection import Protection, ProtectionLevel

if TYPE_CHECKING:
    from collections.abc import Mapping


def hardware_kept(summary: str, claims: Mapping[str, object]) -> Protection:
    """Return the protection of a key that its service says it made in hardware and keeps there."""
    return Protection(ProtectionLevel.PROVIDER_ASSERTED, summary, _shown(claims))


def software_kept(summary: str, claims: Mapping[str, object]) -> Protection:
    """Return the protection of a key that is, or was, where software can read it."""
    return Protection(ProtectionLevel.SOFTWARE, summary, _shown(claims))


def _shown(claims: Mapping[str, object]) -> dict[str, str]:
    """Return what was claimed as text; what the service left out is left out."""
    return {name: _text(value) for name, value in claims.items() if value is not None and value != ""}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else display(value)
