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
_MINISIGN = re.compile(rb"RW(?<![A-Za-z0-9+/]RW)(?:RTY0Iy|QAAEIy|RCS)[A-Za-z0-9+/]{130,}")
"""What the secret keys of minisign begin with, encrypted or not, and those of signify: without their comment as well."""
_QUOTE = rb"(?:\\?[\"'])?"
_JWK = re.compile(
    rb"(?<![A-Za-z0-9_$.-])" + _QUOTE + rb"(?:d|k)" + _QUOTE + rb"\s{0,8}[:=]\s{0,8}" + _QUOTE + rb"([A-Za-z0-9_-]{22,})"
)
_JWK_KIND = re.compile(
    rb"(?<![A-Za-z0-9_$.-])" + _QUOTE + rb"kty" + _QUOTE + rb"\s{0,8}[:=]\s{0,8}" + _QUOTE + rb"(?:RSA|EC|OKP|oct)\b"
)
_JWK_AROUND = 8192
_XML = re.compile(rb"<D>\s{0,8}([A-Za-z0-9+/=\s]{40,20000})</D>")
_GNUPG = re.compile(rb"^Key: \((?:protected-)?private-key ", re.MULTILINE)

_BASE64 = re.compile(
    rb"[MLe](?<![A-Za-z0-9+/].)(?:(?<=M)|(?<=L)S0tLS1CRUdJTi|(?<=e)(?:yJ|yAi|wo|wk|w0K))[A-Za-z0-9+/_-]{59,}+={0,2}"
)
"""A key in DER, or text that begins with ``-----BEGIN`` or as JSON, in Base64 of either alphabet (RFC 4648 §4 and §5).

Many programs fold it after 64 or 76 characters. The first letter stands before what must not precede it: it is looked for
much faster than that.
"""
_FOLDED = re.compile(rb"[A-Za-z0-9+/_-]++(?:(?:\r?\n[ \t]{0,64}|(?:\\r)?\\n)[A-Za-z0-9+/_-]++){0,200}")
_BLANK = re.compile(rb"\\[rn]|\s")
_STANDARD = bytes.maketrans(b"-_", b"+/")
_PEM_LINE = re.compile(rb"PRIVATE KEY-----(?:\\r|\\n|[\s\"'+,\\])*\Z")
_BEGINNING, _TEXT_BEGINNING = 2048, 8192
"""Characters of Base64 that are decoded: more than it takes to know a key in DER, and one in text."""


def find_key_text(data: bytes) -> Iterator[Found]:
    """Yield each private key that is written out."""
    if b"PRIVATE KEY" in data:
        yield from _armored(data)
    if b"PuTTY-User-Key-File-" in data and _PUTTY_PRIVATE.search(data):
        yield from (Found("private-key", "a PuTTY private key", match.start()) for match in _PUTTY.finditer(data))
    if b"AGE-SECRET-KEY-" in data:
        yield from (Found("private-key", "an age secret key", m.start()) for m in _AGE.finditer(data) if is_random(m[0]))
    if b"untrusted comment: " in data or b"RWR" in data or b"RWQ" in data:
        yield from _minisign(data)
    if b"kty" in data:
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


def _minisign(data: bytes) -> Iterator[Found]:
    commented = {match.start(1): match.start() for match in _COMMENTED.finditer(data) if is_random(match[1])}
    bare = (match.start() for match in _MINISIGN.finditer(data) if match.start() not in commented and is_random(match[0]))
    yield from (Found("private-key", "a minisign or signify secret key", at) for at in (*commented.values(), *bare))


def _json_web_keys(data: bytes) -> Iterator[Found]:
    for match in _JWK.finditer(data):
        around = data[max(match.start() - _JWK_AROUND, 0) : match.end() + _JWK_AROUND]
        if is_random(match[1]) and _JWK_KIND.search(around):
            yield Found("private-key", "a private JSON Web Key", match.start())


def _bare(data: bytes) -> Iterator[Found]:
    """Yield keys and PKCS #12 in Base64 alone, as secrets of build services are often written."""
    for match in _BASE64.finditer(data):
        if _PEM_LINE.search(data, max(match.start() - 48, 0), match.start()):
            continue  # the first line of PEM, which was looked at
        length = _BEGINNING if match[0].startswith(b"M") else _TEXT_BEGINNING
        decoded = _decode(data[match.start() : match.start() + length])
        within = [private_key_in(decoded, whole=False), *_armored(decoded), *_json_web_keys(decoded)]
        found = next((each for each in within if each is not None), None)
        if found is not None:
            yield Found(found.kind, f"{found.what}, in Base64", match.start())


def _decode(data: bytes) -> bytes:
    """Return what Base64 at the start of `data` stands for, as far as it goes; nothing where there is none."""
    folded = _FOLDED.match(data)
    text = _BLANK.sub(b"", folded[0]).translate(_STANDARD) if folded else b""
    try:
        return binascii.a2b_base64(text[: len(text) // 4 * 4])
    except binascii.Error:
        return b""
