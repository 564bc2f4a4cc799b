"""Reads the layout of PE files, and refuses those that are broken or that cannot be signed safely.

Safely means: every byte that Windows loads is covered by the signature, the file still runs, and no two programs that
verify it could read it in different ways.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, BinaryIO

from hatch_sign_authenticode.pe.headers import read_header, read_headers
from hatch_sign_authenticode.pe.layout import ALIGNMENT, LARGEST, PEFile, Section
from hatch_sign_authenticode.pe.refusals import refuse_broken, refuse_unsafe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hatch_sign_authenticode.pe.headers import Headers

MOST_SECTIONS = 96
"""What the loaders of all versions of Windows take."""

_SECTION = struct.Struct("<16xII16x")
_SECTION_ALIGNMENT, _HEADERS_SIZE, _CHECKSUM = 32, 60, 64


def parse_pe(stream: BinaryIO) -> PEFile:
    """Read the layout of the PE file in a seekable `stream`, which is the file from its first byte on.

    Raises MalformedError for what is broken, and UnsupportedError, saying why, for what is well-formed and yet cannot be
    signed safely.
    """
    size = stream.seek(0, os.SEEK_END)
    if size > LARGEST:
        refuse_unsafe(f"it has {size} bytes, and a PE file has at most {LARGEST}")
    headers = read_headers(stream, size)
    pe = PEFile(
        size=size,
        machine=headers.machine,
        checksum=headers.number(_CHECKSUM),
        checksum_at=headers.optional_at + _CHECKSUM,
        directory_at=headers.optional_at + headers.directory_at,
        headers_size=headers.number(_HEADERS_SIZE),
        section_alignment=headers.number(_SECTION_ALIGNMENT),
        sections=_read_sections(stream, headers, size),
        table=_find_table(headers.number(headers.directory_at), headers.number(headers.directory_at + 4), size),
    )
    _require_places(pe, headers.end + headers.section_count * _SECTION.size)
    return pe


def _read_sections(stream: BinaryIO, headers: Headers, size: int) -> tuple[Section, ...]:
    count = headers.section_count
    if not 0 < count <= MOST_SECTIONS:
        refuse_unsafe(f"it has {count} sections, expected 1 to {MOST_SECTIONS}")
    entries = _SECTION.iter_unpack(read_header(stream, headers.end, count * _SECTION.size, size))
    # What has no offset or no size has no data in the file: memory that begins as zeros.
    return tuple(Section(offset, length) for length, offset in entries if length and offset)


def _find_table(offset: int, length: int, size: int) -> tuple[int, int] | None:
    """Return where the certificate table is. It has to be the last thing in the file, as nothing behind it is signed."""
    if not offset and not length:
        return None
    if not offset or not length or offset % ALIGNMENT or length % ALIGNMENT:
        reason = f"its certificate table is said to have {length} bytes at {offset}, expected two multiples of {ALIGNMENT}"
        refuse_broken(reason)
    if offset + length > size:
        refuse_broken(f"its certificate table of {length} bytes at {offset} goes past the end of the file at {size}")
    if offset + length < size:
        refuse_broken(f"{size - offset - length} bytes follow its certificate table, where no signature covers them")
    return offset, length


def _require_places(pe: PEFile, table_end: int) -> None:
    """Refuse headers and sections that overlap, or that go past the end of what is signed."""
    if not table_end <= pe.headers_size <= pe.content_end:
        refuse_broken(f"its headers are said to have {pe.headers_size} bytes, expected {table_end} to {pe.content_end}")
    _require_apart(pe.sections)
    if pe.image_end > pe.content_end:
        refuse_broken(f"a section goes up to {pe.image_end}, past the end of what is signed at {pe.content_end}")
    first = min((section.offset for section in pe.sections), default=pe.headers_size)
    if first < table_end:
        refuse_broken(f"a section begins at {first}, inside the section table, which ends at {table_end}")
    if first < pe.headers_size:
        # Packers write that. Whether those bytes count as headers, or twice, depends on who verifies.
        refuse_unsafe(f"a section begins at {first}, inside the headers, which are said to have {pe.headers_size} bytes")


def _require_apart(sections: Sequence[Section]) -> None:
    end = 0
    for section in sorted(sections, key=lambda each: each.offset):
        if section.offset < end:
            refuse_broken(f"two of its sections overlap at {section.offset}")
        end = section.end
