"""Which files a release is made of: the artifacts that are named, and the signatures that belong to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_sign.artifacts.parallel import READERS, map_in_threads
from hatch_sign.artifacts.reading import read_digests
from hatch_sign.contract import ReleaseFile
from hatch_sign.publishing.reports import Withheld
from hatch_sign.values.display import display
from hatch_sign.values.errors import SigningError, UsageError
from hatch_sign.values.outcomes import Outcome, Verdict
from hatch_sign.verification.presence import Shelf

if TYPE_CHECKING:
    from hatch_sign.artifacts.discovery import Artifact
    from hatch_sign.configuration.model import Configuration
    from hatch_sign.contract import Format
    from hatch_sign.publishing.copying import PrivateCopy
    from hatch_sign.verification.reports import ArtifactReport


RELEASE_HASH = "sha256"
"""The hash by which publishers know files."""


@dataclass(frozen=True, slots=True)
class SignatureFile:
    """A signature file by its name alone: `artifact` is the name of the one that it is beside, None where it covers many."""

    path: Path
    format: str
    artifact: str | None = None


def find_signatures(
    artifacts: Iterable[Artifact], formats: Mapping[str, Format], configuration: Configuration
) -> tuple[SignatureFile, ...]:
    """Return the signature files that may belong to the artifacts, each once; nothing is read."""
    shelf = Shelf(formats, configuration.output_directory, configuration.signature_names)
    found: dict[Path, SignatureFile] = {}
    for artifact in artifacts:
        for path, format_ in shelf.files(artifact):
            # The sidecars of a list are among them; they are beside none of the artifacts.
            beside = format_.kind == "sidecar" and path.name.startswith(artifact.name + ".")
            found.setdefault(path, SignatureFile(path, format_.name, artifact.name if beside else None))
    return tuple(found.values())


def choose_files(
    copy: PrivateCopy, reports: Sequence[ArtifactReport], signatures: Iterable[SignatureFile]
) -> tuple[tuple[ReleaseFile, ...], tuple[Withheld, ...]]:
    """Return what is published of a release that passed, and the signatures that are not: those that nobody trusts.

    Digests are those of the copy, an artifact's from the very read that verified it. Raises UsageError where two different
    files would have one name.
    """
    verdicts: dict[str, list[Outcome]] = {}
    for report in reports:
        for outcome in report.outcomes:
            for holder in filter(None, (outcome.sidecar, outcome.over_list)):
                verdicts.setdefault(holder, []).append(outcome)
    withheld, trusted = [], []
    for signature in signatures:
        reason = _reason_to_withhold(verdicts.get(str(signature.path), ()))
        if reason:
            withheld.append(Withheld(signature.path.name, reason))
        else:
            trusted.append(signature)
    files = [(report.artifact.path, _artifact_file(copy, report)) for report in reports]
    files += map_in_threads(lambda each: (each.path, _signature_release_file(copy, each)), trusted, threads=READERS)
    return _unique(files), tuple(withheld)


def _reason_to_withhold(outcomes: Sequence[Outcome]) -> str:
    """Return why a signature file is not published; empty where it is."""
    if not outcomes:
        return "it speaks of none of these artifacts"
    if any(outcome.verdict is Verdict.TRUSTED for outcome in outcomes):
        return ""
    first = outcomes[0]
    return f"it is {first.verdict.value}" + (f": {first.detail}" if first.detail else "")


def _artifact_file(copy: PrivateCopy, report: ArtifactReport) -> ReleaseFile:
    """Return the artifact with the size and the digest of the very read by which it was verified."""
    subject, original = report.subject, report.artifact.path
    if subject is None:
        message = f"{display(original)} was verified, and its digest is not known"
        raise SigningError(message, remedy="report this; nothing was published")
    return ReleaseFile(original.name, copy.place_of(original), subject.size, subject.digests[RELEASE_HASH])


def _signature_release_file(copy: PrivateCopy, signature: SignatureFile) -> ReleaseFile:
    place = copy.place_of(signature.path)
    reading = read_digests(place, [RELEASE_HASH])
    size, digest = reading.identity.size, reading.digests[RELEASE_HASH]
    return ReleaseFile(signature.path.name, place, size, digest, signature.format, signature.artifact)


def _unique(files: Iterable[tuple[Path, ReleaseFile]]) -> tuple[ReleaseFile, ...]:
    """Return each name once: a place to publish to has one folder."""
    found: dict[str, tuple[Path, ReleaseFile]] = {}
    for original, file in files:
        other, same = found.setdefault(file.name, (original, file))
        if same.sha256 != file.sha256:
            message = f"{display(other)} and {display(original)} are different files of one name"
            raise UsageError(message, remedy="publish one of them, or rename one and sign it again")
    return tuple(file for _, file in found.values())
