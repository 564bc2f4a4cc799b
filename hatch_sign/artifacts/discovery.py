"""From what a user names to the artifacts that are meant."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_sign.artifacts.naming import is_signature_file, owner_of
from hatch_sign.values.display import display
from hatch_sign.values.errors import UsageError

if TYPE_CHECKING:
    from hatch_sign.contract import Format

MOST_FILES = 100_000
"""Files that one folder may hold below it; a folder with more is not a release."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A regular file to be signed or verified; `root` is the folder that the user named, or the file's own."""

    path: Path
    root: Path

    @property
    def name(self) -> str:
        """The base name, which a signature beside the file may cover."""
        return self.path.name

    def name_below(self, folder: Path) -> str:
        """Return the path below `folder`, with ``/``; the base name where it lies elsewhere."""
        return self.path.relative_to(folder).as_posix() if self.path.is_relative_to(folder) else self.name


def find_artifacts(paths: Sequence[str | Path], formats: Iterable[Format]) -> tuple[Artifact, ...]:
    """Return the artifacts that `paths` name: files, folders (their artifacts, never their signatures) or globs.

    Hidden files and folders are passed over, and so is a signature that is named together with its artifact. Each file is
    returned once, sorted by folder and name. Raises UsageError for a path that is not there, is no regular file, is a
    signature alone, or names nothing.
    """
    known = tuple(formats)
    signatures = [path for path in paths if _is_signature(path, known)]
    found = [artifact for path in paths if not _is_signature(path, known) for artifact in _named(path, known)]
    _require_their_artifacts(signatures, known, {artifact.path for artifact in found})
    if not found:
        message = "no artifact found in " + ", ".join(display(path) for path in paths)
        raise UsageError(message, remedy="build first, or name the files")
    unique = {artifact.path: artifact for artifact in reversed(found)}
    return tuple(sorted(unique.values(), key=lambda artifact: artifact.path))


def _is_signature(path: str | Path, formats: tuple[Format, ...]) -> bool:
    return is_signature_file(Path(path).name, formats) and Path(path).is_file()


def _require_their_artifacts(signatures: Sequence[str | Path], formats: tuple[Format, ...], found: set[Path]) -> None:
    """Refuse a signature that is named alone; a shell's ``dist/*`` names those of a release beside its artifacts."""
    folders = {path.parent for path in found}
    for path in signatures:
        signature = _absolute(Path(path))
        signed = _signed_by(signature, formats)
        if signature.parent not in folders if signed is None else found.isdisjoint(signed):
            message = f"{display(path)} is a signature"
            raise UsageError(message, remedy="name the artifact that it belongs to, or the folder of both")


def _signed_by(signature: Path, formats: tuple[Format, ...]) -> tuple[Path, Path] | None:
    """Return the artifacts that a sidecar may belong to, by its name; None for a file that belongs to a whole release."""
    owner = owner_of(signature.name, formats)
    if owner is None or owner.kind != "sidecar":
        return None
    artifact = signature.name.removesuffix(owner.suffix)
    if is_signature_file(artifact, formats):
        return None
    return signature.parent / artifact, signature.parent / artifact.rpartition(".")[0]


def _named(path: str | Path, formats: tuple[Format, ...]) -> Iterator[Artifact]:
    given = Path(path)
    if not os.path.lexists(given):
        yield from _globbed(path, formats)
        return
    mode = given.lstat().st_mode
    if stat.S_ISDIR(mode) or (stat.S_ISLNK(mode) and given.is_dir()):
        yield from _inside(_absolute(given), formats)
        return
    _require_regular(given, mode)
    absolute = _absolute(given)
    yield Artifact(absolute, absolute.parent)


def _globbed(path: str | Path, formats: tuple[Format, ...]) -> Iterator[Artifact]:
    matches = sorted(glob.glob(str(path)))  # noqa: PTH207 - Path.glob takes no absolute pattern
    if not matches:
        message = f"{display(path)} does not exist"
        raise UsageError(message, remedy="name a file, a folder or a pattern that matches one")
    for match in matches:
        if Path(match).is_dir() or not is_signature_file(Path(match).name, formats):
            yield from _named(match, formats)


def _inside(folder: Path, formats: tuple[Format, ...]) -> Iterator[Artifact]:
    count = 0
    for directory, folders, files in os.walk(folder, onerror=_raise):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in folders:
            _require_no_link(Path(directory, name))
        for name in sorted(files):
            count += 1
            if count > MOST_FILES:
                message = f"{display(folder)} holds more than {MOST_FILES} files"
                raise UsageError(message, remedy="name the folder of one release")
            if not name.startswith(".") and not is_signature_file(name, formats):
                path = Path(directory, name)
                _require_regular(path, path.lstat().st_mode)
                yield Artifact(path, folder)


def _raise(error: OSError) -> None:
    message = f"{display(error.filename)} cannot be listed: {error.strerror}"
    raise UsageError(message, remedy="make the folder readable") from None


def _require_regular(path: Path, mode: int) -> None:
    if stat.S_ISREG(mode):
        return
    kind = "a symbolic link" if stat.S_ISLNK(mode) else "not a regular file"
    message = f"{display(path)} is {kind}; expected a regular file"
    raise UsageError(message, remedy="name the file itself" if stat.S_ISLNK(mode) else "")


def _require_no_link(folder: Path) -> None:
    if folder.is_symlink():
        message = f"{display(folder)} is a symbolic link to a folder; expected artifacts"
        raise UsageError(message, remedy="name the folder itself")


def _absolute(path: Path) -> Path:
    return path.parent.resolve() / path.name if path.name not in {"", ".."} else path.resolve()
