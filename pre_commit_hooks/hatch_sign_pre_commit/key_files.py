"""Files that are keys or keep keys, known by what they hold, whatever they are called."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from hatch_sign_pre_commit.der import private_key_in
from hatch_sign_pre_commit.found import Found, Kind

_BEGINNINGS: tuple[tuple[bytes, Kind, str], ...] = (
    (b"SSH PRIVATE KEY FILE FORMAT 1.1\n", "private-key", "an SSH-1 private key"),
    (b"\x1e\xf1\xb5\xb0", "private-key", "a Microsoft PVK private key"),
    (b"(11:private-key(", "private-key", "a GnuPG private key"),
    (b"(21:protected-private-key(", "private-key", "a GnuPG private key"),
    (b"kych\x00\x01", "keystore", "a macOS keychain"),
    (b"\x03\xd9\xa2\x9a\x65\xfb\x4b\xb5", "keystore", "a KeePass database"),
    (b"\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5", "keystore", "a KeePass database"),
)
_BLOB = re.compile(rb"\x07\x02\x00\x00.{4}(?:RSA2|DSS2)", re.DOTALL)
_BOUNCY_CASTLE = re.compile(rb"\x00\x00\x00[\x00-\x02]\x00\x00\x00\x14.{20}\x00[\x00-\x0f]", re.DOTALL)
_JAVA = {b"\xfe\xed\xfe\xed": "a Java keystore (JKS)", b"\xce\xce\xce\xce": "a Java keystore (JCEKS)"}
_JAVA_HEADER, _JAVA_CERTIFICATE = 12, 2
_MOST_ENTRIES = 10_000

_SQLITE, _APPLICATION_ID = b"SQLite format 3\x00", slice(68, 72)
_SQLITE_SCHEMA = 1 << 16
"""Bytes in which an SQLite file names its first tables."""
_BERKELEY = b"\x00\x06\x15\x61"

_SOFTHSM_SIZES = {1: 1, 2: 8}
"""Kinds of attributes in a file of SoftHSM with the size of their values: a truth value, a number. Others say their size."""
_SOFTHSM_SIZED = frozenset({3, 4, 5})
_CLASS, _PRIVATE_CLASSES = 0, frozenset({3, 4})  # CKA_CLASS; CKO_PRIVATE_KEY, CKO_SECRET_KEY

_PGP_VERSIONS = frozenset({3, 4, 5, 6})
_PGP_ALGORITHMS = frozenset({1, 2, 3, 16, 17, 18, 19, 20, 22, 25, 26, 27, 28})


def find_key_file(data: bytes) -> Iterator[Found]:
    """Yield what the whole file is, once; nothing for a file that keeps no key."""
    for beginning, kind, what in _BEGINNINGS:
        if data.startswith(beginning):
            yield Found(kind, what)
            return
    found = _der(data) or _java(data) or _database(data) or _softhsm(data) or _openpgp(data)
    if found is not None:
        yield found
    elif _BLOB.match(data):
        yield Found("private-key", "a Microsoft private key blob")
    elif _BOUNCY_CASTLE.match(data):
        yield Found("keystore", "a Bouncy Castle keystore")


def _der(data: bytes) -> Found | None:
    return private_key_in(data.rstrip(b"\r\n"), whole=True) or private_key_in(data, whole=True)


def _java(data: bytes) -> Found | None:
    """Return a Java keystore with a key in it: one that only trusts certificates keeps no secret."""
    what = _JAVA.get(data[:4])
    if what is None or len(data) < _JAVA_HEADER:
        return None
    (count,) = struct.unpack_from(">I", data, 8)
    at = _JAVA_HEADER
    try:
        for _ in range(min(count, _MOST_ENTRIES)):
            (tag,) = struct.unpack_from(">I", data, at)
            if tag != _JAVA_CERTIFICATE:
                return Found("keystore", what)
            at = _after_text(data, at + 4) + 8
            at = _after_text(data, at) if data[4:8] == b"\x00\x00\x00\x02" else at
            at += 4 + struct.unpack_from(">I", data, at)[0]
    except struct.error:
        return Found("keystore", what)  # damaged, and of this sort
    return None


def _after_text(data: bytes, at: int) -> int:
    return int(at + 2 + struct.unpack_from(">H", data, at)[0])


def _database(data: bytes) -> Found | None:
    if data.startswith(_SQLITE):
        if data[_APPLICATION_ID] == b"HST1":
            return Found("token-file", "an emulated token of hatch-sign")
        schema = data[:_SQLITE_SCHEMA]
        if b"nssPrivate" in schema:
            return Found("keystore", "a key database of NSS (key4.db)")
        if b"attribute_binary" in schema and b"attribute_text" in schema:
            return Found("token-file", "a token of SoftHSM")
    if data.startswith(_BERKELEY) and b"global-salt" in data:
        return Found("keystore", "a key database of NSS (key3.db)")
    return None


def _softhsm(data: bytes) -> Found | None:
    """Walk the attributes of an object that SoftHSM keeps in a file: a counter, then types, kinds and values."""
    at, found = 8, None
    try:
        while at < len(data):
            type_, kind = struct.unpack_from(">QQ", data, at)
            at += 16
            if type_ == _CLASS and kind == 2 and struct.unpack_from(">Q", data, at)[0] in _PRIVATE_CLASSES:  # noqa: PLR2004 - a number
                found = Found("token-file", "a key of a SoftHSM token")
            if kind in _SOFTHSM_SIZES:
                at += _SOFTHSM_SIZES[kind]
            elif kind in _SOFTHSM_SIZED:
                at += 8 + struct.unpack_from(">Q", data, at)[0]
            else:
                return None
    except struct.error:
        return None
    return found if at == len(data) else None


def _openpgp(data: bytes) -> Found | None:
    """Look at the first packet of a key ring: a secret key (RFC 9580 §4.2 and §5.5.3)."""
    header = _openpgp_header(data)
    if header is None:
        return None
    start, length = header
    fields = data[start : start + 6]
    whole = len(fields) == 6 and start + length <= len(data)  # noqa: PLR2004 - a version, four bytes of time, an algorithm
    if whole and fields[0] in _PGP_VERSIONS and fields[5] in _PGP_ALGORITHMS:
        return Found("private-key", "an OpenPGP secret key ring")
    return None


def _openpgp_header(data: bytes) -> tuple[int, int] | None:
    """Return where the content of a first packet with a secret key begins, and its length."""
    short, medium, first_of_two = 192, 224, b"\xc5"
    sizes = {0x94: 1, 0x95: 2, 0x96: 4}
    if data[:1] and data[0] in sizes:
        size = sizes[data[0]]
        return 1 + size, int.from_bytes(data[1 : 1 + size])
    if data[:1] != first_of_two or len(data) < 3:  # noqa: PLR2004 - the shortest header of the new form
        return None
    if data[1] < short:
        return 2, data[1]
    return (3, ((data[1] - short) << 8) + data[2] + short) if data[1] < medium else None
