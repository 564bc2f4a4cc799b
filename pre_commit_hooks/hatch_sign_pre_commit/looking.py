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

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


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
    seen = set()
    for found in (*find_key_file(data), *find_key_text(text), *find_literals(text, name)):
        line = text.count(b"\n", 0, found.offset) + 1
        if (line, found.kind) not in seen:
            seen.add((line, found.kind))
            yield line, found


def _as_utf_8(data: bytes) -> bytes:
    """Return text as UTF-8: what PowerShell redirects into a file is UTF-16."""
    return data.decode("utf-16", "replace").encode("utf-8", "replace") if data.startswith(_UTF_16) else data
