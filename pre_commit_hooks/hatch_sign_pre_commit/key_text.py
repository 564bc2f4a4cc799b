"""Private keys in text: PEM and what is like it, alone, in a configuration, or in the string of a program."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator

from hatch_sign_pre_commit.der import private_key_in
from hatch_sign_pre_commit.found import Found, is_random

_ARMOR = re.compile(rb"-{4,5} ?BEGIN ((?:[A-Z0-9]{1,20} ){0,4})PRIVATE KEY( BLOCK)? ?-{4,5}")
_END = re.compile(rb"-{4,5} ?(?:END|BEGIN) ")
_RUN = re.compile(rb"[A-Za-z0-9+/=]{16,}")
_ELLIPSIS = re.compile(rb"\.\.\.|\xe2\x80\xa6")
_BODY = 4096
"""Bytes after the first line of a key in which enough of it must be."""
_FEWEST = 60
"""Characters in Base64 that the shortest key has: Ed25519's has 64."""

_PUTTY = re.compile(rb"PuTTY-User-Key-File-[0-9]{1,2}: [^\r\n]{1,100}")
_PUTTY_PRIVATE = re.compile(rb"\nPrivate-Lines: [0-9]+\r?\n[A-Za-z0-9+/=]{16,}")
_AGE = re.compile(rb"AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]{50,}")
_COMMENTED = re.compile(rb"untrusted comment: [^\r\n]{0,200}secret key[^\r\n]{0,200}\r?\n([A-Za-z0-9+/=]{60,})")
_JWK = re.compile(rb"\"(?:d|k)\"\s{0,8}:\s{0,8}\"([A-Za-z0-9_-]{22,})\"")
_JWK_KIND, _JWK_AROUND = re.compile(rb"\"kty\"\s{0,8}:\s{0,8}\"(?:RSA|EC|OKP|oct)\""), 8192
_XML = re.compile(rb"<D>\s{0,8}([A-Za-z0-9+/=\s]{40,20000})</D>")
_GNUPG = re.compile(rb"^Key: \((?:protected-)?private-key ", re.MULTILINE)

_BASE64 = re.compile(rb"(?<![A-Za-z0-9+/])(?:M|LS0tLS1CRUdJTi)[A-Za-z0-9+/]{59,}+={0,2}")
"""A key in DER, or text that begins with ``-----BEGIN``, in Base64; many programs fold it after 64 or 76 characters."""
_FOLDED = re.compile(rb"[A-Za-z0-9+/]++(?:(?:\r?\n[ \t]{0,16}|(?:\\r)?\\n)[A-Za-z0-9+/]++){0,200}")
_BLANK = re.compile(rb"\\[rn]|\s")
_PEM_LINE = re.compile(rb"-----(?:\\r|\\n|[\s\"'+,\\])*\Z")
_BEGINNING, _PEM_BEGINNING = 2048, 8192
"""Characters of Base64 that are decoded: more than it takes to know a key in DER, and one in PEM."""


def find_key_text(data: bytes) -> Iterator[Found]:
    """Yield each private key that is written out."""
    if b"PRIVATE KEY" in data:
        yield from _armored(data)
    if b"PuTTY-User-Key-File-" in data and _PUTTY_PRIVATE.search(data):
        yield from (Found("private-key", "a PuTTY private key", match.start()) for match in _PUTTY.finditer(data))
    if b"AGE-SECRET-KEY-" in data:
        yield from (Found("private-key", "an age secret key", m.start()) for m in _AGE.finditer(data) if is_random(m[0]))
    if b"untrusted comment: " in data:
        found = (match for match in _COMMENTED.finditer(data) if is_random(match[1]))
        yield from (Found("private-key", "a minisign or signify secret key", match.start()) for match in found)
    if b'"kty"' in data:
        yield from _json_web_keys(data)
    if b"RSAKeyValue>" in data:
        yield from (Found("private-key", "an RSA private key in XML", match.start()) for match in _XML.finditer(data))
    if data.startswith((b"Key: (", b"Created: ")) and (match := _GNUPG.search(data)):
        yield Found("private-key", "a GnuPG private key", match.start())
    yield from _bare(data)


def _armored(data: bytes) -> Iterator[Found]:
    for match in _ARMOR.finditer(data):
        body = data[match.end() : match.end() + _BODY]
        end = _END.search(body)
        body = body[: end.start()] if end else body
        runs = [run[0] for run in _RUN.finditer(body)]
        is_key = sum(map(len, runs)) >= _FEWEST and is_random(b"".join(runs)) and not _ELLIPSIS.search(body)
        if is_key:
            name = (match[1].decode() + "PRIVATE KEY").strip()
            yield Found("private-key", f"a private key in PEM ({name})", match.start())


def _json_web_keys(data: bytes) -> Iterator[Found]:
    for match in _JWK.finditer(data):
        around = data[max(match.start() - _JWK_AROUND, 0) : match.end() + _JWK_AROUND]
        if is_random(match[1]) and _JWK_KIND.search(around):
            yield Found("private-key", "a private JSON Web Key", match.start())


def _bare(data: bytes) -> Iterator[Found]:
    """Yield keys and PKCS #12 in Base64 alone, as secrets of build services are often written."""
    for match in _BASE64.finditer(data):
        if _PEM_LINE.search(data, max(match.start() - 32, 0), match.start()):
            continue  # the first line of PEM, which was looked at
        length = _BEGINNING if match[0].startswith(b"M") else _PEM_BEGINNING
        decoded = _decode(data[match.start() : match.start() + length])
        within = [private_key_in(decoded, whole=False), *_armored(decoded)]
        found = next((each for each in within if each is not None), None)
        if found is not None:
            yield Found(found.kind, f"{found.what}, in Base64", match.start())


def _decode(data: bytes) -> bytes:
    """Return what Base64 at the start of `data` stands for, as far as it goes; nothing where there is none."""
    folded = _FOLDED.match(data)
    text = _BLANK.sub(b"", folded[0]) if folded else b""
    try:
        return binascii.a2b_base64(text[: len(text) // 4 * 4])
    except binascii.Error:
        return b""
