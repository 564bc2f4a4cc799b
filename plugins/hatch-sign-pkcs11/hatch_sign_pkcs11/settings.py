"""What the environment says of how a token is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

RECONNECT_VARIABLE = "HATCH_SIGN_PKCS11_RECONNECT_SECONDS"
"""How long to wait for a token that went away in the middle of a run."""

SESSIONS_VARIABLE = "HATCH_SIGN_PKCS11_SESSIONS"
"""How many sessions may be open at once, for a token that others need as well."""

_MOST_SESSIONS = 64
_RECONNECT_SECONDS = 30.0
_LONGEST_RECONNECT = 3600.0


def reconnect_seconds(environ: Mapping[str, str]) -> float:
    """Return how long to wait for a token that went away. Raises ConfigurationError."""
    return _read_number(environ, RECONNECT_VARIABLE, _RECONNECT_SECONDS, lowest=0, highest=_LONGEST_RECONNECT)


def most_sessions(environ: Mapping[str, str]) -> int:
    """Return how many sessions may be open at once. Raises ConfigurationError."""
    number = _read_number(environ, SESSIONS_VARIABLE, _MOST_SESSIONS, lowest=1, highest=_MOST_SESSIONS)
    if number == int(number):
        return int(number)
    message = f"{SESSIONS_VARIABLE} is {number:g}, and must be a whole number"
    raise ConfigurationError(message)


def _read_number(environ: Mapping[str, str], variable: str, default: float, *, lowest: float, highest: float) -> float:
    text = environ.get(variable, "")
    try:
        number = float(text) if text else default
    except ValueError:
        number = -1.0
    if lowest <= number <= highest:
        return number
    message = f"{variable} is `{display(text)}`, and must be a number from {lowest:g} to {highest:g}"
    raise ConfigurationError(message)
