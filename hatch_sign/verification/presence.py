"""Which signatures are there: sidecars beside each artifact, and what covers many artifacts at once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatch_sign.artifacts.naming import owner_of, sidecars_of
from hatch_sign.artifacts.reading import open_artifact
from hatch_sign.contract.kinds import detached_verifier
from hatch_sign.values.display import display
from hatch_sign.values.errors import MalformedError, UsageError

if TYPE_CHECKING:
    from hatch_sign.artifacts.discovery import Artifact
    from hatch_sign.contract import Format

LARGEST = 64 * 1024 * 1024
"""Bytes that a signature file may have."""


@dataclass(frozen=True, slots=True)
class Present:
    """One signature file: parsed, or why it could not be."""

    path: Path
    format: Format
    signature: str
    parsed: Any = None
    problem: str = ""
    data: bytes = b""

    @property
    def hashes(self) -> frozenset[str]:
        """The digests of an artifact that checking it needs."""
        hashes: frozenset[str] = frozenset() if self.problem else detached_verifier(self.format).digests(self.parsed)
        return hashes


class Shelf:
    """The signature files in the folders of a run; each folder is listed once and each shared file parsed once."""

    def __init__(self, formats: Mapping[str, Format], folder: Path | None) -> None:
        self._formats = tuple(formats.values())
        self._folder = folder
        self._shared: dict[Path, Present] = {}
        self._names = lru_cache(maxsize=None)(_sorted_names)

    def sidecars(self, artifact: Artifact) -> list[Present]:
        """Return the parsed sidecars of one artifact."""
        folder = self._folder or artifact.path.parent
        found = sidecars_of(artifact.name, self._names(folder), folder, self._formats)
        return [load(sidecar.path, sidecar.format, sidecar.signature) for sidecar in found]

    def shared(self, artifact: Artifact, kind: str) -> list[Present]:
        """Return the parsed aggregates or manifests that may cover the artifact: in its folder, and up to its root."""
        found = []
        for folder in _folders(artifact, self._folder):
            for name in self._names(folder):
                owner = owner_of(name, self._formats)
                if owner is not None and owner.kind == kind:
                    found.append(self._load_once(folder / name, owner))
        return found

    def _load_once(self, path: Path, owner: Format) -> Present:
        if path not in self._shared:
            self._shared[path] = load(path, owner, None)
        return self._shared[path]


def load(path: Path, format_: Format, signature: str | None) -> Present:
    """Read and parse one signature file; what is wrong with it becomes its `problem`."""
    name = signature or format_.name
    try:
        with open_artifact(path) as stream:
            data = stream.read(LARGEST + 1)
        if len(data) > LARGEST:
            return Present(path, format_, name, problem=f"larger than {LARGEST} bytes")
        return Present(path, format_, name, parsed=detached_verifier(format_).parse(data), data=data)
    except (MalformedError, UsageError) as error:
        return Present(path, format_, name, problem=error.message)
    except Exception as error:  # noqa: BLE001 - a plugin's bug must end in a verdict, not in a trace
        return Present(path, format_, name, problem=f"the verifier of {format_.name} failed: {type(error).__name__}")


def load_named(path: Path, formats: Iterable[Format]) -> Present:
    """Load a signature file that the user named. Raises UsageError where no format owns such a name."""
    owner = owner_of(path.name, formats)
    if owner is None or owner.kind not in {"sidecar", "aggregate"}:
        message = f"{display(path.name)}: no installed format has files of such a name"
        raise UsageError(message, remedy="`hatch-sign plugins` lists the formats and their suffixes")
    return load(path, owner, None)


def _folders(artifact: Artifact, folder: Path | None) -> list[Path]:
    """Return where an aggregate over the artifact may lie: its own folder, those above it to the root, and `folder`."""
    found = [artifact.path.parent]
    while found[-1] != artifact.root and artifact.root in found[-1].parents:
        found.append(found[-1].parent)
    return [*found, folder] if folder is not None and folder not in found else found


def _sorted_names(folder: Path) -> tuple[str, ...]:
    try:
        return tuple(sorted(os.listdir(folder)))  # noqa: PTH208 - names are all that is needed, and there may be thousands
    except OSError:
        return ()
