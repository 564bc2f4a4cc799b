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
from hatch_sign.values.errors import UsageError
from hatch_sign.values.outcomes import Outcome, Verdict
from hatch_sign.verification.presence import Shelf

if TYPE_CHECKING:
    from hatch_sign.artifacts.discovery import Artifact
    from hatch_sign.configuration.model import Configuration
    from hatch_sign.contract import Format
    from hatch_sign.publishing.copying import PrivateCopy
    from hatch_sign.verification.reports import ArtifactReport


@dataclass(frozen=True, slots=True)
class SignatureFile:
    """A signature file by its name alone: `artifact` is the name of the one that it is beside, None where it covers many.

    `judged` is the file by whose verdict it goes: itself, or for a signature of a list, that list.
    """

    path: Path
    format: str
    judged: Path
    artifact: str | None = None


def find_signatures(
    artifacts: Iterable[Artifact], formats: Mapping[str, Format], configuration: Configuration
) -> tuple[SignatureFile, ...]:
    """Return the signature files that may belong to the artifacts, each once; nothing is read."""
    shelf = Shelf(formats, configuration.output_directory, configuration.signature_names)
    found: dict[Path, SignatureFile] = {}
    for artifact in artifacts:
        files = shelf.files(artifact)
        lists = [path for path, format_ in files if format_.kind == "manifest"]
        for path, format_ in files:
            found.setdefault(path, _signature_file(path, format_, artifact, lists))
    return tuple(found.values())


def _signature_file(path: Path, format_: Format, artifact: Artifact, lists: Sequence[Path]) -> SignatureFile:
    if format_.kind != "sidecar":
        return SignatureFile(path, format_.name, path)
    if path.name.startswith(artifact.name + "."):
        return SignatureFile(path, format_.name, path, artifact.name)
    return SignatureFile(path, format_.name, next(signed for signed in lists if path.name.startswith(signed.name + ".")))


def choose_files(
    copy: PrivateCopy, reports: Sequence[ArtifactReport], signatures: Iterable[SignatureFile]
) -> tuple[tuple[ReleaseFile, ...], tuple[Withheld, ...]]:
    """Return what is published of a release that passed, and the signatures that are not: those that nobody trusts.

    Digests are computed from the copy. Raises UsageError where two different files would have one name.
    """
    verdicts: dict[str, list[Outcome]] = {}
    for report in reports:
        for outcome in report.outcomes:
            verdicts.setdefault(str(outcome.sidecar), []).append(outcome)
    withheld, trusted = [], []
    for signature in signatures:
        reason = _reason_to_withhold(verdicts.get(str(signature.judged), ()))
        if reason:
            withheld.append(Withheld(signature.path.name, reason))
        else:
            trusted.append(signature)
    chosen: list[tuple[Path, str | None, str | None]] = [(report.artifact.path, None, None) for report in reports]
    chosen += [(signature.path, signature.format, signature.artifact) for signature in trusted]
    files = map_in_threads(lambda each: (each[0], _release_file(copy, *each)), chosen, threads=READERS)
    return _unique(files), tuple(withheld)


def _reason_to_withhold(outcomes: Sequence[Outcome]) -> str:
    """Return why a signature file is not published; empty where it is."""
    if not outcomes:
        return "it speaks of none of these artifacts"
    if any(outcome.verdict is Verdict.TRUSTED for outcome in outcomes):
        return ""
    first = outcomes[0]
    return f"it is {first.verdict.value}" + (f": {first.detail}" if first.detail else "")


def _release_file(copy: PrivateCopy, original: Path, format_: str | None, artifact: str | None) -> ReleaseFile:
    place = copy.place_of(original)
    reading = read_digests(place, ["sha256"])
    return ReleaseFile(original.name, place, reading.identity.size, reading.digests["sha256"], format_, artifact)


def _unique(files: Iterable[tuple[Path, ReleaseFile]]) -> tuple[ReleaseFile, ...]:
    """Return each name once: a place to publish to has one folder."""
    found: dict[str, tuple[Path, ReleaseFile]] = {}
    for original, file in files:
        other, same = found.setdefault(file.name, (original, file))
        if same.sha256 != file.sha256:
            message = f"{display(other)} and {display(original)} are different files of one name"
            raise UsageError(message, remedy="publish one of them, or rename one and sign it again")
    return tuple(file for _, file in found.values())
