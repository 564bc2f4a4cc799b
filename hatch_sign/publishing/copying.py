"""The private copy of a release: what is verified there is what is sent, whatever becomes of the originals."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hatch_sign.artifacts.parallel import READERS, map_in_threads
from hatch_sign.artifacts.reading import FileIdentity, open_artifact
from hatch_sign.values.display import display
from hatch_sign.values.errors import HatchSignError, SigningError

_CHUNK = 1 << 20
"""Bytes per read, as where artifacts are hashed."""


@dataclass(frozen=True, slots=True)
class PrivateCopy:
    """Where each file lies in the copy. `bases` maps folders of the originals, none inside another, to theirs."""

    bases: Mapping[Path, Path]

    def place_of(self, original: Path) -> Path:
        """Return where the copy of a file or folder is, which lies in one of the bases."""
        return next(copy / original.relative_to(base) for base, copy in self.bases.items() if original.is_relative_to(base))

    def original_of(self, place: Path) -> Path:
        """Return the file or folder that a place in the copy stands for."""
        return next(base / place.relative_to(copy) for base, copy in self.bases.items() if place.is_relative_to(copy))


@contextmanager
def private_copy(
    files: Iterable[Path], folders: Iterable[Path], *, on_done: Callable[[], None] = lambda: None
) -> Iterator[PrivateCopy]:
    """Copy `files`, which lie in `folders`, into a folder that this user alone may enter (0700), and remove it at the end.

    What lies where below each folder stays as it is. Raises UsageError for a file that cannot be read, SigningError for one
    that changed meanwhile, HatchSignError where there is no space, or no place that nobody else can take away.
    """
    _require_own_place(Path(tempfile.gettempdir()))
    try:
        # Whatever is left of a run that was killed is as private as this, and the system's to clear away.
        temporary = tempfile.TemporaryDirectory(prefix="hatch-sign-", ignore_cleanup_errors=True)
    except OSError as error:
        raise _no_space(Path(tempfile.gettempdir()), error) from None
    try:
        outermost = _outermost(folders)
        copy = PrivateCopy({base: Path(temporary.name, str(number)) for number, base in enumerate(outermost)})

        def copy_one(file: Path) -> None:
            _copy(file, copy.place_of(file))
            on_done()

        map_in_threads(copy_one, files, threads=READERS)
        yield copy
    finally:
        _remove(temporary)


def _remove(temporary: tempfile.TemporaryDirectory[str]) -> None:
    """Remove the folder; one Ctrl-C in the middle of that is heard once it is gone."""
    try:
        temporary.cleanup()
    except KeyboardInterrupt:
        temporary.cleanup()
        raise


def _require_own_place(folder: Path) -> None:
    """Raise HatchSignError where others could rename the copy, and put another in its place once this one is verified."""
    try:
        mode = folder.stat().st_mode
    except OSError as error:
        raise _no_space(folder, error) from None
    if os.name == "posix" and mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        message = f"{display(folder)} is no place for a private copy: everybody may rename what lies in it"
        raise HatchSignError(message, remedy="set TMPDIR to a folder of your own, or its sticky bit (chmod +t)")


def _outermost(folders: Iterable[Path]) -> list[Path]:
    unique = set(folders)
    return sorted(folder for folder in unique if not unique.intersection(folder.parents))


def _copy(source: Path, target: Path) -> None:
    with open_artifact(source) as stream:
        before = FileIdentity.of(os.fstat(stream.fileno()))
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as copy:
                shutil.copyfileobj(stream, copy, _CHUNK)
        except OSError as error:
            raise _no_space(source, error) from None
        if FileIdentity.of(os.fstat(stream.fileno())) != before or target.stat().st_size != before.size:
            message = f"{display(source)} changed while it was copied"
            raise SigningError(message, remedy="let what writes it finish, then run again")


def _no_space(source: Path, error: OSError) -> HatchSignError:
    message = f"{display(source)}: no private copy of it can be made: {error.strerror or type(error).__name__}"
    return HatchSignError(message, remedy="free space for temporary files, or set TMPDIR to a folder that has it")
