"""One file, looked at once, in bounded time and memory."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_sign_pre_commit.key_files import find_key_file
from hatch_sign_pre_commit.key_text import find_key_text
from hatch_sign_pre_commit.literals import find_literals

if TYPE_CHECKING:
    from hatch_sign_pre_commit.found import Found

LARGEST = 16 << 20
"""Bytes of a file that are looked at."""

_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
"""What text begins with whose characters take more than one byte each (Unicode Standard §23.8)."""

_BEGINNING = 1024
"""Bytes by which text of that sort is known where it begins with no mark."""
_FEWEST = 16


def read_beginning(path: Path) -> bytes | None:
    """Return at most :data:`LARGEST` bytes of a regular file, and one more where there is more.

    None for what holds nothing of its own: a link, a folder, a file that is gone. Raises OSError where it cannot be read.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(mode):
        return None
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with open(os.open(path, flags), "rb") as stream:  # noqa: PTH123 - a descriptor has no path
        return stream.read(LARGEST + 1)


def find_secrets(data: bytes, name: str) -> Iterator[tuple[int, Found]]:
    """Yield each secret in a file of that name, with its line, beginning with 1; each kind once for each line."""
    text = _as_utf_8(data)
    found = (*find_key_file(data), *find_key_text(text), *find_literals(text, name))
    seen, line, counted = set(), 1, 0
    for each in sorted(found, key=lambda each: each.offset):
        line += text.count(b"\n", counted, each.offset)
        counted = each.offset
        if (line, each.kind) not in seen:
            seen.add((line, each.kind))
            yield line, each


def _as_utf_8(data: bytes) -> bytes:
    """Return text as UTF-8: what PowerShell redirects into a file is UTF-16, and other programs leave out its mark."""
    encoding = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None) or _without_mark(data)
    return data if encoding is None else data.decode(encoding, "replace").encode("utf-8", "replace")


def _without_mark(data: bytes) -> str | None:
    """Return how text of two bytes a character is encoded, known by the zeros of those that ASCII has."""
    beginning = data[:_BEGINNING]
    even, odd, most = beginning[::2].count(0), beginning[1::2].count(0), len(beginning) // 2 * 0.9
    if len(beginning) < _FEWEST or min(even, odd) > 0:
        return None
    return "utf-16-le" if odd >= most else "utf-16-be" if even >= most else None
