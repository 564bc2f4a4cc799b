"""One file, looked at once, in bounded time and memory."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from hatch_sign_pre_commit.command_lines import find_command_lines
from hatch_sign_pre_commit.key_files import find_key_file
from hatch_sign_pre_commit.key_text import find_key_text
from hatch_sign_pre_commit.literals import find_literals

if TYPE_CHECKING:
    from hatch_sign_pre_commit.found import Found

LARGEST = 256 << 20
"""Bytes of a file that are looked at."""

PIECE = 8 << 20
"""Bytes that are looked at together."""
_BEFORE, _AFTER = 16 << 10, 64 << 10
"""Bytes on either side of a piece that are read with it: what begins in the piece is seen whole, with what it stands in."""

_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
"""What text begins with whose characters take more than one byte each (Unicode Standard §23.8)."""

_BEGINNING = 1024
"""Bytes by which text of that sort is known where it begins with no mark."""
_FEWEST = 16


def open_regular(path: Path) -> BinaryIO | None:
    """Return a regular file, open; None for what holds nothing of its own: a link, a folder, a pipe, a file that is gone.

    Raises OSError where it cannot be read.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(mode):
        return None
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    return open(os.open(path, flags), "rb", buffering=0)  # noqa: PTH123 - a descriptor has no path; it is handed on


def find_secrets(stream: BinaryIO, name: str) -> Iterator[tuple[int, Found]]:
    """Yield each secret in a file of that name, with its line, beginning with 1; each kind once for each line.

    At most :data:`LARGEST` bytes are looked at. `name` has ``/``.
    """
    seen, encoding, first = set(), None, 1
    for piece in _pieces(stream):
        if piece.data.count(0) == len(piece.data):
            continue  # a hole in a sparse file
        encoding = _encoding(piece.data) if piece.is_first else encoding
        before, text, after = (_as_utf_8(part, encoding) for part in piece.parts)
        start, end = len(before), len(before) + len(text)
        together = before + text + after
        found = (*find_key_text(together), *find_literals(together, name), *find_command_lines(together))
        inside = [each for each in found if start <= each.offset < end]
        inside += find_key_file(piece.data) if piece.is_first else ()
        line, counted = first, start
        for each in sorted(inside, key=lambda each: each.offset):
            line += together.count(b"\n", counted, each.offset)
            counted = each.offset
            if (line, each.kind) not in seen:
                seen.add((line, each.kind))
                yield line, each
        first += text.count(b"\n")


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a file, from `start` to `end` of `data`; the rest is what it stands in."""

    data: bytes
    start: int
    end: int

    @property
    def is_first(self) -> bool:
        return self.start == 0

    @property
    def parts(self) -> tuple[bytes, bytes, bytes]:
        return self.data[: self.start], self.data[self.start : self.end], self.data[self.end :]


def _pieces(stream: BinaryIO) -> Iterator[_Piece]:
    """Yield a file in pieces, each of which has something in it; all begin and end at a multiple of four bytes."""
    data, start, left = _read(stream, PIECE + _AFTER), 0, LARGEST - PIECE - _AFTER
    while len(data) == start + PIECE + _AFTER:
        end = start + PIECE
        yield _Piece(data, start, end)
        data, start = data[end - _BEFORE :] + _read(stream, min(PIECE, left)), _BEFORE
        left -= PIECE
    yield _Piece(data, start, len(data))


def _read(stream: BinaryIO, size: int) -> bytes:
    """Return as many bytes as are asked for, or all that there are."""
    chunks: list[bytes] = []
    while size > 0 and (chunk := stream.read(size)):
        chunks.append(chunk)
        size -= len(chunk)
    return b"".join(chunks)


def _encoding(beginning: bytes) -> str | None:
    """Return how text is encoded that is not UTF-8: what PowerShell redirects is UTF-16, and others leave out its mark."""
    return next((encoding for mark, encoding in _MARKS if beginning.startswith(mark)), None) or _without_mark(beginning)


def _as_utf_8(data: bytes, encoding: str | None) -> bytes:
    return data if encoding is None else data.decode(encoding, "replace").encode("utf-8", "replace")


def _without_mark(data: bytes) -> str | None:
    """Return how text of two bytes a character is encoded, known by the zeros of those that ASCII has."""
    beginning = data[:_BEGINNING]
    even, odd, most = beginning[::2].count(0), beginning[1::2].count(0), len(beginning) // 2 * 0.9
    if len(beginning) < _FEWEST or min(even, odd) > 0:
        return None
    return "utf-16-le" if odd >= most else "utf-16-be" if even >= most else None
