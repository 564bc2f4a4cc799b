"""The parts of a plan: a file that will be written, and an artifact whose members will be signed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hatch_sign.archives.kinds import is_opened

if TYPE_CHECKING:
    from pathlib import Path

    from hatch_sign.artifacts.discovery import Artifact
    from hatch_sign.configuration.model import ContentsSettings, SignatureSettings
    from hatch_sign.contract import Format


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """One file that will be written over `artifacts`: one for a sidecar or an embedded format, all for the others.

    `manifest` is the list that a sidecar signs in place of an artifact.
    """

    path: Path
    format: Format
    settings: SignatureSettings
    artifacts: tuple[Artifact, ...]
    manifest: PlannedFile | None = None

    @property
    def artifact(self) -> Artifact | None:
        """The one artifact that it is beside or inside; None for what covers many."""
        return self.artifacts[0] if self.manifest is None and self.format.kind in {"sidecar", "embedded"} else None

    @property
    def covers(self) -> str:
        """What it is over, as outcomes name it."""
        return self.artifact.name if self.artifact is not None else (self.manifest or self).path.name


@dataclass(frozen=True, slots=True)
class PlannedContents:
    """An artifact whose members are signed before anything else: those of an archive, or the one file that it is."""

    artifact: Artifact
    contents: ContentsSettings
    settings: SignatureSettings
    formats: tuple[Format, ...]

    @property
    def is_archive(self) -> bool:
        """Whether its members are signed, rather than the file that it is."""
        return is_opened(self.artifact.name)
