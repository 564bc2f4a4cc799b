"""The artifacts of a run after their single read, as each planned file sees them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_sign.artifacts.parallel import READERS, map_in_threads
from hatch_sign.artifacts.reading import FileIdentity, Reading, is_unchanged, read_digests
from hatch_sign.values.artifacts import Subject

if TYPE_CHECKING:
    from hatch_sign.artifacts.discovery import Artifact
    from hatch_sign.signing.plan import PlannedFile, SigningPlan
    from hatch_sign.signing.staging import StagingArea


@dataclass
class Subjects:
    """Reads each artifact once: where one is staged with a signature inside, the staged bytes."""

    plan: SigningPlan
    staging: StagingArea
    _originals: dict[Artifact, FileIdentity] = field(default_factory=dict)
    _readings: dict[Artifact, Reading] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Remember what the artifacts were when the run began."""
        self._originals = {artifact: FileIdentity.of(artifact.path.lstat()) for artifact in self.plan.artifacts}

    def read(self, hashes: Mapping[Path, frozenset[str]]) -> None:
        """Read every artifact for the hashes that the planned files, by their paths, need of it."""
        needed: dict[Artifact, set[str]] = {}
        for file in self.plan.files:
            for artifact in file.artifacts if file.path in hashes else ():
                needed.setdefault(artifact, set()).update(hashes[file.path])
        readings = map_in_threads(
            lambda item: read_digests(self._newest(item[0].path), item[1]), needed.items(), threads=READERS
        )
        self._readings = dict(zip(needed, readings, strict=True))

    def of(self, file: PlannedFile, hashes: frozenset[str]) -> Sequence[Subject]:
        """Return what `file` is to be made over, named as its format names it; a list is read for `hashes` here."""
        if file.manifest is not None:
            reading = read_digests(self._newest(file.manifest.path), hashes)
            return [Subject(file.manifest.path.name, reading.identity.size, reading.digests, reading.head)]
        if file.format.kind == "sidecar":
            return [self._subject(file.artifacts[0], file.artifacts[0].name)]
        return [self._subject(artifact, artifact.name_below(self.plan.folder)) for artifact in file.artifacts]

    def changed(self) -> Iterator[Artifact]:
        """Yield the artifacts that are no longer what they were when the run began."""
        for artifact, identity in self._originals.items():
            if not is_unchanged(artifact.path, identity):
                yield artifact

    def _subject(self, artifact: Artifact, name: str) -> Subject:
        reading = self._readings[artifact]
        return Subject(name, reading.identity.size, reading.digests, reading.head)

    def _newest(self, path: Path) -> Path:
        staged = self.staging.find(path)
        return staged.temporary if staged else path
