"""A folder that releases are published to: files appear in it whole, and none that is there is ever replaced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from hatch_sign.contract import Published, ReadBack
from hatch_sign.publishers.folder.files import Found, add_file, find, require_folder
from hatch_sign.publishers.order import signatures_first
from hatch_sign.storage.atomic import remove_stale_temporaries, sync_folder
from hatch_sign.values.display import display
from hatch_sign.values.errors import PublishError, RejectedError, SigningError, UnsupportedError

if TYPE_CHECKING:
    from pathlib import Path

    from hatch_sign.contract import ReleaseFile


class FolderDestination:
    """A :class:`~hatch_sign.contract.Destination`. The folder may be a symbolic link; nothing in it is followed as one."""

    def __init__(self, folder: Path) -> None:
        """Remember the folder, which need not be there yet."""
        self._folder = folder

    @property
    def title(self) -> str:
        """The path of the folder."""
        return display(self._folder)

    def drops(self, file: ReleaseFile) -> str:
        """Return why a folder cannot have a file of this name: it would lie elsewhere, or be hidden."""
        plain = not (set(file.name) & set("/\\\0")) and not file.name.startswith(".")
        return "" if file.name and plain else "its name is none of a visible file in a folder"

    def publish(self, files: Sequence[ReleaseFile], report: Callable[[Published], None]) -> None:
        """Copy what is not there yet, signatures before what they are over; see :class:`~hatch_sign.contract.Destination`.

        Everything is compared before anything is copied. A file appears under its name complete and synced, readable by
        all (0644), and one that somebody else put there meanwhile is not replaced. Raises UnsupportedError for a name that
        no folder takes, RejectedError where other bytes are there, PublishError where the folder cannot be written.
        """
        for file in files:
            self._require_plain(file)
        require_folder(self._folder)
        remove_stale_temporaries([self._folder])
        missing = self._missing(signatures_first(files), report)
        try:
            for file in missing:
                add_file(file, self._folder / file.name)
                report(Published(file.name, "uploaded"))
        except SigningError as error:
            raise PublishError(error.message, remedy=error.remedy) from None
        finally:
            sync_folder(self._folder)

    def read_back(self, files: Sequence[ReleaseFile]) -> Sequence[ReadBack]:
        """Return what the folder has of `files`, each read again from its disk."""
        return [_read_back(file, self._folder) for file in files]

    def _missing(self, files: Sequence[ReleaseFile], report: Callable[[Published], None]) -> list[ReleaseFile]:
        found = {file.name: find(file, self._folder / file.name) for file in files}
        wrong = [name for name, state in found.items() if state in _OBSTACLES]
        if wrong:
            state = found[wrong[0]]
            message = f"{self.title}/{display(wrong[0])} {_OBSTACLES[state]}{_and_others(len(wrong))}"
            kind = RejectedError if state is Found.OTHER_BYTES else PublishError
            raise kind(message, remedy="nothing was replaced: move it away if it is wrong, or publish under a new version")
        for file in files:
            if found[file.name] is Found.SAME_BYTES:
                report(Published(file.name, "present"))
        return [file for file in files if found[file.name] is Found.NOTHING]

    def _require_plain(self, file: ReleaseFile) -> None:
        if reason := self.drops(file):
            message = f"{display(file.name)} cannot be published to the folder {self.title}: {reason}"
            raise UnsupportedError(message, remedy="rename it before it is signed")


_OBSTACLES = {
    Found.OTHER_BYTES: "is there already, with other bytes",
    Found.NO_FILE: "is there already, and is no regular file",
    Found.UNREADABLE: "is there already, and cannot be read",
}


def _and_others(count: int) -> str:
    return f", as are {count - 1} more" if count > 1 else ""


def _read_back(file: ReleaseFile, folder: Path) -> ReadBack:
    found = find(file, folder / file.name)
    if found is Found.SAME_BYTES:
        return ReadBack(file.name, "same")
    if found in {Found.OTHER_BYTES, Found.NO_FILE}:
        return ReadBack(file.name, "differs", "has other bytes" if found is Found.OTHER_BYTES else "is no regular file")
    return ReadBack(file.name, "unreadable", _OBSTACLES.get(found, "is not there"))
