"""What verifying found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hatch_sign.values.outcomes import REJECTING, Outcome, Verdict

if TYPE_CHECKING:
    from hatch_sign.artifacts.discovery import Artifact


@dataclass(frozen=True, slots=True)
class ArtifactReport:
    """One artifact: every signature that was looked for or found, and whether it may be used."""

    artifact: Artifact
    outcomes: tuple[Outcome, ...]
    passed: bool


def conclude(artifact: Artifact, outcomes: Sequence[Outcome], require: Iterable[str]) -> ArtifactReport:
    """Return the report: passed only where every required signature or format is trusted and none present is broken."""
    missing = tuple(
        Outcome(artifact.name, name, name, Verdict.UNSIGNED, detail="required, and not there")
        for name in require
        if not any(name in {outcome.signature, outcome.format} for outcome in outcomes)
    )
    everything = (*outcomes, *missing)
    satisfied = all(any(_satisfies(outcome, name) for outcome in everything) for name in require)
    broken = any(outcome.verdict in REJECTING for outcome in everything)
    return ArtifactReport(artifact, everything, passed=satisfied and not broken)


def _satisfies(outcome: Outcome, name: str) -> bool:
    return outcome.verdict is Verdict.TRUSTED and name in {outcome.signature, outcome.format}
