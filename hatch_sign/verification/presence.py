"""Which signatures are there: sidecars beside each artifact, and what covers many artifacts at once."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatch_sign.artifacts.discovery import Artifact
from hatch_sign.artifacts.naming import LARGEST_SIGNATURE, Sidecar, owner_of, sidecars_of
from hatch_sign.artifacts.reading import open_artifact
from hatch_sign.contract.guarding import missing_module
from hatch_sign.contract.kinds import detached_verifier
from hatch_sign.values.display import display
from hatch_sign.values.errors import MalformedError, UsageError

if TYPE_CHECKING:
    from hatch_sign.contract import Format


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
    """The signature files in the folders of a run; each folder is listed once and each shared file parsed once.

    `declared` are the names of signatures that the policy knows: a file name alone makes no signature one of those.
    """

    def __init__(self, formats: Mapping[str, Format], folder: Path | None, declared: Container[str]) -> None:
        self._formats = tuple(formats.values())
        self._folder = folder
        self._declared = declared
        self._names = lru_cache(maxsize=None)(_sorted_names)
        self._shared_files = lru_cache(maxsize=None)(self._find_shared)
        self._shared = lru_cache(maxsize=None)(self._load_shared)

    def files(self, artifact: Artifact) -> list[tuple[Path, Format]]:
        """Return the files that may hold a signature over the artifact, by their names alone; nothing is read.

        Those are its sidecars, what covers many artifacts, and the sidecars of lists.
        """
        shared = [file for folder in _folders(artifact, self._folder) for file in self._shared_files(folder)]
        lists = [Artifact(path, path.parent) for path, owner in shared if owner.kind == "manifest"]
        sidecars = [sidecar for signed in (artifact, *lists) for sidecar in self._find_sidecars(signed)]
        return [*((sidecar.path, sidecar.format) for sidecar in sidecars), *shared]

    def sidecars(self, artifact: Artifact) -> list[Present]:
        """Return the parsed sidecars of one artifact."""
        found = self._find_sidecars(artifact)
        return [load(s.path, s.format, s.signature if s.signature in self._declared else None) for s in found]

    def shared(self, artifact: Artifact) -> list[Present]:
        """Return the parsed aggregates and manifests that may cover the artifact: in its folder, and up to its root."""
        return [present for folder in _folders(artifact, self._folder) for present in self._shared(folder)]

    def _find_sidecars(self, artifact: Artifact) -> list[Sidecar]:
        beside = self._names(artifact.path.parent)
        folder = self._folder or artifact.path.parent
        return sidecars_of(artifact.name, self._names(folder), folder, self._formats, beside=beside)

    def _find_shared(self, folder: Path) -> tuple[tuple[Path, Format], ...]:
        owners = ((name, owner_of(name, self._formats)) for name in self._names(folder))
        return tuple((folder / n, o) for n, o in owners if o is not None and o.kind in {"aggregate", "manifest"})

    def _load_shared(self, folder: Path) -> tuple[Present, ...]:
        return tuple(load(path, owner, None) for path, owner in self._shared_files(folder))


def load(path: Path, format_: Format, signature: str | None) -> Present:
    """Read and parse one signature file; what is wrong with it becomes its `problem`.

    Raises PluginError where the format lacks a package that it needs.
    """
    name = signature or format_.name
    try:
        with open_artifact(path) as stream:
            data = stream.read(LARGEST_SIGNATURE + 1)
        if len(data) > LARGEST_SIGNATURE:
            return Present(path, format_, name, problem=f"larger than {LARGEST_SIGNATURE} bytes")
        return Present(path, format_, name, parsed=detached_verifier(format_).parse(data), data=data)
    except (MalformedError, UsageError) as error:
        return Present(path, format_, name, problem=error.message)
    except ModuleNotFoundError as error:
        raise missing_module(error, needed_by=f"format {format_.name}") from None
    except Exception as error:  # noqa: BLE001 - a plugin's bug must end in a verdict, not in a trace
        return Present(path, format_, name, problem=f"the verifier of {format_.name} failed: {type(error).__name__}")


def load_named(path: Path, formats: Iterable[Format]) -> Present:
    """Load a signature file that the user named. Raises UsageError where no format owns such a name."""
    owner = owner_of(path.name, formats)
    if owner is None or owner.kind not in {"sidecar", "aggregate"}:
        message = f"{display(path.name)}: no installed format has files of such a name"
        raise UsageError(message, remedy="`hatch-sign plugins` lists the formats and their suffixes")
    with open_artifact(path):  # what the user named and cannot be read is misuse, not a malformed signature
        pass
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
