"""One seekable stream, read and written by several threads at positions of their own."""

from __future__ import annotations

import io
import threading
from typing import BinaryIO, cast

from hatch_sign.archives.positioned import PositionedReader


class SharedStream:
    """A seekable stream whose position nobody owns: every access says where. The stream stays open."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._size = stream.seek(0, io.SEEK_END)

    @property
    def size(self) -> int:
        """Bytes in the stream, those that were allocated and not yet written among them."""
        return self._size

    def read_at(self, offset: int, size: int) -> bytes:
        """Return `size` bytes from `offset` on. Raises ValueError where the stream ends before."""
        if size < 0 or offset < 0 or offset + size > self._size:
            message = f"it ends at byte {self._size}, and says that something is at {offset}"
            raise ValueError(message)
        with self._lock:
            self._stream.seek(offset)
            data = self._stream.read(size)
        if len(data) != size:  # it shrank since it was opened
            message = f"it ends at byte {offset + len(data)}, before its end"
            raise ValueError(message)
        return data

    def write_at(self, offset: int, data: bytes) -> None:
        """Write all of `data` from `offset` on."""
        with self._lock:
            self._stream.seek(offset)
            self._stream.write(data)

    def allocate(self, size: int) -> int:
        """Return the offset of `size` bytes that nobody else is given."""
        with self._lock:
            offset, self._size = self._size, self._size + size
            return offset

    def append(self, data: bytes) -> Extent:
        """Write `data` where nothing is yet, and return where that is."""
        offset = self.allocate(len(data))
        self.write_at(offset, data)
        return offset, len(data)

    def holds(self, offset: int, other: SharedStream, extent: Extent) -> bool:
        """Return whether the bytes from `offset` on are those of an extent of another stream."""
        start, size = extent
        return offset + size <= self._size and all(
            self.read_at(offset + at, count) == other.read_at(start + at, count)
            for at in range(0, size, _CHUNK)
            if (count := min(_CHUNK, size - at))
        )

    def section(self, offset: int, size: int) -> BinaryIO:
        """Return a part of the stream as a seekable stream of its own, for reading."""

        def fill(at: int, view: memoryview) -> int:
            view[:] = self.read_at(offset + at, len(view))
            return len(view)

        return cast("BinaryIO", io.BufferedReader(PositionedReader(size, fill), 1 << 16))


_CHUNK = 1 << 20

Extent = tuple[int, int]
"""Where something lies in a stream: its offset and its size."""
