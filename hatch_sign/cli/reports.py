"""Writing the reports of ``hatch-sign verify --report``."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_sign.artifacts.naming import is_signature_file
from hatch_sign.values.display import display
from hatch_sign.values.errors import UsageError

if TYPE_CHECKING:
    from hatch_sign.artifacts.discovery import Artifact
    from hatch_sign.configuration.model import Configuration
    from hatch_sign.contract import Format
    from hatch_sign.reporting.model import Circumstances, Report
    from hatch_sign.trust.policy import Policy
    from hatch_sign.verification.reports import ArtifactReport

REPORT_HASHES = frozenset({"sha256"})
"""Digests of each artifact that a report gives."""

_ENDINGS = (".html", ".md", ".json")


def add_report_argument(parser: argparse.ArgumentParser) -> None:
    """Declare ``--report``."""
    parser.add_argument(
        "--report",
        metavar="FILE",
        dest="reports",
        type=_target,
        action="append",
        default=[],
        help="write a report to keep, too: a page (.html), text (.md) or what --json prints (.json); may be repeated",
    )


def _target(text: str) -> Path:
    """Parse a target for argparse."""
    target = Path(text)
    if target.suffix.lower() not in _ENDINGS:
        message = f"{display(text)!r} does not end in .html, .md or .json, which says what to write"
        raise argparse.ArgumentTypeError(message)
    return target


def require_free_targets(
    targets: Iterable[Path], paths: Iterable[str], artifacts: Collection[Artifact], formats: Iterable[Format]
) -> None:
    """Raise UsageError for a report that has no folder to go to, or would take the place of what it is about.

    In a folder that is verified as a whole, one of `paths`, it would be an artifact itself, and an unsigned one.
    """
    taken, known = {artifact.path for artifact in artifacts}, tuple(formats)
    folders = [Path(path).resolve() for path in paths if Path(path).is_dir()]
    for target in targets:
        if target.parent.resolve() / target.name in taken or is_signature_file(target.name, known):
            message = f"--report {display(target)} would replace an artifact or a signature"
            raise UsageError(message, remedy="name another file")
        if any(target.parent.resolve().is_relative_to(folder) for folder in folders):
            message = f"--report {display(target)} would be taken for an artifact by the next run"
            raise UsageError(message, remedy="keep it outside of the folder that is verified")
        if target.is_dir() or not target.parent.is_dir():
            what = "is a folder" if target.is_dir() else "lies in a folder that does not exist"
            message = f"--report {display(target)} {what}"
            raise UsageError(message, remedy="name a file in a folder that exists")


def digest_of_policy(configuration: Configuration) -> str | None:
    """Return the SHA-256 of the configuration's file, hexadecimal; None where there is none."""
    from hatch_sign.configuration.source import read_limited  # noqa: PLC0415 - where a report is wanted only

    return None if configuration.path is None else hashlib.sha256(read_limited(configuration.path)).hexdigest()


def write_reports(
    targets: Sequence[Path],
    reports: Sequence[ArtifactReport],
    *,
    policy: Policy,
    configuration: Configuration,
    circumstances: Circumstances,
    document: Mapping[str, object],
) -> None:
    """Write a report to each of `targets`, whole or not at all. Raises SigningError where one cannot be written."""
    from hatch_sign.reporting.gathering import gather_report  # noqa: PLC0415 - where a report is wanted only
    from hatch_sign.storage.atomic import write_atomically  # noqa: PLC0415 - as above

    report = gather_report(reports, policy=policy, verify=configuration.verify, circumstances=circumstances)
    for target in targets:
        write_atomically(target, _encode(target, report, document))


def _encode(target: Path, report: Report, document: Mapping[str, object]) -> bytes:
    from hatch_sign.reporting.markdown import encode_markdown  # noqa: PLC0415 - as above
    from hatch_sign.reporting.page import encode_html  # noqa: PLC0415 - as above

    ending = target.suffix.lower()
    if ending == ".html":
        return encode_html(report)
    if ending == ".md":
        return encode_markdown(report)
    return (json.dumps(document, indent=2) + "\n").encode()
