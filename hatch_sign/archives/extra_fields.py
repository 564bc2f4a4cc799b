"""The extra fields of zip headers that say something of names and sizes (PKWARE APPNOTE 6.3 §4.5)."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hatch_sign.archives.end_record import IN_ZIP64
from hatch_sign.values.display import display

if TYPE_CHECKING:
    from collections.abc import Iterator

_ZIP64, _UNICODE_PATH = 0x0001, 0x7075
_FIELD = struct.Struct("<2H")
_NAME_HEADER = struct.Struct("<BL")


@dataclass(frozen=True, slots=True)
class Zip64Sizes:
    """The numbers that stand in a Zip64 field; None for each that stands in its old place. `rest` is every other field."""

    size: int | None = None
    packed: int | None = None
    offset: int | None = None
    rest: bytes = b""


_NO_FIELDS = Zip64Sizes()


def take_zip64(extra: bytes, *, size: int, packed: int, offset: int = 0) -> Zip64Sizes:
    """Return what the Zip64 field holds for those of the old numbers that refer to it.

    Raises ValueError for fields that are not well-formed, two of this kind, and one that holds more or less than it should.
    """
    if not extra and IN_ZIP64 not in {size, packed, offset}:
        return _NO_FIELDS  # nearly all members of nearly all archives
    fields = list(_fields(extra))
    held = [value for kind, value in fields if kind == _ZIP64]
    referring = [number == IN_ZIP64 for number in (size, packed, offset)]
    if len(held) > 1 or len(held[0] if held else b"") != 8 * sum(referring):
        message = "a Zip64 field is not as long as its header says"
        raise ValueError(message)
    values = iter(struct.unpack(f"<{sum(referring)}Q", held[0]) if held else ())
    wide_size, wide_packed, wide_offset = (next(values) if refers else None for refers in referring)
    rest = b"".join(_FIELD.pack(kind, len(value)) + value for kind, value in fields if kind != _ZIP64)
    return Zip64Sizes(wide_size, wide_packed, wide_offset, rest)


def encode_zip64(*numbers: int | None) -> bytes:
    """Return a Zip64 field with the numbers, in the order size, packed, offset; empty where all are None."""
    values = [number for number in numbers if number is not None]
    return _FIELD.pack(_ZIP64, 8 * len(values)) + struct.pack(f"<{len(values)}Q", *values) if values else b""


def require_same_name(extra: bytes, raw_name: bytes, name: str) -> None:
    """Raise ValueError where a Unicode path field (§4.6.9) gives the member another name, which some tools would believe."""
    for kind, value in _fields(extra):
        if kind == _UNICODE_PATH:
            _, crc = _NAME_HEADER.unpack_from(value)
            if value[_NAME_HEADER.size :] != name.encode() or crc != zlib.crc32(raw_name):
                message = f"{display(name)} has two names"
                raise ValueError(message)


def _fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(extra):
        kind, size = _FIELD.unpack_from(extra, at)
        at += _FIELD.size
        if at + size > len(extra):
            message = "an extra field is longer than its header"
            raise ValueError(message)
        yield kind, extra[at : at + size]
        at += size
