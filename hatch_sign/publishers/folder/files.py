"""The files of a folder that is published to: what is there, and how one more comes."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from enum import Enum, auto
from shutil import copyfileobj
from typing import TYPE_CHECKING, BinaryIO

from hatch_sign.publishers.reading import VerifiedStream, verified_stream
from hatch_sign.storage.atomic import stage_stream
from hatch_sign.values.display import display
from hatch_sign.values.errors import PublishError, RejectedError

if TYPE_CHECKING:
    from io import BufferedReader
    from pathlib import Path

    from hatch_sign.contract import ReleaseFile

MODE = 0o644
"""Of every file: a server of static files is another user."""

_NO_SIDE_EFFECT = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""To open neither what a symbolic link points to, nor a pipe that nobody writes to."""


class Found(Enum):
    """What is under the name of a release file."""

    NOTHING = auto()
    SAME_BYTES = auto()
    OTHER_BYTES = auto()
    NO_FILE = auto()
    """A folder, a symbolic link, or another thing that is no regular file."""
    UNREADABLE = auto()


def require_folder(folder: Path) -> None:
    """Make the folder, and what is missing above it. Raises PublishError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{display(folder)} cannot be made a folder: {error.strerror or type(error).__name__}"
        raise PublishError(message, remedy="name a folder that you may write to") from None


def find(file: ReleaseFile, target: Path) -> Found:
    """Return what is at `target`, compared with `file`; no link is followed."""
    try:
        mode = target.lstat().st_mode
        return _compared(file, target) if stat.S_ISREG(mode) else Found.NO_FILE
    except FileNotFoundError:
        return Found.NOTHING
    except OSError:
        return Found.UNREADABLE


def add_file(file: ReleaseFile, target: Path) -> None:
    """Put a copy of the verified bytes at `target`, complete and synced. Raises RejectedError where something is there.

    Raises PublishError and SigningError too, with nothing left behind.
    """
    with verified_stream(file) as verified:
        staged = stage_stream(target, lambda stream: _fill(stream, verified))
    try:
        _put_in_place(staged.temporary, target)
    except FileExistsError:
        message = f"{display(target)} was put there by somebody else meanwhile"
        raise RejectedError(message, remedy="nothing was replaced: see who else publishes there, then run again") from None
    except OSError as error:
        message = f"{display(target)} cannot be written: {error.strerror or type(error).__name__}"
        raise PublishError(message, remedy="make the folder writable, then run again") from None
    finally:
        staged.discard()


def _fill(stream: BinaryIO, verified: VerifiedStream) -> None:
    """Copy the verified bytes, and let everybody read them."""
    if hasattr(os, "fchmod"):  # by its path, it could be a link by now, to a file that is nobody else's to read
        os.fchmod(stream.fileno(), MODE)
    copyfileobj(verified, stream)


def _put_in_place(temporary: Path, target: Path) -> None:
    """Give a complete file its name at once, and never take that name from another. Raises OSError."""
    if sys.platform == "win32":
        temporary.rename(target)  # refuses where something is
        return
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: what comes between looking and renaming is lost
        if os.path.lexists(target):
            raise FileExistsError from None
        temporary.rename(target)


def _compared(file: ReleaseFile, target: Path) -> Found:
    with open(os.open(target, os.O_RDONLY | _NO_SIDE_EFFECT), "rb") as stream:  # noqa: PTH123 - a descriptor has no path
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode):
            return Found.NO_FILE
        same = status.st_size == file.size and _sha256(stream) == file.sha256
    return Found.SAME_BYTES if same else Found.OTHER_BYTES


def _sha256(stream: BufferedReader) -> bytes:
    return hashlib.file_digest(stream, "sha256").digest()
