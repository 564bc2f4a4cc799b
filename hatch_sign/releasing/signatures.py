"""What is signed: every required signature is trusted, lasts, and has its timestamp."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_sign.formats.slsa import SourceCommit, source_commits
from hatch_sign.releasing.checks import Check, failure, listed, ok, warning
from hatch_sign.values.outcomes import Outcome, Verdict
from hatch_sign.verification.presence import Shelf, load

if TYPE_CHECKING:
    from hatch_sign.artifacts.discovery import Artifact
    from hatch_sign.configuration.model import Configuration, SignatureSettings
    from hatch_sign.contract import Format
    from hatch_sign.verification.reports import ArtifactReport

_REMEDIES = {
    Verdict.HASH_MISMATCH: "it changed after it was signed: build it again, and sign it",
    Verdict.MALFORMED: "build it again, and sign it with --overwrite",
    Verdict.REVOKED: "sign it with another certificate, with --overwrite",
    Verdict.WRONG_IDENTITY: "sign it as one whom `verify.trust` names, with --overwrite",
    Verdict.UNTRUSTED: "sign it with a key that `verify.trust` names, with --overwrite, or name this one there",
    Verdict.EXPIRED: "sign it with what has not ended, with --overwrite, and with a `timestamp`, by which it outlives that",
    Verdict.INDETERMINATE: "see what could not be had, and run this again",
    Verdict.UNSIGNED: "`hatch-sign sign` it",
}
"""What to do, beginning with what is gravest."""


def check_signatures(reports: Sequence[ArtifactReport], require: Sequence[str]) -> Iterator[Check]:
    """Check that each artifact is trusted; a signature that is not needed for that, and not trusted, is warned of."""
    expected = f"{', '.join(require)} trusted"
    yield from listed(
        failure("signatures", f"{report.artifact.name}: {report.objections}", expected, _remedy(report))
        for report in reports
        if not report.passed
    )
    idle = [outcome for report in reports if report.passed for outcome in report.outcomes if _is_idle(outcome)]
    found = (f"{each.artifact}: {each.signature} is {each.verdict.value}" for each in idle)
    yield from listed(warning("signatures", each, remedy="remove it, or make it anew") for each in dict.fromkeys(found))
    if reports and all(report.passed for report in reports):
        yield ok("signatures", f"{len(reports)} of {len(reports)} trusted")
    elif not reports:
        yield failure("signatures", "no artifact to verify", expected, "build and sign first")


def check_ends(reports: Iterable[ArtifactReport]) -> Iterator[Check]:
    """Check that nothing by which signatures are trusted ends soon."""
    told = dict.fromkeys(each for report in reports for outcome in report.outcomes for each in outcome.warnings)
    yield from listed(warning("lasting", each, remedy="renew it, and sign with a timestamp") for each in told)
    if not told:
        yield ok("lasting", "nothing ends within 30 days")


def check_timestamps(reports: Sequence[ArtifactReport], configuration: Configuration, *, believed: bool) -> Iterator[Check]:
    """Check that what is configured to have a timestamp has one; `believed` is whether any timestamp could be.

    What may do without one is warned of.
    """
    stamped = [settings for settings in configuration.signs if settings.timestamp]
    remedy = "`hatch-sign timestamp` adds one" if believed else "name the authority's roots in `verify.timestamp-roots`"
    missing = [
        _without_time(outcome, settings, remedy)
        for settings in stamped
        for report in reports
        for outcome in report.outcomes
        if outcome.verdict is Verdict.TRUSTED and outcome.time is None and _is_made_by(outcome, settings, configuration)
    ]
    yield from listed(dict.fromkeys(missing))
    if not missing:
        yield ok("timestamps", "each signature has a time that is proven" if stamped else "none is configured")


def claimed_sources(
    reports: Iterable[ArtifactReport], formats: Mapping[str, Format]
) -> Iterator[tuple[str, tuple[SourceCommit, ...]]]:
    """Yield each trusted signature that says from which commits was built: its file's name, and those."""
    trusted = {
        outcome.sidecar: formats[outcome.format]
        for report in reports
        for outcome in report.outcomes
        if outcome.verdict is Verdict.TRUSTED and outcome.sidecar and outcome.format in formats
    }
    for path, format_ in trusted.items():
        statement = getattr(load(Path(path), format_, None).parsed, "statement", None)
        sources = source_commits(statement) if statement is not None else ()
        if sources:
            yield Path(path).name, sources


def signature_files(
    artifacts: Iterable[Artifact],
    reports: Iterable[ArtifactReport],
    *,
    configuration: Configuration,
    formats: Mapping[str, Format],
) -> frozenset[Path]:
    """Return the signature files of the artifacts; what covers many is one of them where it speaks of one of these."""
    shelf = Shelf(formats, configuration.output_directory, configuration.signature_names)
    speaking = {Path(o.sidecar) for report in reports for o in report.outcomes if o.sidecar}
    found = (file for artifact in artifacts for file in shelf.files(artifact))
    return frozenset(path for path, format_ in found if format_.kind == "sidecar" or path in speaking)


def _remedy(report: ArtifactReport) -> str:
    """Return what to do about an artifact that is not trusted, by the gravest of what was found of it."""
    found = {outcome.verdict for outcome in report.outcomes}
    return next((remedy for verdict, remedy in _REMEDIES.items() if verdict in found), "sign it again")


def _is_idle(outcome: Outcome) -> bool:
    return outcome.sidecar is not None and outcome.verdict is not Verdict.TRUSTED


def _without_time(outcome: Outcome, settings: SignatureSettings, remedy: str) -> Check:
    found = f"{outcome.place}: {outcome.signature} has no time that is proven"
    tell = warning if settings.timestamp_optional else failure
    return tell("timestamps", found, "an RFC 3161 timestamp by an authority that is trusted", remedy)


def _is_made_by(outcome: Outcome, settings: SignatureSettings, configuration: Configuration) -> bool:
    """Return whether a signature is one of those that the settings make, by its name and its format."""
    inside = configuration.contents.signature if configuration.contents is not None else None
    if settings == inside:
        return outcome.format in settings.formats
    named = outcome.signature == (settings.name or outcome.format)
    return named and outcome.format in settings.formats and any(fnmatchcase(outcome.artifact, p) for p in settings.include)
