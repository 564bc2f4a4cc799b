"""What publishing did, as programs read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.cli.outcomes import report_document

if TYPE_CHECKING:
    from hatch_sign.contract import ReleaseFile
    from hatch_sign.publishing.reports import DestinationReport, PublishingReport, Withheld
    from hatch_sign.publishing.run import Publishing
    from hatch_sign.values.errors import HatchSignError


def publishing_document(publishing: Publishing, report: PublishingReport, *, interrupted: bool = False) -> dict[str, object]:
    """Return the whole run as the published schema has it."""
    configuration, trust = publishing.configuration, publishing.trust
    return {
        "schema": "hatch-sign/publishing/v1",
        "configuration": str(configuration.path) if configuration.path else None,
        "policy": str(trust.path) if trust is not None else None,
        "dry-run": publishing.dry_run,
        "interrupted": interrupted,
        "passed": report.passed,
        "artifacts": [report_document(each) for each in report.artifacts],
        "files": [_file_document(file) for file in report.files],
        "withheld": [_withheld_document(each) for each in report.withheld],
        "destinations": [_destination_document(destination) for destination in report.destinations],
        "errors": [line for failure in report.failures for line in (str(failure), *failure.details)],
    }


def _destination_document(destination: DestinationReport) -> dict[str, object]:
    return {
        "name": destination.name,
        "publisher": destination.publisher,
        "title": destination.title or None,
        "done": destination.done,
        "drops": [_withheld_document(each) for each in destination.drops],
        "published": [{"name": each.name, "deed": each.deed, "detail": each.detail} for each in destination.published],
        "read-back": [{"name": each.name, "state": each.state, "detail": each.detail} for each in destination.read_back],
        "error": _error_line(destination.error),
    }


def _error_line(error: HatchSignError | None) -> str | None:
    return None if error is None else "; ".join((str(error), *error.details))


def _file_document(file: ReleaseFile) -> dict[str, object]:
    return {
        "name": file.name,
        "size": file.size,
        "sha256": file.sha256.hex(),
        "format": file.format,
        "artifact": file.artifact,
    }


def _withheld_document(withheld: Withheld) -> dict[str, object]:
    return {"name": withheld.name, "reason": withheld.reason}
