"""The headers of a PE file, from the DOS header to the last data directory (PE and COFF specification)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from hatch_sign_authenticode.pe.layout import DIRECTORY_SIZE, DOS_HEADER, HEADER_OFFSET, PE_MARK
from hatch_sign_authenticode.pe.reading import PIECE, read_range
from hatch_sign_authenticode.pe.refusals import refuse_broken, refuse_unsafe

if TYPE_CHECKING:
    from typing import NoReturn

_FILE_HEADER = struct.Struct("<4sHH12xHxx")
_COUNTS = {0x10B: 92, 0x20B: 108}
"""Where the number of data directories is in the optional header, by what it begins with: PE32 or PE32+."""
_ROM = 0x107
_CERTIFICATES = 4
"""The number of the data directory that says where the certificate table is."""
_OLDER_MARKS = {b"NE": "16-bit Windows", b"LE": "OS/2 or VxD", b"LX": "OS/2"}
_LATEST = PIECE // 2
"""Where a PE header may begin at the latest, so that all headers are in the first piece that is read."""


@dataclass(frozen=True, slots=True)
class Headers:
    """The headers of one file. `optional` begins at `optional_at`; `directory_at` is in it, of the certificate table."""

    machine: int
    section_count: int
    optional_at: int
    optional: bytes
    directory_at: int

    @property
    def end(self) -> int:
        """Where the section table begins."""
        return self.optional_at + len(self.optional)

    def number(self, at: int) -> int:
        """Return the 32 bits at an offset into the optional header."""
        return int.from_bytes(self.optional[at : at + 4], "little")


def read_headers(stream: BinaryIO, size: int) -> Headers:
    """Read the headers of a file of `size` bytes. Raises MalformedError or UnsupportedError."""
    start = _find_pe_header(read_header(stream, 0, DOS_HEADER, size), size)
    header = read_header(stream, start, _FILE_HEADER.size, size)
    mark, machine, section_count, optional_size = _FILE_HEADER.unpack(header)
    if mark != PE_MARK:
        _refuse_mark(mark)
    optional_at = start + _FILE_HEADER.size
    optional = read_header(stream, optional_at, optional_size, size)
    return Headers(machine, section_count, optional_at, optional, _find_directory(optional))


def read_header(stream: BinaryIO, at: int, length: int, size: int) -> bytes:
    """Return a part of the headers. Raises MalformedError where it goes past the end of the file at `size`."""
    if at + length > size:
        refuse_broken(f"its headers go up to {at + length}, past the end of the file at {size}")
    return read_range(stream, at, at + length)


def _find_pe_header(dos_header: bytes, size: int) -> int:
    if not dos_header.startswith(b"MZ"):
        refuse_broken("it does not begin with MZ")
    start = int.from_bytes(dos_header[HEADER_OFFSET:], "little")
    if start % 4:
        refuse_broken(f"its PE header is at {start}, expected a multiple of 4")
    if start < DOS_HEADER:
        refuse_unsafe(f"its PE header is at {start}, inside the DOS header")
    if start + _FILE_HEADER.size > size:
        refuse_broken(f"its PE header is at {start}, behind the end of the file at {size}")
    if start > _LATEST:
        refuse_unsafe(f"its PE header is at {start}, expected at most {_LATEST}")
    return start


def _refuse_mark(mark: bytes) -> NoReturn:
    older = _OLDER_MARKS.get(mark[:2])
    if older:
        refuse_unsafe(f"it is a program for {older}, which has no place for a signature")
    refuse_broken("it has no PE header where the DOS header says")


def _find_directory(optional: bytes) -> int:
    """Return the offset of the certificate table's directory in the optional header; directories follow their number."""
    magic = int.from_bytes(optional[:2], "little")
    if magic == _ROM:
        refuse_unsafe("it is a ROM image, which has no place for a signature")
    if magic not in _COUNTS:
        refuse_broken(f"its optional header begins with {magic:#x}, expected 0x10b or 0x20b")
    first = _COUNTS[magic] + 4
    if len(optional) < first:
        refuse_broken(f"its optional header has {len(optional)} bytes, expected at least {first}")
    count = int.from_bytes(optional[first - 4 : first], "little")
    if count <= _CERTIFICATES:
        refuse_unsafe(f"it has {count} data directories, and the fifth is for signatures")
    if first + count * DIRECTORY_SIZE > len(optional):
        refuse_broken(
            f"it counts {count} data directories, which do not fit into an optional header of {len(optional)} bytes"
        )
    return first + _CERTIFICATES * DIRECTORY_SIZE
