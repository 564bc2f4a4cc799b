"""What was found in a file: never the secret itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["private-key", "keystore", "token-file", "pin", "password", "access-token"]
KINDS: tuple[str, ...] = get_args(Kind)
"""What an allow list may name."""


@dataclass(frozen=True, slots=True)
class Found:
    """One secret: `what` says which sort it is; `offset` is where it begins, in bytes."""

    kind: Kind
    what: str
    offset: int = 0


def is_random(text: bytes) -> bool:
    """Return whether a value of a key or token is no placeholder, such as ``xxxx`` or ``AAAA``."""
    fewest_characters = 10
    return len(set(text)) >= fewest_characters and b"EXAMPLE" not in text.upper()
