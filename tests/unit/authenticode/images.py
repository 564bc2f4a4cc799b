"""Small PE files to sign, put together here field by field, so that nothing of the product says where anything is."""

from __future__ import annotations

import struct

I386, AMD64, ARM, ARM64, IA64 = 0x14C, 0x8664, 0x1C4, 0xAA64, 0x200
WIDTHS = {I386: 32, ARM: 32, AMD64: 64, ARM64: 64, IA64: 64}
ALIGNMENT = 512
CODE = bytes(range(256)) * 3
DATA = b"some initialised data" * 30

SEQUENCE = bytes.fromhex("3003020107")
"""A DER value that stands for a signature where nobody reads it."""


def make_image(
    *,
    machine: int = AMD64,
    width: int = 0,
    sections: tuple[bytes, ...] = (CODE, DATA),
    directories: int = 16,
    stub: bytes = b"This program cannot be run in DOS mode.".ljust(64, b"\0"),
    section_alignment: int = 4096,
    appended: bytes = b"",
) -> bytes:
    """Return an unsigned PE32 or PE32+ file as linkers lay it out, whose checksum is zero."""
    optional = make_optional(width or WIDTHS[machine], directories, section_alignment)
    start = 64 + len(stub)
    dos = b"MZ".ljust(60, b"\0") + struct.pack("<I", start)
    file_header = struct.pack("<4sHHIIIHH", b"PE\0\0", machine, len(sections), 0, 0, 0, len(optional), 0x22)
    size = aligned(start + len(file_header) + len(optional) + 40 * len(sections))
    table, at = b"", size
    for number, section in enumerate(sections, 1):
        place = (aligned(len(section)), at if section else 0)
        address = number * max(section_alignment, 4096)
        table += struct.pack("<8sIIII16x", b".s%d" % number, len(section), address, *place)
        at += place[0]
    headers = dos + stub + file_header + optional + table
    image = headers.ljust(size, b"\0") + b"".join(section.ljust(aligned(len(section)), b"\0") for section in sections)
    return patched(image, "headers-size", size) + appended


def make_optional(width: int, directories: int, section_alignment: int) -> bytes:
    filled = bytearray(struct.pack("<H90x", 0x10B) if width == 32 else struct.pack("<H106x", 0x20B))
    struct.pack_into("<II", filled, 32, section_alignment, ALIGNMENT)
    return bytes(filled) + struct.pack("<I", directories) + bytes(8 * directories)


def aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def places(image: bytes) -> dict[str, tuple[int, str]]:
    """Return where the fields of an image are, and how they are packed."""
    (start,) = struct.unpack_from("<I", image, 60)
    (optional_size,) = struct.unpack_from("<H", image, start + 20)
    optional = start + 24
    wide = image[optional : optional + 2] == b"\x0b\x02"
    directory = optional + (112 if wide else 96) + 32
    table = optional + optional_size
    return {
        "header-offset": (60, "<I"),
        "mark": (start, "<4s"),
        "machine": (start + 4, "<H"),
        "section-count": (start + 6, "<H"),
        "optional-size": (start + 20, "<H"),
        "magic": (optional, "<H"),
        "section-alignment": (optional + 32, "<I"),
        "headers-size": (optional + 60, "<I"),
        "checksum": (optional + 64, "<I"),
        "directory-count": (optional + (108 if wide else 92), "<I"),
        "table-offset": (directory, "<I"),
        "table-size": (directory + 4, "<I"),
        "first-size": (table + 16, "<I"),
        "first-offset": (table + 20, "<I"),
        "second-size": (table + 56, "<I"),
        "second-offset": (table + 60, "<I"),
    }


def patched(image: bytes, field: str, value: int | bytes) -> bytes:
    """Return the image with one field changed."""
    at, layout = places(image)[field]
    return image[:at] + struct.pack(layout, value) + image[at + struct.calcsize(layout) :]


def field(image: bytes, name: str) -> int:
    at, layout = places(image)[name]
    value: int = struct.unpack_from(layout, image, at)[0]
    return value


def make_entry(contents: bytes, *, length: int | None = None, revision: int = 0x200, kind: int = 2) -> bytes:
    """Return one entry of a certificate table, filled up to a multiple of 8."""
    size = 8 + len(contents) if length is None else length
    return struct.pack("<IHH", size, revision, kind) + contents + bytes(-len(contents) % 8)


def with_table(image: bytes, table: bytes) -> bytes:
    """Return an unsigned image with a certificate table; the checksum stays as it is."""
    filled = image + bytes(-len(image) % 8)
    return patched(patched(filled, "table-offset", len(filled)), "table-size", len(table)) + table
