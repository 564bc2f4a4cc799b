"""The artifacts of a run after their single read, as each planned file sees them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_sign.artifacts.parallel import READERS, map_in_threads
from hatch_sign.artifacts.reading import FileIdentity, Reading, Readings, is_unchanged, read_digests

if TYPE_CHECKING:
    from hatch_sign.artifacts.discovery import Artifact
    from hatch_sign.signing.plan import SigningPlan
    from hatch_sign.signing.planned import PlannedFile
    from hatch_sign.signing.staging import StagingArea
    from hatch_sign.storage.atomic import StagedFile
    from hatch_sign.values.artifacts import Subject


@dataclass
class Subjects:
    """Reads each artifact once: where one is staged with a signature inside, the staged bytes."""

    plan: SigningPlan
    staging: StagingArea
    _originals: dict[Artifact, FileIdentity] = field(default_factory=dict)
    _readings: dict[Artifact, Reading] = field(default_factory=dict)
    _checked: dict[Artifact, StagedFile | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Remember what the artifacts were when the run began."""
        self._originals = {artifact: FileIdentity.of(artifact.path.lstat()) for artifact in self.plan.artifacts}

    def read(self, hashes: Mapping[Path, frozenset[str]]) -> None:
        """Read every artifact for the hashes that the planned files, by their paths, need of it."""
        needed: dict[Artifact, set[str]] = {}
        for file in self.plan.files:
            for artifact in file.artifacts if file.path in hashes else ():
                needed.setdefault(artifact, set()).update(hashes[file.path])
        readings = map_in_threads(lambda item: self._read(*item), needed.items(), threads=READERS)
        self._readings = dict(zip(needed, readings, strict=True))

    def members_were_checked(self, artifact: Artifact) -> None:
        """Say that each file in the archive, as it is now or is staged, was held against its headers and RECORD."""
        self._checked[artifact] = self.staging.find(artifact.path)

    def of(self, file: PlannedFile, hashes: frozenset[str]) -> Sequence[Subject]:
        """Return what `file` is to be made over, named as its format names it; a list is read for `hashes` here."""
        if file.manifest is not None:
            reading = read_digests(self._newest(file.manifest.path), hashes)
            return [reading.subject(file.manifest.path.name)]
        if file.format.kind == "sidecar":
            return [self._readings[file.artifacts[0]].subject(file.artifacts[0].name)]
        return [self._readings[artifact].subject(artifact.name_below(self.plan.folder)) for artifact in file.artifacts]

    @property
    def readings(self) -> Readings:
        """What was read of each artifact, by its path: it has the same identity there once it is committed."""
        return {artifact.path: reading for artifact, reading in self._readings.items()}

    def changed(self) -> Iterator[Artifact]:
        """Yield the artifacts that are no longer what they were when the run began."""
        for artifact, identity in self._originals.items():
            if not is_unchanged(artifact.path, identity):
                yield artifact

    def _read(self, artifact: Artifact, hashes: Iterable[str]) -> Reading:
        reading = read_digests(self._newest(artifact.path), hashes)
        is_checked = artifact in self._checked and self._checked[artifact] is self.staging.find(artifact.path)
        return replace(reading, members_checked=is_checked)

    def _newest(self, path: Path) -> Path:
        staged = self.staging.find(path)
        return staged.temporary if staged else path
