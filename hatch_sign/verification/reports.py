"""What verifying found."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_sign.values.display import display
from hatch_sign.values.outcomes import REJECTING, Outcome, Verdict

if TYPE_CHECKING:
    from hatch_sign.artifacts.discovery import Artifact
    from hatch_sign.values.artifacts import Subject


_GOOD_INSIDE = frozenset({Verdict.TRUSTED, Verdict.NOT_APPLICABLE})
"""What each of the signatures inside a file may be."""

_NOT_THERE = frozenset({Verdict.UNSIGNED, Verdict.NOT_APPLICABLE})
"""What is said where there is no signature."""

_SHOWN = 3
"""Objections that are told of many: a wheel may have a thousand libraries inside."""


@dataclass(frozen=True, slots=True)
class ArtifactReport:
    """One artifact: every signature that was looked for or found, and whether it may be used.

    `subject` is the artifact as it was read: its size, and the digests that were asked for.
    """

    artifact: Artifact
    outcomes: tuple[Outcome, ...]
    passed: bool
    subject: Subject | None = None

    def files_of(self, outcome: Outcome) -> tuple[Path, ...]:
        """Return the files that hold a signature: a list before the one over it, the artifact where it is inside."""
        if outcome.sidecar:
            return tuple(Path(name) for name in (outcome.sidecar, outcome.over_list) if name)
        return () if outcome.verdict in _NOT_THERE else (self.artifact.path,)

    @property
    def objections(self) -> str:
        """What is not trusted, and why, in one line for people; empty where all is."""
        bad = [outcome for outcome in self.outcomes if outcome.verdict not in _GOOD_INSIDE]
        shown = [_objection(outcome) for outcome in bad[:_SHOWN]]
        more = len(bad) - len(shown)
        return ", ".join([*shown, f"and {more} more"] if more else shown)


def conclude(
    artifact: Artifact, outcomes: Sequence[Outcome], require: Iterable[str], embedded: Container[str] = ()
) -> ArtifactReport:
    """Return the report: passed only where all that is required is trusted, and nothing that is present is broken.

    Of an `embedded` format every member must be trusted, as far as the format has a say in it. Members alone never vouch
    for the file around them, nor does a format that has no say in such a file: something must cover the whole of it.
    """
    required = list(require)
    found = [*outcomes, *_missing(artifact, outcomes, required)]
    satisfied = all(_satisfied(name, found, embedded) for name in required)
    broken = any(outcome.verdict in REJECTING for outcome in found)
    covered = any(outcome.verdict is Verdict.TRUSTED and outcome.member is None for outcome in found)
    if satisfied and not broken and not covered:
        found.append(_uncovered(artifact, required[0]))
    return ArtifactReport(artifact, tuple(found), passed=satisfied and covered and not broken)


def _objection(outcome: Outcome) -> str:
    within = f" in {display(outcome.member)}" if outcome.member is not None else ""
    why = f" ({display(outcome.detail)})" if outcome.detail else ""
    return f"{display(outcome.signature)}{within} is {outcome.verdict.value}{why}"


def _missing(artifact: Artifact, outcomes: Sequence[Outcome], require: Iterable[str]) -> Iterator[Outcome]:
    for name in require:
        if not any(_is_of(outcome, name) for outcome in outcomes):
            yield Outcome(artifact.name, name, name, Verdict.UNSIGNED, detail="required, and not there")


def _uncovered(artifact: Artifact, name: str) -> Outcome:
    detail = "nothing trusted covers the whole file: require a format that does, such as sigstore, too"
    return Outcome(artifact.name, name, name, Verdict.UNSIGNED, detail=detail)


def _satisfied(name: str, outcomes: Iterable[Outcome], embedded: Container[str]) -> bool:
    verdicts = {outcome.verdict for outcome in outcomes if _is_of(outcome, name)}
    return verdicts <= _GOOD_INSIDE if name in embedded else Verdict.TRUSTED in verdicts


def _is_of(outcome: Outcome, name: str) -> bool:
    return name in {outcome.signature, outcome.format}
