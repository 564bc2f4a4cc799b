"""Digests of single pages, by which Windows can check what it loads of a file without reading all of it."""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING, BinaryIO

from hatch_sign.values.errors import UnsupportedError
from hatch_sign_authenticode.pe.layout import CHECKSUM_SIZE, DIRECTORY_SIZE
from hatch_sign_authenticode.pe.reading import read_pieces, read_range

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hatch_sign_authenticode.pe.layout import PEFile

_PAGE, _LARGE_PAGE = 4096, 8192
_LARGE_PAGED = frozenset({0x184, 0x200, 0x284})  # Alpha, IA-64 and Alpha64
_OFFSET = struct.Struct("<I")


def page_hashes(stream: BinaryIO, pe: PEFile, hash_: str) -> bytes:
    """Return, for each page, its file offset (32 bits, little-endian) and its digest by `hash_`, as hashlib spells it.

    Pages are those of the machine; those that are not full are digested as if zeros filled them. The headers are the
    first, filled like any other and then without the 12 bytes that the digest of the file leaves out. The last entry is
    the end of the last section, and zeros.

    Raises UnsupportedError for a file whose headers or sections do not lie in pages of the machine, one after another;
    MalformedError where it is shorter than `pe` says.
    """
    page = _LARGE_PAGE if pe.machine in _LARGE_PAGED else _PAGE
    _require_pages(pe, page)
    entries = [_OFFSET.pack(0) + _digest(_headers(stream, pe), page - CHECKSUM_SIZE - DIRECTORY_SIZE, hash_)]
    end = pe.headers_size
    for section in pe.sections:
        entries += _section_entries(read_pieces(stream, section.offset, section.end), section.offset, page, hash_)
        end = section.end
    entries.append(_OFFSET.pack(end) + bytes(hashlib.new(hash_).digest_size))
    return b"".join(entries)


def _require_pages(pe: PEFile, page: int) -> None:
    offsets = [section.offset for section in pe.sections]
    if pe.section_alignment != page or pe.headers_size > page or offsets != sorted(offsets):
        message = (
            f"a PE file with headers of {pe.headers_size} bytes and sections aligned to {pe.section_alignment} has no pages"
            f" of {page} bytes in their order, as page hashes need them"
        )
        raise UnsupportedError(message, remedy="sign it without page hashes")


def _headers(stream: BinaryIO, pe: PEFile) -> bytes:
    data = read_range(stream, 0, pe.headers_size)
    behind = data[pe.directory_at + DIRECTORY_SIZE :]
    return data[: pe.checksum_at] + data[pe.checksum_at + CHECKSUM_SIZE : pe.directory_at] + behind


def _section_entries(pieces: Iterator[bytes], offset: int, page: int, hash_: str) -> Iterator[bytes]:
    for piece in pieces:
        for at in range(0, len(piece), page):
            yield _OFFSET.pack(offset + at) + _digest(piece[at : at + page], page, hash_)
        offset += len(piece)


def _digest(data: bytes, size: int, hash_: str) -> bytes:
    return hashlib.new(hash_, data.ljust(size, b"\0")).digest()
