"""Compressed tar archives that an attacker may have written, as a stream and in constant memory (POSIX pax, GNU names).

The standard library's reader keeps every member, and takes extended headers of any size into memory.
"""

from __future__ import annotations

import gzip
import hashlib
import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hatch_sign.archives.end_record import MAX_MEMBERS
from hatch_sign.archives.member_names import require_inside, require_link_inside
from hatch_sign.archives.zip_archive import malformed_archive
from hatch_sign.values.display import display
from hatch_sign.values.errors import MalformedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import BinaryIO

MAX_TOTAL = 8 << 30
"""Bytes of one archive, unpacked."""
MAX_EXTENDED = 1 << 20
"""Bytes of one extended header, and of a member whose content is read."""

_BLOCK = 512
_CHUNK = 1 << 18
_REGULAR, _FOLDER, _HARD_LINK, _SYMBOLIC_LINK = b"0\x007", b"5", b"1", b"2"
_PAX, _PAX_GLOBAL, _GNU_NAME, _GNU_TARGET = b"x", b"g", b"L", b"K"
_ZEROS = bytes(_BLOCK)


@dataclass(frozen=True, slots=True)
class Member:
    """One member: `content` is there for regular files that were asked for."""

    name: str
    is_folder: bool
    content: bytes | None = None


def read_tar_gz(stream: BinaryIO, *, wanted: Callable[[str], bool]) -> Iterator[Member]:
    """Yield the members of a gzipped archive, with the content of regular files whose names are `wanted`.

    Raises MalformedError for names and links that lead out of it, a name twice, sparse files and devices, more than
    100,000 members or 8 GiB, a wanted file above 1 MiB, and for bytes after the end.
    """
    with malformed_archive(), gzip.GzipFile(fileobj=stream, mode="rb") as unpacked:
        yield from _unique(_members(_Blocks(unpacked), wanted))


class _Blocks:
    """Reads forward, counts, and never returns less than it was asked for."""

    def __init__(self, source: gzip.GzipFile) -> None:
        self._source = source
        self._left = MAX_TOTAL

    def take(self, size: int) -> bytes:
        """Return `size` bytes, and pass over what fills up their last block."""
        data = self._source.read(self._within(size + -size % _BLOCK))
        if len(data) != size + -size % _BLOCK:
            message = "it ends within a member"
            raise ValueError(message)
        return data[:size]

    def skip(self, size: int) -> None:
        left = self._within(size + -size % _BLOCK)
        while left:
            read = len(self._source.read(min(left, _CHUNK)))
            if not read:
                message = "it ends within a member"
                raise ValueError(message)
            left -= read

    def require_only_zeros(self) -> None:
        while chunk := self._source.read(self._within(min(_CHUNK, self._left + 1))):
            if chunk.count(0) != len(chunk):
                message = "bytes follow its end"
                raise ValueError(message)

    def _within(self, size: int) -> int:
        self._left -= size
        if self._left < 0:
            message = f"it unpacks to more than {MAX_TOTAL} bytes"
            raise ValueError(message)
        return size


def _unique(members: Iterator[Member]) -> Iterator[Member]:
    seen: set[bytes] = set()
    for member in members:
        mark = hashlib.blake2b(posixpath.normpath(member.name).encode(), digest_size=16).digest()  # names are up to 4 KiB
        if mark in seen and not member.is_folder:
            message = f"the archive has {display(member.name)} twice"
            raise MalformedError(message)
        seen.add(mark)
        yield member


def _members(blocks: _Blocks, wanted: Callable[[str], bool]) -> Iterator[Member]:
    general: dict[str, str] = {}
    extended: dict[str, str] = {}
    count = 0
    while (header := blocks.take(_BLOCK)) != _ZEROS:
        count += 1
        if count > MAX_MEMBERS:
            message = f"it has more than {MAX_MEMBERS} members"
            raise ValueError(message)
        _require_checksum(header)
        kind, size = header[156:157], _number(header[124:136])
        if kind == _PAX_GLOBAL:
            general |= _parse_pax(_extended(blocks, size))
        elif kind == _PAX:
            extended |= _parse_pax(_extended(blocks, size))
        elif kind in {_GNU_NAME, _GNU_TARGET}:
            extended["path" if kind == _GNU_NAME else "linkpath"] = _text(_extended(blocks, size))
        else:
            yield _member(blocks, header, general | extended, wanted)
            extended = {}
    blocks.require_only_zeros()


