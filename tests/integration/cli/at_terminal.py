"""hatch-sign at a terminal, as a person sees it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ...terminals import converse

if TYPE_CHECKING:
    from .cli_project import Project


def at_terminal(
    project: Project, *arguments: str, typed: str = "", without: str = "", columns: int = 160
) -> tuple[int, str]:
    """Run hatch-sign on a pseudo-terminal, type something, and return the exit code and the screen."""
    environ = {name: value for name, value in project.environ.items() if name != without} | {
        "TERM": "xterm",
        "COLUMNS": str(columns),
    }
    command = [sys.executable, "-m", "hatch_sign", *arguments]
    return converse(command, [typed.encode()] if typed else (), environ=environ, folder=project.folder)
