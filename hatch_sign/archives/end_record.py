"""The end of a zip archive, which says where its directory is (PKWARE APPNOTE 6.3 §4.3.14 to §4.3.16)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import BinaryIO

MAX_MEMBERS = 100_000
"""Members of one archive."""
MAX_DIRECTORY = 64 << 20
"""Bytes in the central directory, all of which is kept in memory."""

IN_ZIP64 = 0xFFFFFFFF
"""Stands in a field of 32 bits for a value that is in a Zip64 record or field instead."""
SHORT_IN_ZIP64 = 0xFFFF
"""The same in a field of 16 bits."""

_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_END_MAGIC, _LOCATOR_MAGIC, _END64_MAGIC = b"PK\x05\x06", b"PK\x06\x07", b"PK\x06\x06"
_LONGEST_COMMENT = 0xFFFF
_LARGEST_END64 = 1 << 16


@dataclass(frozen=True, slots=True)
class EndRecord:
    """What the end of an archive says.

    The directory has `count` members and `length` bytes, and begins at `offset` as the record counts, which may begin to
    count after a prefix. `position` is where the directory ends in the file. `zip64` is the raw Zip64 record, else None.
    """

    count: int
    length: int
    offset: int
    position: int
    comment: bytes
    zip64: bytes | None = None

    @property
    def prefix(self) -> int:
        """Bytes before the archive that its offsets do not count; negative for an archive that lies."""
        return self.position - self.length - self.offset


def read_end(stream: BinaryIO, *, max_members: int | None = None) -> EndRecord:
    """Return what the end of the archive in a seekable `stream` says, before anything else is read.

    Raises ValueError for none, for bytes after it, for an archive of several parts, for Zip64 records that are not where
    they should be or contradict the older ones, and for more than 100,000 members or 64 MiB.
    """
    size = stream.seek(0, 2)
    start = max(0, size - _END.size - _LONGEST_COMMENT)
    tail = _read_at(stream, start, size - start)
    at = tail.rfind(_END_MAGIC)
    if at < 0 or at + _END.size > len(tail):
        message = "it has no end record"
        raise ValueError(message)
    _, disk, first_disk, here, count, length, offset, comment = _END.unpack_from(tail, at)
    if start + at + _END.size + comment != size:
        message = "bytes follow its end record"
        raise ValueError(message)
    if disk or first_disk or here != count:
        message = "it is one of several parts"
        raise ValueError(message)
    record = _with_zip64(stream, EndRecord(count, length, offset, start + at, tail[at + _END.size :]))
    if record.count > (max_members or MAX_MEMBERS) or record.length > MAX_DIRECTORY or record.prefix < 0:
        message = f"its directory of {record.count} members and {record.length} bytes is too large or not where it should be"
        raise ValueError(message)
    return record


def encode_end(record: EndRecord, *, count: int, length: int, offset: int, position: int) -> bytes:
    """Return the end records of an archive that took the place of the one that `record` is of.

    `position` is where they will stand. There is a Zip64 record where there was one, or where the numbers need it.
    """
    too_large = count >= SHORT_IN_ZIP64 or length >= IN_ZIP64 or offset >= IN_ZIP64
    encoded = b""
    if record.zip64 is not None or too_large:
        encoded = _encode_zip64(record.zip64, count, length, offset)
        encoded += _LOCATOR.pack(_LOCATOR_MAGIC, 0, position - record.prefix, 1)
    short = min(count, SHORT_IN_ZIP64)
    sizes = min(length, IN_ZIP64), min(offset, IN_ZIP64)
    return encoded + _END.pack(_END_MAGIC, 0, 0, short, short, *sizes, len(record.comment)) + record.comment


def _encode_zip64(older: bytes | None, count: int, length: int, offset: int) -> bytes:
    if older is None:
        return _END64.pack(_END64_MAGIC, _END64.size - 12, 45, 45, 0, 0, count, count, length, offset)
    magic, size, made, needed, *_ = _END64.unpack_from(older)
    return _END64.pack(magic, size, made, needed, 0, 0, count, count, length, offset) + older[_END64.size :]


def _with_zip64(stream: BinaryIO, record: EndRecord) -> EndRecord:
    """Return the record with what a Zip64 record says: readers differ in when they look for one, so it must agree."""
    at = record.position - _LOCATOR.size
    locator = _read_at(stream, at, _LOCATOR.size) if at >= 0 else b""
    saturated = IN_ZIP64 in {record.length, record.offset}
    if not locator.startswith(_LOCATOR_MAGIC):
        if saturated:
            message = "its Zip64 end record is not where it should be"
            raise ValueError(message)
        return record
    _, disk, offset, disks = _LOCATOR.unpack(locator)
    # Offsets may begin to count after a prefix, which only the record itself can tell: it ends where its locator begins.
    raw = _zip64_before(stream, at)
    fields = _END64.unpack_from(raw)
    count, length, start, position = fields[7], fields[8], fields[9], at - len(raw)
    found = replace(record, count=count, length=length, offset=start, position=position, zip64=raw)
    agrees = record.count in {count, SHORT_IN_ZIP64} and record.length in {length, IN_ZIP64}
    agrees = agrees and record.offset in {start, IN_ZIP64} and fields[6] == count and not any(fields[4:6])
    if disk or disks > 1 or offset + found.prefix != position or not agrees:
        message = "its Zip64 end record is not where it should be, or says something else than the one after it"
        raise ValueError(message)
    return found


def _zip64_before(stream: BinaryIO, end: int) -> bytes:
    """Return the Zip64 record that ends at `end`; nearly always it is as short as it may be."""
    start = max(0, end - _LARGEST_END64)
    tail = _read_at(stream, start, end - start)
    for at in (len(tail) - _END64.size, tail.rfind(_END64_MAGIC)):
        if at >= 0 and tail.startswith(_END64_MAGIC, at) and at + _END64.size <= len(tail):
            raw = tail[at:]
            if _END64.unpack_from(raw)[1] + 12 == len(raw):
                return raw
    message = "its Zip64 end record is not where it should be"
    raise ValueError(message)


def _read_at(stream: BinaryIO, offset: int, size: int) -> bytes:
    stream.seek(offset)
    return stream.read(size)
