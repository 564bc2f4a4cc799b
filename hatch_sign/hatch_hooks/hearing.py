"""What publishing does, told through Hatch as it happens: a line for each file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

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
        for withheld in report.withheld:
            self._voice.warn(f"{display(withheld.name)} is not published: {display(withheld.reason)}")

    def begins(self, destination: DestinationReport, files: Sequence[ReleaseFile]) -> None:
        """Say where the files go, and which of them are not kept there."""
        kept = len(files) - len(destination.drops)
        self._voice.note(f"to {display(destination.name)} ({display(destination.title)}): {kept} of {len(files)} files")
        self._tell_drops(destination)

    def settled(self, destination: DestinationReport, published: Published) -> None:
        """Say what became of a file."""
        if published.deed != "kept-back":
            detail = f": {display(published.detail)}" if published.detail else ""
            self._voice.note(f"{display(destination.name)}: {published.deed} {display(published.name)}{detail}")

    def ended(self, destination: DestinationReport) -> None:
        """Say what could be read back, and what could not."""
        same = sum(each.state == "same" for each in destination.read_back)
        if same:
            self._voice.note(f"{display(destination.name)}: {same} read back, the same bytes")
        for each in destination.read_back:
            if each.state == "unreadable":
                detail = f": {display(each.detail)}" if each.detail else ""
                self._voice.warn(f"{display(destination.name)}: {display(each.name)} could not be read back{detail}")

    def foretell(self, report: PublishingReport) -> None:
        """Say what a dry run would have sent where, and what would not be kept there."""
        for destination in report.destinations:
            dropped = {withheld.name for withheld in destination.drops}
            for file in report.files:
                if destination.error is None and file.name not in dropped:
                    self._voice.note(f"would publish {display(file.name)} to {display(destination.name)}")
            self._tell_drops(destination)

    def _tell_drops(self, destination: DestinationReport) -> None:
        for dropped in destination.drops:
            self._voice.note(f"{display(destination.name)} does not keep {display(dropped.name)}: {display(dropped.reason)}")
