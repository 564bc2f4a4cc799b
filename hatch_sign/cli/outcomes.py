"""Outcomes as people and programs read them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from hatch_sign.values.display import display
from hatch_sign.values.late_errors import late_errors

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from hatch_sign.cli.console import Console
    from hatch_sign.values.outcomes import Outcome
    from hatch_sign.verification.reports import ArtifactReport


def show_outcomes(console: Console, outcomes: Sequence[Outcome]) -> None:
    """Write a row for each outcome, and its warnings beside the result."""
    timed = any(outcome.time for outcome in outcomes)
    headers = ("artifact", "signature", "verdict", "signer", *(("time",) if timed else ()), "detail")
    rows = [
        (
            outcome.place,
            outcome.signature,
            outcome.verdict.value,
            outcome.signer or "",
            *((_proven(outcome),) if timed else ()),
            outcome.detail,
        )
        for outcome in outcomes
    ]
    console.table(headers, rows)
    for outcome in outcomes:
        for warning in outcome.warnings:
            console.warn(display(warning))


def _proven(outcome: Outcome) -> str:
    return f"at {outcome.time:%Y-%m-%d %H:%M:%S}Z" if outcome.time else ""


def outcome_document(outcome: Outcome) -> dict[str, object]:
    """Return one outcome as the published schema has it."""
    return {
        "artifact": outcome.artifact,
        "signature": outcome.signature,
        "format": outcome.format,
        "verdict": outcome.verdict.value,
        "detail": outcome.detail,
        "member": outcome.member,
        "sidecar": PurePath(outcome.sidecar).name if outcome.sidecar else None,
        "signer": outcome.signer,
        "time": outcome.time.isoformat() if outcome.time else None,
        "warnings": list(outcome.warnings),
    }


def report_document(report: ArtifactReport) -> dict[str, object]:
    """Return what was found of one artifact as the published schemas have it."""
    return {
        "name": report.artifact.name,
        "path": str(report.artifact.path),
        "passed": report.passed,
        "signatures": [_found_document(outcome, report) for outcome in report.outcomes],
    }


def _found_document(outcome: Outcome, report: ArtifactReport) -> dict[str, object]:
    return {
        **outcome_document(outcome),
        "files": [str(path) for path in report.files_of(outcome)],
        "certificate": _certificate_document(outcome),
    }


def _certificate_document(outcome: Outcome) -> dict[str, object] | None:
    """Return the signer's certificate, where a rule found that it leads to a root; what nobody believes is not shown."""
    chain = outcome.grounds.chain if outcome.grounds is not None else ()
    if not chain:
        return None
    from hatch_sign.reporting.material import describe_certificate  # noqa: PLC0415 - where there are certificates only

    return {"subject": describe_certificate(chain[0], "signer").subject, "ends": _end(chain[0])}


def _end(certificate: Certificate) -> str | None:
    try:
        return certificate.not_valid_after_utc.isoformat()
    except late_errors():
        return None
