"""What there is to know of a PE file before it is signed or verified (Microsoft PE and COFF specification)."""

from __future__ import annotations

from dataclasses import dataclass

ALIGNMENT = 8
"""The certificate table begins at a multiple of this, and each entry in it."""
LARGEST = 0xFFFFFFFF
"""Bytes in a file: offsets have 32 bits."""
CHECKSUM_SIZE, DIRECTORY_SIZE = 4, 8

HEAD_SIZE = 4096
"""Bytes of a file that :func:`is_pe` should be given; it makes do with fewer."""

DOS_HEADER, DOS_MARK = 64, b"MZ"
HEADER_OFFSET = 60
"""Where the DOS header says where the PE header is (``e_lfanew``)."""
PE_MARK = b"PE\0\0"


@dataclass(frozen=True, slots=True)
class Section:
    """Where a section's data is in the file, in bytes. Sections without data there have none of these."""

    offset: int
    size: int

    @property
    def end(self) -> int:
        """The offset behind the last byte."""
        return self.offset + self.size


@dataclass(frozen=True, slots=True)
class PEFile:
    """The layout of a PE file that can be signed: PE32 or PE32+, of any machine. Offsets and sizes are in bytes.

    `machine` is the number in the file header, such as 0x8664; `checksum` the one that the file claims. `table` is
    offset and size of the certificate table, both multiples of 8, which ends where the file ends; None where there is none.
    `sections` are in the order of the section table.
    """

    size: int
    machine: int
    checksum: int
    checksum_at: int
    directory_at: int
    headers_size: int
    section_alignment: int
    sections: tuple[Section, ...]
    table: tuple[int, int] | None

    @property
    def content_end(self) -> int:
        """Where the certificate table begins; without one, where the file ends."""
        return self.table[0] if self.table else self.size

    @property
    def image_end(self) -> int:
        """Where headers and sections end; what is behind it is appended, and Windows does not load it."""
        return max([self.headers_size, *(section.end for section in self.sections)])

    @property
    def padding(self) -> int:
        """How many zero bytes lie, or would have to lie, between what is signed and a certificate table."""
        return -self.content_end % ALIGNMENT


def is_pe(head: bytes) -> bool:
    """Return whether a file with these first bytes claims to be PE; `parse_pe` says whether it is.

    Where the PE header is further on than `head` goes, it is taken for one: what the loader of Windows might run
    must not pass for something else.
    """
    if len(head) < DOS_HEADER or not head.startswith(DOS_MARK):
        return False
    at = int.from_bytes(head[HEADER_OFFSET:DOS_HEADER], "little")
    return head[at : at + len(PE_MARK)] == PE_MARK or at + len(PE_MARK) > len(head)
