"""Zip archives that an attacker may have written: their names, and single small members (PKWARE APPNOTE 6.3)."""

from __future__ import annotations

import errno
import lzma
import struct
import zipfile
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hatch_sign.archives.end_record import IN_ZIP64, MAX_MEMBERS, read_end
from hatch_sign.archives.member_names import require_inside
from hatch_sign.values.display import display
from hatch_sign.values.errors import MalformedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

_LOCAL = struct.Struct("<4s5H3L2H")
_ENCRYPTED, _SIZES_FOLLOW = 0x1, 0x8
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_FAILURES = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    ArithmeticError,
    LookupError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)


class ZipArchive:
    """An open archive whose members all have different names inside it."""

    def __init__(self, stream: BinaryIO, archive: zipfile.ZipFile) -> None:
        """Take an archive as :func:`open_zip` opens it; raises MalformedError for its names."""
        self._stream = stream
        self._archive = archive
        self._members = _unique(archive.infolist())

    @property
    def names(self) -> Sequence[str]:
        """The names of all members that are not folders, as the central directory spells them."""
        return [name for name in self._members if not name.endswith("/")]

    def read(self, name: str, *, longest: int) -> bytes:
        """Return a member's bytes, their checksum verified.

        Raises MalformedError for more than `longest` bytes, for another method than stored and deflated, and where the
        member's own header does not say the same as the central directory.
        """
        member = self._members[name]
        if member.file_size > longest or member.compress_type not in _METHODS or member.flag_bits & _ENCRYPTED:
            message = f"{display(name)} is encrypted, packed in a way that is not supported, or larger than {longest} bytes"
            raise MalformedError(message)
        with malformed_archive():
            _require_same_header(self._stream, member)
            with self._archive.open(member) as content:
                return content.read()


@contextmanager
def open_zip(stream: BinaryIO) -> Iterator[ZipArchive]:
    """Open the archive in a seekable `stream`, which stays open. Raises MalformedError, also for bytes around it."""
    with malformed_archive():
        count = _require_bounds(stream)
        archive = zipfile.ZipFile(stream)
    with archive:
        if len(archive.infolist()) != count:
            message = f"the archive has {len(archive.infolist())} members and counts {count}"
            raise MalformedError(message)
        yield ZipArchive(stream, archive)


@contextmanager
def malformed_archive() -> Iterator[None]:
    """Turn what the standard library raises for a bad archive into MalformedError; a failing disk stays OSError."""
    try:
        yield
    except _FAILURES as error:
        reason = display(error)
    except OSError as error:
        if error.errno not in {None, errno.EINVAL}:  # gzip gives no number; a seek before the start is EINVAL
            raise
        reason = display(error)
    else:
        return
    message = f"the archive cannot be read: {reason}"
    raise MalformedError(message)


def _require_bounds(stream: BinaryIO) -> int:
    """Return how many members the archive counts, before any of them is read."""
    record = read_end(stream, max_members=MAX_MEMBERS)
    if record.prefix:
        message = f"its directory of {record.count} members and {record.length} bytes is too large or not where it should be"
        raise ValueError(message)
    return record.count


def _unique(members: Sequence[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    table: dict[str, zipfile.ZipInfo] = {}
    for member in members:
        name = require_inside(member.orig_filename)  # `filename` is cut at a NUL
        if name in table:
            message = f"the archive has {display(name)} twice"
            raise MalformedError(message)
        table[name] = member
    return table


def _require_same_header(stream: BinaryIO, member: zipfile.ZipInfo) -> None:
    """Compare the header before the member with the directory: tools differ in which of the two they believe."""
    header = _LOCAL.unpack(_read_at(stream, member.header_offset, _LOCAL.size))
    magic, _, flags, method, _, _, crc, packed, size, name_length, _ = header
    name = stream.read(name_length)
    same = (magic, flags, method) == (b"PK\x03\x04", member.flag_bits, member.compress_type)
    if not flags & _SIZES_FOLLOW:
        same = same and crc == member.CRC and packed in {member.compress_size, IN_ZIP64}
        same = same and size in {member.file_size, IN_ZIP64}
    if not same or name != member.orig_filename.encode("utf-8" if flags & 0x800 else "cp437"):
        message = f"{display(member.orig_filename)} is described differently in two places"
        raise ValueError(message)


def _read_at(stream: BinaryIO, offset: int, size: int) -> bytes:
    stream.seek(offset)
    return stream.read(size)
