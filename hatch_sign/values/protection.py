"""How a key is kept, and who says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class ProtectionLevel(Enum):
    """Who vouches for the way a key is kept, the weakest first."""

    SOFTWARE = "software"
    """A file. Whoever reads the memory of the process has the key."""
    SELF_ASSERTED = "self-asserted"
    """A token says of itself that the key cannot leave it."""
    PROVIDER_ASSERTED = "provider-asserted"
    """A cloud service says so of its key."""
    ATTESTED = "attested"
    """Evidence signed by the manufacturer was checked."""

    @property
    def rank(self) -> int:
        """Position in the order, the weakest 0."""
        return list(ProtectionLevel).index(self)


@dataclass(frozen=True, slots=True)
class Protection:
    """How a key is kept: the level, one phrase for people, and what the token or service says of it."""

    level: ProtectionLevel
    summary: str
    claims: Mapping[str, str] = field(default_factory=dict, hash=False)
