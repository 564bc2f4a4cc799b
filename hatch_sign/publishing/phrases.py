"""What publishing found and did, in lines for people that every front end tells alike; files of one fate take one line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from hatch_sign.values.display import display

if TYPE_CHECKING:
    from hatch_sign.publishing.reports import DestinationReport, PublishingReport

_SHOWN = 3
"""Names of files that are shown of many."""


def place_phrase(destination: DestinationReport) -> str:
    """Return the name of a place, and its address where that is known."""
    name = display(destination.name)
    return f"{name} ({display(destination.title)})" if destination.title else name


def withheld_lines(report: PublishingReport) -> list[str]:
    """Return which signatures no place is going to get, and why."""
    grouped = _by_reason((each.name, each.reason) for each in report.withheld)
    return [f"{_listed(names)} {'is' if len(names) == 1 else 'are'} not published: {reason}" for reason, names in grouped]


def dropped_lines(destination: DestinationReport, verb: str = "does not keep") -> list[str]:
    """Return which files the place does not keep, and why."""
    grouped = _by_reason((each.name, each.reason) for each in destination.drops)
    return [f"{display(destination.name)} {verb} {_listed(names)}: {reason}" for reason, names in grouped]


def foretold_lines(destination: DestinationReport, report: PublishingReport) -> list[str]:
    """Return what would be sent to the place; nothing where it is clear already that it would fail."""
    dropped = {each.name for each in destination.drops}
    sent = [file.name for file in report.files if file.name not in dropped] if destination.error is None else []
    return [f"would publish {display(name)} to {place_phrase(destination)}" for name in sent]


def unreadable_lines(destination: DestinationReport) -> list[str]:
    """Return what could not be read back, and why."""
    grouped = _by_reason((each.name, each.detail) for each in destination.read_back if each.state == "unreadable")
    return [
        f"{display(destination.name)}: {_listed(names)} could not be read back{f': {detail}' if detail else ''}"
        for detail, names in grouped
    ]


def read_back_lines(destination: DestinationReport) -> list[str]:
    """Return how many files were read back, and are the same."""
    same = sum(each.state == "same" for each in destination.read_back)
    return [f"{display(destination.name)}: {same} read back, the same bytes"] if same else []


def _by_reason(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    """Return the names of files that share a reason, with that reason as it is shown."""
    found: dict[str, list[str]] = {}
    for name, reason in pairs:
        found.setdefault(reason, []).append(name)
    return [(display(reason), names) for reason, names in found.items()]


def _listed(names: Sequence[str]) -> str:
    """Return the first few names, and how many more there are."""
    shown = ", ".join(display(name) for name in names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown
