"""A stream for reading, seekable, over whatever can say what its bytes are."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

Fill = Callable[[int, memoryview], int]
"""Fills a buffer with the bytes from an offset on, and returns how many it has filled; the buffer ends where they do."""


class PositionedReader(io.RawIOBase):
    """A raw stream of `size` bytes, which `fill` is asked for as they are read."""

    def __init__(self, size: int, fill: Fill) -> None:
        self._size = size
        self._fill = fill
        self._at = 0

    def readable(self) -> bool:
        """Return true."""
        return True

    def seekable(self) -> bool:
        """Return true."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position, also behind the end, and return it. Raises ValueError for one before the start."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            message = "a position before the start"
            raise ValueError(message)
        self._at = start + offset
        return self._at

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - whatever the caller gives
        """Fill the buffer from the position on; return how many bytes were read, none at the end."""
        view = memoryview(buffer).cast("B")
        wanted = view[: max(0, self._size - self._at)]
        count = self._fill(self._at, wanted) if wanted else 0
        self._at += count
        return count
