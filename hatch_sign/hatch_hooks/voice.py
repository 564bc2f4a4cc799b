"""How a build speaks to the person who builds: through Hatch, which knows how loud it was asked to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NoReturn

if TYPE_CHECKING:
    from hatchling.bridge.app import Application


class Voice:
    """Lines with our prefix. What comes from files or from others must have gone through ``display()`` before."""

    _said: ClassVar[set[str]] = set()
    """What was said once in this process: Hatch makes one hook for each target, and speaking once is enough."""

    def __init__(self, app: Application) -> None:
        """Speak through the application that Hatch lends to a hook."""
        self._app = app

    def note(self, text: str) -> None:
        """Say what was done."""
        self._app.display_info(f"hatch-sign: {text}")

    def note_once(self, text: str) -> None:
        """Say it, unless this process has said it already."""
        if text not in self._said:
            self._said.add(text)
            self.note(text)

    def warn(self, text: str) -> None:
        """Warn, and go on."""
        self._app.display_warning(f"hatch-sign: warning: {text}")

    def detail(self, text: str) -> None:
        """Say one of several reasons for the error that follows."""
        self._app.display_error(f"  {text}")

    def debug(self, text: str) -> None:
        """Say what only somebody who searches for a mistake wants to know."""
        self._app.display_debug(f"hatch-sign: {text}")

    def abort(self, text: str, code: int) -> NoReturn:
        """End the build with one line and an exit code, and no traceback."""
        self._app.abort(f"hatch-sign: error: {text}", code)
        raise SystemExit(code)  # an application whose `abort` returns must not go on to publish
