"""Which signature files are to be timestamped, and what each of them is over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_sign.artifacts.discovery import Artifact, find_artifacts
from hatch_sign.artifacts.naming import SIGNATURE_NAME, owner_of
from hatch_sign.values.display import display
from hatch_sign.values.errors import UsageError
from hatch_sign.verification.presence import Present, Shelf, load

if TYPE_CHECKING:
    from hatch_sign.contract import Format


@dataclass(frozen=True, slots=True)
class Target:
    """One signature file, and the artifacts, or the one list of checksums, that it may be over."""

    present: Present
    artifacts: tuple[Artifact, ...]


def find_targets(
    paths: Sequence[str], *, formats: Mapping[str, Format], shelf: Shelf, found_others: bool = False
) -> tuple[Target, ...]:
    """Return the signature files that `paths` name: themselves, or by the artifacts that they are beside, or over.

    Each is returned once. Raises UsageError for a path that is not there, a signature whose artifact is not beside it, and
    where there is no signature at all, unless others were found inside artifacts.
    """
    finder = _Finder(formats, shelf)
    for path in paths:
        finder.look_at(path)
    if not finder.found and not found_others:
        message = "no signature that takes a timestamp later found beside or in " + ", ".join(map(display, paths))
        inside = "what is inside wheels is signed again with `timestamp` configured and --overwrite"
        raise UsageError(message, remedy=f"sign first: `hatch-sign sign`; {inside}")
    return tuple(Target(present, tuple(artifacts)) for present, artifacts in finder.found.values())


@dataclass
class _Finder:
    formats: Mapping[str, Format]
    shelf: Shelf
    found: dict[Path, tuple[Present, dict[Artifact, None]]] = field(default_factory=dict)

    def look_at(self, path: str) -> None:
        owner = owner_of(Path(path).name, self.formats.values())
        if owner is None or not Path(path).is_file():
            for artifact in find_artifacts([path], self.formats.values()):
                self._add_all(artifact, [*self.shelf.sidecars(artifact), *self.shelf.shared(artifact)])
        elif owner.kind == "manifest":
            listing = _artifact(Path(path))
            self._add_all(listing, self.shelf.sidecars(listing))
        else:
            file = _artifact(Path(path))
            for artifact in _signed_by(file, owner, self.formats):
                self._add(load(file.path, owner, None), artifact)

    def _add_all(self, artifact: Artifact, signatures: Sequence[Present]) -> None:
        for present in signatures:
            if present.format.kind == "manifest":
                listing = _artifact(present.path)
                self._add_all(listing, self.shelf.sidecars(listing))
            else:
                self._add(present, artifact)

    def _add(self, present: Present, artifact: Artifact) -> None:
        self.found.setdefault(present.path, (present, {}))[1][artifact] = None


def _signed_by(file: Artifact, format_: Format, formats: Mapping[str, Format]) -> Sequence[Artifact]:
    """Return what a signature file that the user named is beside; for one over many, all that lies in its folder."""
    if format_.kind == "aggregate":
        return find_artifacts([file.path.parent], formats.values())
    beside = [_artifact(path) for path in _unsigned_names(file.path, format_) if path.is_file()]
    if not beside:
        message = f"{display(file.path)}: the artifact that it is a signature of does not lie beside it"
        raise UsageError(message, remedy="name the artifact")
    return beside[:1]


def _unsigned_names(path: Path, format_: Format) -> Iterator[Path]:
    """Yield what ``ARTIFACT.SUFFIX`` may be beside, and then what ``ARTIFACT.NAME.SUFFIX`` may be."""
    name = path.name.removesuffix(format_.suffix)
    yield path.with_name(name)
    artifact, _, signature = name.rpartition(".")
    if artifact and SIGNATURE_NAME.fullmatch(signature):
        yield path.with_name(artifact)


def _artifact(path: Path) -> Artifact:
    folder = path.parent.resolve()
    return Artifact(folder / path.name, folder)
