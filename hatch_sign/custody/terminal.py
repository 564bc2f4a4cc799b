"""Asking a person, where one sits at the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable


def terminal_prompt() -> Callable[[str], str] | None:
    """Return what asks for a secret without showing it; None where nobody sits there to answer."""
    if sys.stdin is None or not sys.stdin.isatty():
        return None
    from getpass import getpass  # noqa: PLC0415 - where a person sits only

    return getpass
