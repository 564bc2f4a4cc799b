"""CMS in PEM (RFC 7468 §9), as openssl writes it, and told apart from DER: one block, and nothing around it."""

from __future__ import annotations

import re

from hatch_sign.formats.strict_json import decode_base64, encode_base64
from hatch_sign.values.errors import MalformedError

_MARK = b"-----BEGIN "
_BLOCK = re.compile(rb"-----BEGIN (CMS|PKCS7)-----\r?\n((?:[A-Za-z0-9+/=]{1,76}+\r?\n)++)-----END \1-----(?:\r?\n)?\Z")
_COLUMNS = 64


def is_armored(data: bytes) -> bool:
    """Return whether `data` begins as PEM does."""
    return data.startswith(_MARK)


def armor(data: bytes) -> bytes:
    """Return `data` as a ``CMS`` block, ending in a newline."""
    text = encode_base64(data)
    lines = (text[at : at + _COLUMNS] for at in range(0, len(text), _COLUMNS))
    return "\n".join(["-----BEGIN CMS-----", *lines, "-----END CMS-----", ""]).encode("ascii")


def without_armor(data: bytes, *, subject: str, longest: int) -> bytes:
    """Return the bytes behind a ``CMS`` or ``PKCS7`` block, or `data` itself where it is no PEM.

    Raises MalformedError, naming `subject`, for more or less than one block of canonical base64.
    """
    if not is_armored(data):
        return data
    if len(data) > 2 * longest:
        message = f"{subject} has {len(data)} bytes of PEM, expected at most {2 * longest}"
        raise MalformedError(message)
    block = _BLOCK.match(data)
    if block is None:
        message = f"{subject} is not one PEM block of the kind CMS, with nothing around it"
        raise MalformedError(message)
    text = block[2].replace(b"\r", b"").replace(b"\n", b"").decode("ascii")
    return decode_base64(text, at=f"the PEM of {subject}", longest=longest)
