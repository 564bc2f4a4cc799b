"""What tokens and keys may be called, and what a reference to them says."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hatch_sign.contract.references import parse_reference
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError

_LABEL = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}\Z")
_DEVICES = frozenset({"CON", "PRN", "AUX", "NUL"} | {f"{name}{digit}" for name in ("COM", "LPT") for digit in range(10)})


@dataclass(frozen=True, slots=True)
class EmulatedReference:
    """A parsed ``emulated:TOKEN[/KEY]``; `key` is None for the token's only key. `text` is it without its query."""

    token: str
    key: str | None
    pin_source: str | None

    @property
    def text(self) -> str:
        """The reference without its query."""
        return f"emulated:{self.token}" if self.key is None else f"emulated:{self.token}/{self.key}"


def parse_emulated_reference(reference: str) -> EmulatedReference:
    """Take `reference` apart. Raises ConfigurationError."""
    parsed = parse_reference(reference)
    parsed.require_known()
    if parsed.scheme != "emulated":
        message = f"{display(parsed.name)}: not an emulated: reference"
        raise ConfigurationError(message)
    token, slash, key = parsed.path.partition("/")
    return EmulatedReference(check_label(token), check_label(key) if slash else None, parsed.pin_source)


def check_label(label: str) -> str:
    """Return `label` if it may name a token or a key: a file name that every system takes.

    Raises ConfigurationError for anything but 1 to 64 of ``A-Z a-z 0-9 . _ -``, for a leading dot, and for the names of
    Windows devices.
    """
    if _LABEL.match(label) and label.partition(".")[0].upper() not in _DEVICES:
        return label
    message = f"`{display(label)}` cannot name a token or key"
    raise ConfigurationError(message, remedy="use 1 to 64 letters, digits, `.`, `_` or `-`, no dot first, no device name")
