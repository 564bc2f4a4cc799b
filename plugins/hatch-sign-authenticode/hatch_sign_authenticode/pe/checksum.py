"""The checksum in the optional header, which Windows demands of drivers and of DLLs that are loaded at boot."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from hatch_sign_authenticode.pe.layout import CHECKSUM_SIZE
from hatch_sign_authenticode.pe.reading import read_changed

if TYPE_CHECKING:
    from hatch_sign_authenticode.pe.layout import PEFile

_CARRIES = 0xFFFF
_CHUNK = 8192
"""Bytes that are added at a time."""


class Checksum:
    """Adds up a file piece by piece."""

    def __init__(self) -> None:
        self._sum = 0
        self._size = 0

    def update(self, data: bytes) -> None:
        """Add the next piece.

        Adding words of 16 bits and the carries is counting modulo 65535, and so is adding whole chunks as one number:
        some ten times faster than adding a word at a time. A piece that begins in the middle of a word counts 256-fold.
        """
        chunks = (int.from_bytes(data[at : at + _CHUNK], "little") for at in range(0, len(data), _CHUNK))
        self._sum = (self._sum + (sum(chunks) << 8 * (self._size % 2))) % _CARRIES
        self._size += len(data)

    def value(self) -> int:
        """Return the checksum of the pieces, among which there was one that is not all zeros.

        What is 0 modulo 65535 is then 65535, as adding carries never leads back to 0.
        """
        return ((self._sum or _CARRIES) + self._size) & 0xFFFFFFFF


def compute_checksum(stream: BinaryIO, pe: PEFile) -> int:
    """Return the checksum that the file should have; `pe.checksum` is the one that it claims.

    Raises MalformedError where the file is shorter than `pe` says.
    """
    total = Checksum()
    for piece in read_changed(stream, pe.size, {pe.checksum_at: bytes(CHECKSUM_SIZE)}):
        total.update(piece)
    return total.value()
