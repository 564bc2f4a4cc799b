"""Where everything in a zip archive lies, read strictly enough to write the archive anew (PKWARE APPNOTE 6.3 §4.3)."""

from __future__ import annotations

import struct
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hatch_sign.archives.end_record import IN_ZIP64, EndRecord, read_end
from hatch_sign.archives.extra_fields import Zip64Sizes, require_same_name, take_zip64
from hatch_sign.archives.member_names import require_inside, require_same_everywhere
from hatch_sign.archives.shared_stream import SharedStream
from hatch_sign.archives.zip_archive import malformed_archive
from hatch_sign.values.display import display
from hatch_sign.values.errors import MalformedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

MAX_UNPACKED = 8 << 30
"""Bytes of all members of one archive, unpacked."""
LARGEST_RATIO = 200
"""How many times as large as the archive its members may be, once they are larger than `TOLERATED`."""
TOLERATED = 1 << 30

CENTRAL = struct.Struct("<4s6H3L5H2L")
LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL_MAGIC, _LOCAL_MAGIC, _DESCRIPTOR_MAGIC = b"PK\x01\x02", b"PK\x03\x04", b"PK\x07\x08"
SIZES_FOLLOW = 0x8
_UNREADABLE = 0x1 | 0x20 | 0x40 | 0x2000
"""Flags of what is encrypted, patches something else, is strongly encrypted, or has masked headers (APPNOTE §4.4.4)."""
_UTF_8 = 0x800
_NEWEST = 63
"""The version of the specification that is read, times ten: installers refuse members that need a newer one."""
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


