"""What launchers read from the end of their own file, where a certificate table comes to lie once they are signed."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from hatch_sign.values.errors import UnsupportedError
from hatch_sign_authenticode.pe.reading import read_range

if TYPE_CHECKING:
    from hatch_sign_authenticode.pe.layout import PEFile

ZIP_END = b"PK\5\6"
"""What readers of zip archives look for from the end of a file on (PKWARE APPNOTE §4.3.16)."""

_REACH = 22 + 0xFFFF
"""How far from the end of the file Python's zipfile and zipimport look: a record, and the longest comment behind it."""
_TRAMPOLINES = (b"UVSC", b"UVPY", b"UVUV")
"""The last four bytes of launchers that uv wrote before it put such things into their resources."""


def require_found_when_signed(stream: BinaryIO, pe: PEFile, table: bytes) -> None:
    """Raise UnsupportedError if the program in `stream` would not find what is appended to it in front of `table`."""
    if ZIP_END in table:
        message = "the signature happens to hold what readers of zip archives look for, and would be taken for one"
        raise UnsupportedError(message, remedy="sign it with another description or timestamp, or without page hashes")
    tail = read_range(stream, max(pe.image_end, pe.content_end - _REACH), pe.content_end)
    if tail.rstrip(b"\0").endswith(_TRAMPOLINES):
        message = "a launcher of uv reads the path of Python from the end of its file, and would not start once it is signed"
        raise UnsupportedError(message, remedy="make the launcher with a newer uv")
    at = tail.rfind(ZIP_END)
    distance = len(tail) - at + pe.padding + len(table)
    if at >= 0 and distance > _REACH:
        message = (
            f"the end of the appended zip archive would be {distance} bytes from the end of the file, "
            f"and Python looks for it in the last {_REACH}"
        )
        raise UnsupportedError(message, remedy="make the signature smaller: without page hashes, or with fewer certificates")
