"""The certificate table: entries of ``WIN_CERTIFICATE`` at the end of the file, which no digest covers."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO

from hatch_sign.values.errors import MalformedError
from hatch_sign_authenticode.pe.layout import ALIGNMENT
from hatch_sign_authenticode.pe.reading import read_range
from hatch_sign_authenticode.pe.trailers import ZIP_END

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hatch_sign_authenticode.pe.layout import PEFile

LONGEST = 16 << 20
"""Bytes in a certificate table."""
MOST_ENTRIES = 32

_ENTRY = struct.Struct("<IHH")
_REVISION, _PKCS7 = 0x0200, 0x0002
_SEQUENCE, _LONG_LENGTH = 0x30, 0x80


def read_signatures(stream: BinaryIO, pe: PEFile) -> tuple[bytes, ...]:
    """Return the PKCS #7 structures in the certificate table (revision 2.0, type 2), in order, without their padding.

    Windows looks at the first alone.

    Raises MalformedError for a table whose entries do not fill it exactly, for bytes in it that are no part of an entry, and
    for entries of other kinds: all these could be changed without breaking any signature.
    """
    if pe.table is None:
        return ()
    offset, size = pe.table
    if size > LONGEST:
        message = f"the certificate table has {size} bytes, expected at most {LONGEST}"
        raise MalformedError(message)
    table = read_range(stream, offset, offset + size)
    if ZIP_END in table:
        message = "the certificate table holds what readers of zip archives take for the end of an archive in the file"
        raise MalformedError(message)
    return tuple(_without_padding(blob) for blob in _entries(table))


def encode_table(signatures: Sequence[bytes]) -> bytes:
    """Return a certificate table with these PKCS #7 structures; nothing for none."""
    return b"".join(_encode_entry(each) for each in signatures)


def _encode_entry(signature: bytes) -> bytes:
    padded = signature + bytes(-len(signature) % ALIGNMENT)
    return _ENTRY.pack(_ENTRY.size + len(padded), _REVISION, _PKCS7) + padded


def _entries(table: bytes) -> Iterator[bytes]:
    at = 0
    for _ in range(MOST_ENTRIES):
        length, revision, kind = _ENTRY.unpack_from(table, at)
        end = at + length
        following = end + -end % ALIGNMENT
        if length <= _ENTRY.size or end > len(table):
            message = (
                f"the certificate table has an entry of {length} bytes at {at}, and {len(table) - at} bytes from there on"
            )
            raise MalformedError(message)
        _require_zeros(table[end:following])
        if (revision, kind) != (_REVISION, _PKCS7):
            message = f"the certificate table has an entry of revision {revision:#x} and type {kind:#x}, expected PKCS #7"
            raise MalformedError(message)
        yield table[at + _ENTRY.size : end]
        if following == len(table):
            return
        at = following
    message = f"the certificate table has more than {MOST_ENTRIES} entries"
    raise MalformedError(message)


def _without_padding(blob: bytes) -> bytes:
    """Return the one DER value in `blob`, behind which there may be zeros."""
    if len(blob) < 2 or blob[0] != _SEQUENCE:  # noqa: PLR2004 - a tag and a length
        message = "the certificate table has an entry that is no PKCS #7 structure"
        raise MalformedError(message)
    size, at = blob[1], 2
    if size & _LONG_LENGTH:
        at += size & ~_LONG_LENGTH
        size = int.from_bytes(blob[2:at], "big")
    if at + size > len(blob):
        message = f"a PKCS #7 structure of {size} bytes is longer than its entry of {len(blob)} in the certificate table"
        raise MalformedError(message)
    _require_zeros(blob[at + size :])
    return blob[: at + size]


def _require_zeros(padding: bytes) -> None:
    if any(padding):
        message = "the certificate table holds bytes outside of any signature, expected zeros"
        raise MalformedError(message)