@dataclass(frozen=True, slots=True)
class ZipMember:
    """One member: its header in the directory, raw, and where it lies in the file.

    It begins at `offset`, its packed bytes at `content`, and with `end` the next one begins. `zip64` says which of its
    numbers stand in a field of 64 bits.
    """

    name: str
    header: bytes
    offset: int
    content: int
    end: int
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    zip64: Zip64Sizes

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder, which has no content."""
        return self.name.endswith("/")


@dataclass(frozen=True, slots=True)
class ZipLayout:
    """A whole archive: its members in the order of the directory; together they fill it from `start` to the directory."""

    members: tuple[ZipMember, ...]
    start: int
    end: EndRecord

    def in_file_order(self) -> Sequence[ZipMember]:
        """Return the members as they follow each other in the file."""
        return sorted(self.members, key=lambda member: member.offset)

    @property
    def files(self) -> dict[str, ZipMember]:
        """The members that are no folders, by name."""
        return {member.name: member for member in self.members if not member.is_folder}


def read_layout(stream: BinaryIO, *, prefixed: bool = False) -> ZipLayout:
    """Return the layout of the archive in a seekable stream; something may stand before it only where it is `prefixed`.

    Raises MalformedError for an archive that tools could read in different ways, or that does not end: two members of one
    name, in whatever case, names that lead out of it, headers that contradict each other or do not say where a member ends,
    bytes that belong to no member or to two, encryption, other methods than stored and deflated, more than 8 GiB unpacked,
    or above 1 GiB more than 200 times the size of the archive.
    """
    with malformed_archive():
        end = read_end(stream)
        shared = SharedStream(stream)
        entries = list(_entries(shared.read_at(end.position - end.length, end.length), end.count))
        first = min((entry.offset for entry in entries), default=end.offset)
        layout = ZipLayout(tuple(_place(shared, entries, end)), first + end.prefix, end)
    if layout.start and not prefixed:
        message = f"{layout.start} bytes stand before the archive"
        raise MalformedError(message)
    _require_bounded(layout, shared.size)
    return layout


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    raw_name: bytes
    header: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    zip64: Zip64Sizes


def _entries(directory: bytes, count: int) -> Iterator[_Entry]:
    at = 0
    seen: dict[str, str] = {}
    for _ in range(count):
        fields = CENTRAL.unpack_from(directory, at)
        name_at = at + CENTRAL.size
        extra_at, comment_at = name_at + fields[10], name_at + fields[10] + fields[11]
        end = comment_at + fields[12]
        if fields[0] != _CENTRAL_MAGIC or end > len(directory) or fields[13]:
            message = "its directory is damaged"
            raise ValueError(message)
        entry = _entry(directory[at:end], directory[name_at:extra_at], directory[extra_at:comment_at])
        _require_apart(seen, entry.name)
        yield entry
        at = end
    if at != len(directory):
        message = f"its directory does not end after the {count} members that it counts"
        raise ValueError(message)


def _require_apart(seen: dict[str, str], name: str) -> None:
    """Add the name. Raises MalformedError where a file of that name is there, or one that differs in case only."""
    same = name if name.endswith("/") else name.casefold()  # folders become one, and nothing in them is lost
    if same not in seen:
        seen[same] = name
        return
    message = f"the archive has {display(name)} twice"
    if seen[same] != name:
        message = f"the archive has {display(seen[same])} and {display(name)}, which are one file on Windows and macOS"
    raise MalformedError(message)


def _entry(header: bytes, raw_name: bytes, extra: bytes) -> _Entry:
    _, _, needed, flags, method, _, _, crc, packed, size, *_, offset = CENTRAL.unpack_from(header)
    name = require_same_everywhere(require_inside(raw_name.decode("utf-8" if flags & _UTF_8 else "cp437")))
    if method not in _METHODS or flags & _UNREADABLE or needed & 0xFF > _NEWEST:
        message = f"{display(name)} is encrypted, or packed in a way that is not supported"
        raise MalformedError(message)
    require_same_name(extra, raw_name, name)
    zip64 = take_zip64(extra, size=size, packed=packed, offset=offset)
    size, packed, offset = _wide(zip64.size, size), _wide(zip64.packed, packed), _wide(zip64.offset, offset)
    if method == zipfile.ZIP_STORED and packed != size:
        message = f"{display(name)} is not packed, and has two sizes"
        raise ValueError(message)
    if name.endswith("/") and size:
        message = f"{display(name)} is a folder with content"
        raise ValueError(message)
    return _Entry(name, raw_name, header, flags, method, crc, packed, size, offset, zip64)


def _place(shared: SharedStream, entries: Sequence[_Entry], end: EndRecord) -> Iterator[ZipMember]:
    """Yield the members where they lie: each begins where the one before it ends, so that nothing is hidden or shared."""
    begins = sorted(entry.offset + end.prefix for entry in entries)
    after = dict(zip(begins, [*begins[1:], end.position - end.length], strict=False))
    if len(after) != len(entries):
        message = "two of its members begin at one place"
        raise ValueError(message)
    for entry in entries:
        offset = entry.offset + end.prefix
        content = _content_of(shared, entry, offset)
        tail = content + entry.packed
        if after[offset] < tail or shared.read_at(tail, after[offset] - tail) not in _descriptors(entry):
            message = f"{display(entry.name)} does not end where the next member begins"
            raise ValueError(message)
        yield ZipMember(
            entry.name, entry.header, offset, content, after[offset], entry.flags, entry.method,
            entry.crc, entry.packed, entry.size, entry.zip64,
        )  # fmt: skip


def _content_of(shared: SharedStream, entry: _Entry, offset: int) -> int:
    """Return where the packed bytes begin, having held the header before them against the directory."""
    magic, _, flags, method, _, _, crc, packed, size, name_length, extra_length = LOCAL.unpack(
        shared.read_at(offset, LOCAL.size)
    )
    rest = shared.read_at(offset + LOCAL.size, name_length + extra_length)
    zip64 = take_zip64(rest[name_length:], size=size, packed=packed)
    require_same_name(rest[name_length:], rest[:name_length], entry.name)
    found = (crc, _wide(zip64.packed, packed), _wide(zip64.size, size))
    same = (magic, flags, method, rest[:name_length]) == (_LOCAL_MAGIC, entry.flags, entry.method, entry.raw_name)
    expected = {(entry.crc, entry.packed, entry.size)}
    if flags & SIZES_FOLLOW:
        expected.add((0, 0, 0))
    if found == (0, 0, 0) and method == zipfile.ZIP_STORED and entry.size:
        message = f"{display(entry.name)} is not packed, and who reads it as a stream has to guess where it ends"
        raise ValueError(message)
    if not same or found not in expected:
        message = f"{display(entry.name)} is described differently in two places"
        raise ValueError(message)
    return offset + LOCAL.size + len(rest)


def _wide(wide: int | None, narrow: int) -> int:
    return narrow if wide is None else wide


def _descriptors(entry: _Entry) -> tuple[bytes, ...]:
    """Return what may stand after the packed bytes (APPNOTE §4.3.9): a magic number or none, sizes of 32 or 64 bits."""
    if not entry.flags & SIZES_FOLLOW:
        return (b"",)
    wide = struct.pack("<LQQ", entry.crc, entry.packed, entry.size)
    if max(entry.packed, entry.size) >= IN_ZIP64:
        return _DESCRIPTOR_MAGIC + wide, wide
    narrow = struct.pack("<3L", entry.crc, entry.packed, entry.size)
    return _DESCRIPTOR_MAGIC + narrow, narrow, _DESCRIPTOR_MAGIC + wide, wide


def _require_bounded(layout: ZipLayout, size: int) -> None:
    unpacked = sum(member.size for member in layout.members)
    if unpacked > MAX_UNPACKED or (unpacked > TOLERATED and unpacked > LARGEST_RATIO * size):
        limits = f"{MAX_UNPACKED}, and above {TOLERATED} at most {LARGEST_RATIO} times its size"
        message = f"the archive of {size} bytes unpacks to {unpacked}, expected at most {limits}"
        raise MalformedError(message)
