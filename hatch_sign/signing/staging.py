"""The files of a run that are written but not yet in their place; whatever is not committed is removed."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from hatch_sign.storage.atomic import StagedFile, stage_bytes, stage_stream, sync_folder
from hatch_sign.values.display import display
from hatch_sign.values.errors import SigningError


class StagingArea:
    """Staged files by their target. Leaving it, for whatever reason, discards those that were not committed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: dict[Path, StagedFile] = {}

    def __enter__(self) -> Self:
        """Enter with nothing staged."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Discard what is still staged."""
        for staged in self._files.values():
            staged.discard()

    def add(self, target: Path, data: bytes) -> StagedFile:
        """Stage bytes. Raises SigningError for a full disk or a folder that cannot be written."""
        return self._keep(stage_bytes(target, data))

    def add_stream(self, target: Path, write: Callable[[BinaryIO], bool]) -> bool:
        """Stage what `write` writes, over what was staged before; nothing changes where it returns False."""
        answer = False

        def fill(stream: BinaryIO) -> None:
            nonlocal answer
            answer = write(stream)

        staged = stage_stream(target, fill)
        if answer:
            self._keep(staged)
        else:
            staged.discard()
        return answer

    def keep_mode(self, target: Path) -> None:
        """Give what is staged for `target` the permissions of the file that it will replace: programs stay programs."""
        staged = self._files.get(target)
        if staged is not None:
            shutil.copymode(target, staged.temporary)

    def find(self, target: Path) -> StagedFile | None:
        """Return what is staged for `target`."""
        return self._files.get(target)

    def drop(self, target: Path) -> None:
        """Discard what is staged for `target`."""
        with self._lock:
            staged = self._files.pop(target, None)
        if staged is not None:
            staged.discard()

    def commit(self, targets: Iterable[Path]) -> None:
        """Put the files for `targets` in their places, in that order. Raises SigningError at the first that fails."""
        folders = set()
        for target in targets:
            staged = self._files.get(target)
            if staged is not None:
                staged.commit()
                del self._files[target]
                folders.add(target.parent)
        for folder in folders:
            sync_folder(folder)

    def _keep(self, staged: StagedFile) -> StagedFile:
        with self._lock:
            older = self._files.get(staged.target)
            self._files[staged.target] = staged
        if older is not None:
            older.discard()
        return staged


def make_folders(folders: Iterable[Path]) -> None:
    """Make the folders that are not there yet. Raises SigningError."""
    for folder in set(folders):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"{display(folder)} cannot be made: {error.strerror}"
            raise SigningError(message, remedy="see `output-directory`") from None