def _member(blocks: _Blocks, header: bytes, extended: Mapping[str, str], wanted: Callable[[str], bool]) -> Member:
    kind = header[156:157]
    name = require_inside(extended.get("path") or _name(header))
    size = _decimal(extended["size"]) if "size" in extended else _number(header[124:136])
    if kind in {_HARD_LINK, _SYMBOLIC_LINK}:
        target = extended.get("linkpath") or _text(header[157:257])
        require_link_inside(name, target, symbolic=kind == _SYMBOLIC_LINK)
        size = 0
    elif kind == _FOLDER:
        size = 0
    elif kind not in _REGULAR:
        message = f"it has a member of the type {kind!r}, expected files, folders and links"
        raise ValueError(message)
    is_folder = kind == _FOLDER or name.endswith("/")
    if not is_folder and kind in _REGULAR and wanted(name):
        return Member(name, is_folder, _extended(blocks, size))
    blocks.skip(size)
    return Member(name, is_folder)


def _extended(blocks: _Blocks, size: int) -> bytes:
    if size > MAX_EXTENDED:
        message = f"a header or {size} bytes of metadata in it are larger than {MAX_EXTENDED} bytes"
        raise ValueError(message)
    return blocks.take(size)


def _parse_pax(data: bytes) -> dict[str, str]:
    """Read records of ``LENGTH KEY=VALUE`` and a newline, the length counting all of it (POSIX pax, "pax Header Block").

    Of what is in them, little is kept: global ones stay until the end. Raises ValueError for those of sparse files.
    """
    records: dict[str, str] = {}
    at = 0
    while at < len(data):
        length, space, _ = data[at : at + 8].partition(b" ")
        end = at + _decimal(length.decode("ascii"))
        key, equals, value = data[at + len(length) + 1 : end - 1].partition(b"=")
        if not space or not equals or end > len(data) or data[end - 1 : end] != b"\n":
            message = "it has an extended header that is none"
            raise ValueError(message)
        if key.startswith(b"GNU.sparse"):
            message = "it has a sparse file, expected files, folders and links"
            raise ValueError(message)
        if key in {b"path", b"linkpath", b"size"}:
            records[key.decode("ascii")] = value.decode("utf-8")
        at = end
    return records


def _require_checksum(header: bytes) -> None:
    expected = sum(header[:148]) + sum(header[156:]) + 8 * ord(" ")
    if _number(header[148:156]) != expected:
        message = "a member's header has a wrong checksum"
        raise ValueError(message)


def _name(header: bytes) -> str:
    name, prefix = _text(header[:100]), _text(header[345:500])
    return f"{prefix}/{name}" if header[257:263] == b"ustar\0" and prefix else name


def _number(data: bytes) -> int:
    """Read octal digits, or for the first bit set, a big-endian binary number (GNU)."""
    if data[0] == 0x80:  # noqa: PLR2004 - positive, binary
        return int.from_bytes(data[1:], "big")
    digits = data.rstrip(b" \0").lstrip(b" ")
    if digits.strip(b"01234567"):
        message = "a number in a member's header is none"
        raise ValueError(message)
    return int(digits or b"0", 8)


def _decimal(text: str) -> int:
    if not 0 < len(text) <= 20 or not (text.isascii() and text.isdigit()):  # noqa: PLR2004 - digits of 2^64
        message = "a number in an extended header is none"
        raise ValueError(message)
    return int(text)


def _text(data: bytes) -> str:
    return data.partition(b"\0")[0].decode("utf-8")
