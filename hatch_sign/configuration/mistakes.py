"""Mistakes are gathered, each with its place, and reported together."""

from __future__ import annotations

from math import inf
from operator import itemgetter
from typing import TYPE_CHECKING

from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hatch_sign.configuration.lines import KeyPath
    from hatch_sign.configuration.source import Source


class Mistakes:
    """The mistakes of one configuration, by line as far as that is known."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._found: list[tuple[float, str]] = []

    def add(self, path: KeyPath, what: str) -> None:
        """Record a mistake at `path` in the file."""
        line = self._source.line_of(path)
        place = self._source.name if line is None else f"{self._source.name}:{line}"
        self._found.append((line or inf, f"{place}: {dotted(path)}: {what}" if path else f"{place}: {what}"))

    def add_outside(self, place: str, what: str) -> None:
        """Record a mistake in the environment or on the command line."""
        self._found.append((inf, f"{place}: {what}"))

    def raise_any(self) -> None:
        """Raise ConfigurationError with every mistake that was recorded; return where there is none."""
        if not self._found:
            return
        count = "a mistake" if len(self._found) == 1 else f"{len(self._found)} mistakes"
        message = f"the configuration holds {count}"
        raise ConfigurationError(message, problems=[text for _, text in sorted(self._found, key=itemgetter(0))])


def dotted(path: KeyPath) -> str:
    """Return `path` as people write it: ``verify.trust[0].subject``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{display(step)}" if text else display(step)
    return text


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a phrase that names what is most like `name`; empty where nothing is."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it

    matches = get_close_matches(name[:64], sorted(known), n=1)
    return f"; did you mean `{matches[0]}`?" if matches else ""
