"""What publishing does, told through Hatch as it happens: a line for each file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from hatch_sign.publishing.phrases import (
    dropped_lines,
    foretold_lines,
    place_phrase,
    read_back_lines,
    unreadable_lines,
    withheld_lines,
)
from hatch_sign.publishing.reports import Listener
from hatch_sign.values.display import display

if TYPE_CHECKING:
    from hatch_sign.building.voice import Voice
    from hatch_sign.contract import Published, ReleaseFile
    from hatch_sign.publishing.reports import DestinationReport, PublishingReport


class Hearing(Listener):
    """Tells a run to the person who publishes."""

    def __init__(self, voice: Voice) -> None:
        """Tell it with this voice."""
        self._voice = voice

    def verified(self, report: PublishingReport) -> None:
        """Say what each signature is worth, and what no place is going to get."""
        for outcome in (outcome for each in report.artifacts for outcome in each.outcomes):
            detail = f": {display(outcome.detail)}" if outcome.detail else ""
            say = self._voice.note if report.passed else self._voice.detail
            say(f"{display(outcome.place)}: {display(outcome.signature)} is {outcome.verdict.value}{detail}")
            for warning in outcome.warnings:
                self._voice.warn(display(warning))
        for line in withheld_lines(report):
            self._voice.warn(line)

    def begins(self, destination: DestinationReport, files: Sequence[ReleaseFile]) -> None:
        """Say where the files go, and which of them are not kept there."""
        kept = len(files) - len(destination.drops)
        self._note([f"to {place_phrase(destination)}: {kept} of {len(files)} files", *dropped_lines(destination)])

    def settled(self, destination: DestinationReport, published: Published) -> None:
        """Say what became of a file."""
        if published.deed != "kept-back":
            detail = f": {display(published.detail)}" if published.detail else ""
            self._voice.note(f"{display(destination.name)}: {published.deed} {display(published.name)}{detail}")

    def ended(self, destination: DestinationReport) -> None:
        """Say what could be read back, and what could not."""
        self._note(read_back_lines(destination))
        for line in unreadable_lines(destination):
            self._voice.warn(line)

    def foretell(self, report: PublishingReport) -> None:
        """Say what a dry run would have sent where, and what would not be kept there."""
        for destination in report.destinations:
            self._note([*foretold_lines(destination, report), *dropped_lines(destination, "would not keep")])

    def _note(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._voice.note(line)
