"""One destination: opened, told ahead what it will not keep, published to, and read back."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hatch_sign.contract.guarding import missing_module
from hatch_sign.publishing.reports import DestinationReport, Listener, Withheld
from hatch_sign.values.display import display
from hatch_sign.values.errors import HatchSignError, PluginError, PublishError, RejectedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from hatch_sign.contract import Destination, Published, ReleaseFile
    from hatch_sign.publishing.targets import Target


@dataclass(frozen=True, slots=True)
class Opening:
    """A destination that is ready to be entered: its settings are right, and nothing was asked of a network yet."""

    target: Target
    destination: AbstractContextManager[Destination]


def publish_to(opening: Opening, files: Sequence[ReleaseFile], report: DestinationReport, listener: Listener) -> None:
    """Publish `files` and fill `report`; what fails is recorded there, so that the other destinations have their turn."""
    try:
        with opening.destination as destination:
            report.title = destination.title
            report.drops = drops_of(report, files, destination.drops)
            _publish(destination, files, report, listener)
        report.done = True
    except HatchSignError as error:
        report.error = error
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may raise anything, and others go on
        report.error = failed(report.publisher, error)
    listener.ended(report)


def drops_of(
    report: DestinationReport, files: Sequence[ReleaseFile], drops: Callable[[ReleaseFile], str]
) -> tuple[Withheld, ...]:
    """Return which of `files` a place will not keep. Raises UsageError where it keeps none of the artifacts."""
    found = tuple(Withheld(file.name, reason) for file in files if (reason := drops(file)))
    names = {each.name for each in found}
    if all(file.name in names for file in files if file.format is None):
        message = f"{_place(report)} would keep none of the artifacts: {display(found[0].name)}: {found[0].reason}"
        raise UsageError(message, remedy="choose another place to publish to, with --to")
    return found


def failed(publisher: str, error: BaseException) -> PluginError:
    """Return the error of a publisher that failed; its text may hold a credential, its name does not."""
    if isinstance(error, ModuleNotFoundError):
        return missing_module(error, needed_by=f"the publisher {display(publisher)}")
    message = f"the publisher {display(publisher)} failed: {type(error).__name__}"
    return PluginError(message, remedy="report it to the author of the publisher")


def _publish(destination: Destination, files: Sequence[ReleaseFile], report: DestinationReport, listener: Listener) -> None:
    listener.begins(report, files)

    def settle(published: Published) -> None:
        report.published.append(published)
        listener.settled(report, published)

    destination.publish(files, settle)
    dropped = {withheld.name for withheld in report.drops}
    kept = [file for file in files if file.name not in dropped]
    _require_settled(kept, report)
    report.read_back = tuple(destination.read_back(kept))
    _require_same(report)


def _require_settled(kept: Sequence[ReleaseFile], report: DestinationReport) -> None:
    """Raise PublishError where the place said nothing of a file: what nobody vouches for was not published."""
    settled = {published.name for published in report.published}
    missing = [file.name for file in kept if file.name not in settled]
    if missing:
        message = f"{_place(report)} did not say what became of {display(', '.join(missing))}"
        raise PublishError(message, remedy="look there, and run again")


def _require_same(report: DestinationReport) -> None:
    for each in report.read_back:
        if each.state == "differs":
            message = f"what {_place(report)} has as {display(each.name)} is not what was verified"
            detail = f"{message}: {display(each.detail)}" if each.detail else message
            raise RejectedError(detail, remedy="withdraw the release there, and find out who changed it")


def _place(report: DestinationReport) -> str:
    return display(report.title or report.name)
