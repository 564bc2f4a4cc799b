"""What the gate looked at, and what it found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from hatch_sign.values.errors import RejectedError

if TYPE_CHECKING:
    from pathlib import Path

    from hatch_sign.verification.reports import ArtifactReport

LISTED = 20
"""Checks of one subject that are told of many: a folder may hold thousands of files."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    `subject` names it in a word or two, `found` says what is there; `expected` and `remedy` are empty where all is well.
    Text from files is raw here: show it through ``display()``.
    """

    status: Literal["ok", "warning", "failure"]
    subject: str
    found: str
    expected: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class ReleaseReport:
    """The whole of it. `names` and `version` are normalised; empty and None where the folder holds no one release.

    `tag` and `commit` are None where they are not known.
    """

    folder: Path
    checks: tuple[Check, ...]
    artifacts: tuple[ArtifactReport, ...]
    names: tuple[str, ...] = ()
    version: str | None = None
    tag: str | None = None
    commit: str | None = None

    @property
    def passed(self) -> bool:
        """Whether nothing failed; what is only warned of may leave."""
        return all(check.status != "failure" for check in self.checks)

    @property
    def exit_code(self) -> int:
        """0 where it may leave, else 1."""
        return 0 if self.passed else RejectedError.exit_code


def ok(subject: str, found: str) -> Check:
    """Return a check that found what should be there."""
    return Check("ok", subject, found)


def warning(subject: str, found: str, expected: str = "", remedy: str = "") -> Check:
    """Return a check that found what may leave, and should be known."""
    return Check("warning", subject, found, expected, remedy)


def failure(subject: str, found: str, expected: str, remedy: str) -> Check:
    """Return a check that found why the release must stay."""
    return Check("failure", subject, found, expected, remedy)


def listed(checks: Iterable[Check]) -> Iterator[Check]:
    """Yield the first :data:`LISTED` of the checks of one subject, and one more that counts the rest."""
    found: Sequence[Check] = tuple(checks)
    yield from found[:LISTED]
    rest = found[LISTED:]
    if rest:
        gravest = next((check for check in rest if check.status == "failure"), rest[0])
        yield Check(gravest.status, gravest.subject, f"and {len(rest)} more")
