"""How a build speaks to the person who builds: each front end lends its own voice."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import ClassVar, NoReturn, Protocol


class Voice(Protocol):
    """Lines with our prefix. What comes from files or from others must have gone through ``display()`` before."""

    def note(self, text: str) -> None:
        """Say what was done."""
        ...

    def note_once(self, text: str) -> None:
        """Say it, unless this process has said it already."""
        ...

    def warn(self, text: str) -> None:
        """Warn, and go on."""
        ...

    def detail(self, text: str) -> None:
        """Say one of several reasons for the error that follows."""
        ...

    def debug(self, text: str) -> None:
        """Say what only somebody who searches for a mistake wants to know."""
        ...

    def abort(self, text: str, code: int) -> NoReturn:
        """End the build with one line and, as far as the front end hands it on, an exit code."""
        ...


class PlainVoice:
    """Speaks on standard error: what a front end makes of standard output is its own business."""

    _said: ClassVar[set[str]] = set()

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Speak; of what only helps to find mistakes, where ``HATCH_SIGN_DEBUG`` is set."""
        self._debugs = bool(environ.get("HATCH_SIGN_DEBUG"))

    def note(self, text: str) -> None:
        """Say what was done."""
        self._line(text)

    def note_once(self, text: str) -> None:
        """Say it, unless this process has said it already."""
        if text not in self._said:
            self._said.add(text)
            self._line(text)

    def warn(self, text: str) -> None:
        """Warn, and go on."""
        self._line(f"warning: {text}")

    def detail(self, text: str) -> None:
        """Say one of several reasons for the error that follows."""
        self._line(f"  {text}")

    def debug(self, text: str) -> None:
        """Say it where it was asked for."""
        if self._debugs:
            self._line(text)

    def abort(self, text: str, code: int) -> NoReturn:
        """Say the reason in one line, and end this process: an exception would show the user a traceback of ours.

        Said once: front ends look at further hooks while they end, and each would end the process for the same reason.
        """
        self.note_once(f"error: {text}")
        raise SystemExit(code)

    def _line(self, text: str) -> None:
        sys.stderr.write(f"hatch-sign: {text}\n")
        sys.stderr.flush()
