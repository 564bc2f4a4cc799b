"""Reads ranges of a stream, whole or in pieces of bounded size."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from hatch_sign.values.errors import MalformedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PIECE = 1 << 20
"""Bytes that are held at a time."""


def read_range(stream: BinaryIO, start: int, end: int) -> bytes:
    """Return the bytes from `start` up to `end`. Raises MalformedError where the stream ends before."""
    stream.seek(start)
    return _read_fully(stream, end - start)


def read_pieces(stream: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    """Yield the bytes from `start` up to `end` in pieces of :data:`PIECE`, the last of which may be shorter.

    Raises MalformedError where the stream ends before: the file was changed while it was read.
    """
    stream.seek(start)
    for at in range(start, end, PIECE):
        yield _read_fully(stream, min(PIECE, end - at))


def read_changed(stream: BinaryIO, end: int, changes: Mapping[int, bytes]) -> Iterator[bytes]:
    """Yield the bytes up to `end` in pieces, with others at some offsets, all in the first piece, as the headers are."""
    pieces = read_pieces(stream, 0, end)
    first = bytearray(next(pieces))
    for at, data in changes.items():
        first[at : at + len(data)] = data
    yield bytes(first)
    yield from pieces


def _read_fully(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    while len(data) < size:  # Unbuffered streams may give less than there is.
        more = stream.read(size - len(data))
        if not more:
            message = f"the file ends {size - len(data)} bytes too early"
            raise MalformedError(message)
        data += more
    return data
