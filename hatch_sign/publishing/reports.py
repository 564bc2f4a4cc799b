"""What publishing found, did, and left, told as it comes and whole at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hatch_sign.values.display import display
from hatch_sign.values.errors import HatchSignError, RejectedError

if TYPE_CHECKING:
    from hatch_sign.contract import Published, ReadBack, ReleaseFile
    from hatch_sign.verification.reports import ArtifactReport

_GRAVEST_FIRST = (RejectedError.exit_code, HatchSignError.exit_code)
"""Exit codes of failures that come together: what is not to be trusted stays so, what failed may do so no more."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """A file that goes nowhere, or not to one destination, and why."""

    name: str
    reason: str


@dataclass(slots=True)
class DestinationReport:
    """One destination: grows while it is published to, so that an interrupted run can tell what was done.

    `name` is what it was chosen by, `publisher` the plugin's name, `title` the place itself, empty before it is known.
    """

    name: str
    publisher: str
    title: str = ""
    drops: tuple[Withheld, ...] = ()
    published: list[Published] = field(default_factory=list)
    read_back: tuple[ReadBack, ...] = ()
    error: HatchSignError | None = None
    done: bool = False


@dataclass(slots=True)
class PublishingReport:
    """The whole run. `files` are what passed, artifacts first; `withheld` are signatures that nobody here trusts."""

    artifacts: tuple[ArtifactReport, ...]
    files: tuple[ReleaseFile, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    destinations: list[DestinationReport] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether every artifact is trusted."""
        return all(report.passed for report in self.artifacts)

    @property
    def failures(self) -> tuple[HatchSignError, ...]:
        """What went wrong: the artifacts that are rejected, else what destinations failed by; each a line for people."""
        rejected = [report for report in self.artifacts if not report.passed]
        if rejected:
            return tuple(_rejection(report) for report in rejected)
        return tuple(destination.error for destination in self.destinations if destination.error is not None)

    @property
    def exit_code(self) -> int:
        """0 where all went well, else the gravest of what went wrong: 1 before 3 before 2."""
        codes = {failure.exit_code for failure in self.failures}
        return next((code for code in _GRAVEST_FIRST if code in codes), max(codes, default=0))

    def raise_failure(self) -> None:
        """Raise the gravest failure. Returns where there was none."""
        for failure in self.failures:
            if failure.exit_code == self.exit_code:
                raise failure


class Listener:
    """Told of everything as it comes; does nothing. Raises nothing but what ends the run."""

    def found(self, artifacts: int) -> None:
        """Hear that so many artifacts are going to be verified."""

    def checked(self) -> None:
        """Hear that one artifact was read; called from any thread."""

    def verified(self, report: PublishingReport) -> None:
        """Hear that all artifacts are judged; `report` is going to grow."""

    def begins(self, destination: DestinationReport, files: Sequence[ReleaseFile]) -> None:
        """Hear that files are about to be sent to a place that is open: its title and what it drops are known."""

    def settled(self, destination: DestinationReport, published: Published) -> None:
        """Hear that one file is settled there."""

    def ended(self, destination: DestinationReport) -> None:
        """Hear that a destination is done, or has failed."""


def _rejection(report: ArtifactReport) -> RejectedError:
    message = f"{display(report.artifact.path)} is rejected: {report.objections}"
    return RejectedError(message, remedy="nothing was published")
