"""What publishing does, told as it happens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from hatch_sign.cli.console import Progress
from hatch_sign.cli.outcomes import show_outcomes
from hatch_sign.cli.publishing_documents import publishing_document
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
    from types import TracebackType

    from hatch_sign.cli.console import Console
    from hatch_sign.contract import Published, ReleaseFile
    from hatch_sign.publishing.reports import DestinationReport, PublishingReport
    from hatch_sign.publishing.run import Publishing


class Teller(Listener):
    """Shows a run on the console: bars on a terminal, and elsewhere a line for each file as soon as it is settled.

    With `quiet` nothing is told until the document at the end. A reader who has gone stops no upload.
    """

    def __init__(self, console: Console, publishing: Publishing, *, quiet: bool, bars: bool) -> None:
        self._console = console
        self._publishing = publishing
        self._quiet = quiet
        self._bars = bars
        self._stack = ExitStack()
        self._progress = Progress()
        self._report: PublishingReport | None = None

    def __enter__(self) -> None:
        """Begin; leaving ends whatever bar is shown."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End whatever bar is shown."""
        self._end_bar()

    def found(self, artifacts: int) -> None:
        """Begin the bar of verifying."""
        self._begin_bar("verifying", artifacts)

    def checked(self) -> None:
        """Count one artifact."""
        self._progress.advance()

    def verified(self, report: PublishingReport) -> None:
        """Show the verdicts, and what no destination is going to get."""
        self._end_bar()
        self._report = report
        if self._quiet:
            return
        judging = self._publishing.judging
        self._console.note(f"hatch-sign: trust from {display(judging.path)}")
        show_outcomes(self._console, [outcome for each in report.artifacts for outcome in each.outcomes])
        if report.passed:
            count = "1 artifact is" if len(report.artifacts) == 1 else f"{len(report.artifacts)} artifacts are"
            self._console.note(f"hatch-sign: {count} trusted")
        for line in withheld_lines(report):
            self._console.warn(line)

    def begins(self, destination: DestinationReport, files: Sequence[ReleaseFile]) -> None:
        """Say where the files go, and which of them are not kept there."""
        if not self._quiet:
            with suppress(BrokenPipeError):
                self._announce(destination, len(files))
        self._begin_bar("publishing", len(files) - len(destination.drops))

    def settled(self, destination: DestinationReport, published: Published) -> None:
        """Show what became of a file: at once, or on a terminal by the bar."""
        if _was_announced(destination, published):
            return
        self._progress.advance()
        if not self._quiet and not self._console.is_terminal:
            with suppress(BrokenPipeError):
                self._console.table((), [_row(destination, published)])
                self._console.flush()

    def ended(self, destination: DestinationReport) -> None:
        """Show what a terminal was not shown yet, and what the place could not give back."""
        self._end_bar()
        if self._quiet:
            return
        with suppress(BrokenPipeError):
            self._show_rows(destination)
            for line in unreadable_lines(destination):
                self._console.warn(line)
            self._note(read_back_lines(destination))

    def interrupted(self) -> None:
        """Say what was done until the user ended it."""
        if self._report is None or not self._report.destinations:
            self._console.note("hatch-sign: nothing was published")
            return
        if self._quiet:
            self._document(interrupted=True)
            return
        for destination in self._report.destinations:
            if not destination.done and destination.error is None:
                self._show_rows(destination)
        done = sum(each.deed != "kept-back" for place in self._report.destinations for each in place.published)
        files = "1 file is" if done == 1 else f"{done} files are"
        self._console.note(f"hatch-sign: {files} published, and stay so; run again for the rest")

    def conclude(self) -> None:
        """Show what went wrong, a line each, or print the document."""
        if self._report is None:
            return
        if self._publishing.dry_run and not self._quiet:
            for destination in self._report.destinations:
                self._foretell(destination, self._report)
        for failure in self._report.failures:
            self._console.error(str(failure), failure.details)
        if self._quiet:
            self._document()

    def _announce(self, destination: DestinationReport, count: int) -> None:
        self._note([f"to {place_phrase(destination)}: {count - len(destination.drops)} of {count} files"])
        self._note(dropped_lines(destination))

    def _foretell(self, destination: DestinationReport, report: PublishingReport) -> None:
        """Say what would be sent."""
        for line in foretold_lines(destination, report):
            self._console.line(line)
        self._note(dropped_lines(destination, "would not keep"))
        if not destination.title and destination.error is None:
            self._note([f"what {display(destination.name)} keeps is known only when it is open"])

    def _note(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._console.note(f"hatch-sign: {line}")

    def _show_rows(self, destination: DestinationReport) -> None:
        rows = [
            _row(destination, published) for published in destination.published if not _was_announced(destination, published)
        ]
        if rows and self._console.is_terminal:
            self._console.table(("destination", "what was done", "file", "detail"), rows)

    def _begin_bar(self, description: str, total: int) -> None:
        if self._bars and not self._quiet:
            self._progress = self._stack.enter_context(self._console.progress(description, total))

    def _end_bar(self) -> None:
        self._stack.close()
        self._progress = Progress()

    def _document(self, *, interrupted: bool = False) -> None:
        if self._report is not None:
            document = publishing_document(self._publishing, self._report, interrupted=interrupted)
            self._console.document(document)


def _was_announced(destination: DestinationReport, published: Published) -> bool:
    return published.deed == "kept-back" and any(withheld.name == published.name for withheld in destination.drops)


def _row(destination: DestinationReport, published: Published) -> tuple[str, str, str, str]:
    return destination.name, published.deed, published.name, published.detail
