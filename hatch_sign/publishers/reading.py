"""The bytes of a release file on their way out: exactly those that were verified, or none that make a whole."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from hatch_sign.values.display import display
from hatch_sign.values.errors import PublishError, RejectedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hatch_sign.contract import ReleaseFile

_PIECE = 64 * 1024


class VerifiedStream:
    """Reads a release file, and gives the last of its bytes only once all of them are those that were verified.

    Who gets less than the file's size was given no file: an upload that ends early is none.
    """

    def __init__(self, file: ReleaseFile, stream: BinaryIO) -> None:
        self._file = file
        self._stream = stream
        self._digest = hashlib.sha256()
        self._left = file.size

    def read(self, most: int = _PIECE, /) -> bytes:
        """Return the next bytes, at most so many. Raises RejectedError for bytes other than those that were verified."""
        piece = self._stream.read(min(most, self._left))
        self._digest.update(piece)
        self._left -= len(piece)
        ended_early = not piece and self._left
        if ended_early or (not self._left and (self._stream.read(1) or self._digest.digest() != self._file.sha256)):
            message = f"{display(self._file.name)} changed after it was verified, and is not published"
            raise RejectedError(message, remedy="find out what writes to it, then run again")
        return piece


@contextmanager
def verified_stream(file: ReleaseFile) -> Iterator[VerifiedStream]:
    """Open a release file to be sent. Raises PublishError where it cannot be read."""
    try:
        stream = file.path.open("rb")
    except OSError as error:
        message = f"{display(file.name)} cannot be read: {error.strerror or type(error).__name__}"
        raise PublishError(message) from None
    with stream:
        yield VerifiedStream(file, stream)
