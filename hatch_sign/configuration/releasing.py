"""The table ``release``: what a release is held against before it leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hatch_sign.configuration.model import ReleaseSettings
from hatch_sign.configuration.schema import RELEASE

if TYPE_CHECKING:
    from hatch_sign.configuration.checking import Checker
    from hatch_sign.configuration.lines import KeyPath

_AT: KeyPath = ("release",)


def read_release(table: Mapping[str, Any], checker: Checker) -> ReleaseSettings:
    """Return the settings, and record mistakes."""
    values = checker.table(table, RELEASE, _AT)
    projects = _normalised(values.get("projects", ()))
    return ReleaseSettings(expect=tuple(values.get("expect", ())), tag=values.get("tag", ""), projects=projects)


def _normalised(projects: Sequence[str]) -> tuple[str, ...]:
    if not projects:
        return ()
    from packaging.utils import canonicalize_name  # noqa: PLC0415 - loads slowly, where several are released together only

    return tuple(map(canonicalize_name, projects))
