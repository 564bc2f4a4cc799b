"""Files that are replaced whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from hatch_sign.values.display import display
from hatch_sign.values.errors import SigningError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable


def open_file(path: Path) -> BinaryIO:
    """Return a file to be read. Raises UsageError."""
    try:
        return path.open("rb")
    except OSError as error:
        message = f"{display(path)} cannot be read: {error.strerror or type(error).__name__}"
        raise UsageError(message) from None


def replace_file(target: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let `write` fill a file that then takes the place of `target`, synced and with the mode of an older one.

    Where `write` raises, or the disk does, `target` stays as it was and nothing is left beside it. Raises SigningError.
    """
    place = target.resolve()  # what a link leads to is replaced, and not the link
    # The core removes what a killed run leaves behind under names of this kind.
    temporary = place.with_name(f".{place.name[:40]}.{os.getpid()}-{secrets.token_hex(4)}.hatch-sign-tmp")
    with _removed_on_failure(temporary, target):
        with temporary.open("xb+") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        if place.exists():
            shutil.copymode(place, temporary)
        temporary.replace(place)


@contextmanager
def _removed_on_failure(temporary: Path, target: Path) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        message = f"{display(target)} cannot be written: {error.strerror or type(error).__name__}"
        raise SigningError(message, remedy="free space, or make the folder writable, then run again") from None
