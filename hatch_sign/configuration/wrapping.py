"""The table ``build``: which build backend ours wraps. It is checked here, and read by the backend itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hatch_sign.configuration.schema import BUILD
from hatch_sign.configuration.source import PROJECT_FILE

if TYPE_CHECKING:
    from hatch_sign.configuration.checking import Checker
    from hatch_sign.configuration.lines import KeyPath

_AT: KeyPath = ("build",)


def check_build(table: dict[str, Any] | None, checker: Checker, *, in_project: bool) -> None:
    """Record what is wrong with the table; `in_project` is whether it stands in a ``pyproject.toml``."""
    if table is None:
        return
    if not in_project:
        checker.mistakes.add(_AT, f"belongs in {PROJECT_FILE}, as [tool.hatch-sign.build]: builds look nowhere else")
    if "backend" not in checker.table(table, BUILD, _AT) and "backend" not in table:
        checker.mistakes.add(_AT, 'lacks `backend`, the one that builds, such as "setuptools.build_meta"')
