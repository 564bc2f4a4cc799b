"""Private keys in DER, known by how they begin: nothing is parsed further than it takes to be sure."""

from __future__ import annotations

from dataclasses import dataclass

from hatch_sign_pre_commit.found import Found

_INTEGER, _OCTETS, _IDENTIFIER, _SEQUENCE = 0x02, 0x04, 0x06, 0x30
_DATA, _SIGNED_DATA = bytes.fromhex("2a864886f70d010701"), bytes.fromhex("2a864886f70d010702")
_PASSWORD_BASED = (bytes.fromhex("2a864886f70d0105"), bytes.fromhex("2a864886f70d010c01"))
"""What encrypts: schemes of PKCS #5, and of PKCS #12."""
_SMALLEST_MODULUS, _SMALLEST_SCALAR, _LARGEST_SCALAR = 64, 20, 72
_INDEFINITE, _LONGEST_LENGTH = 0x80, 4
_OPEN = 1 << 40


@dataclass(frozen=True, slots=True)
class _Element:
    """One value: its tag, where its content is, and where the next value begins."""

    tag: int
    start: int
    end: int


def private_key_in(data: bytes, *, whole: bool) -> Found | None:
    """Return what sort of private key the DER in `data` is; None for everything else.

    `whole` demands that it is all that there is; without it, only the beginning need be there.
    """
    outer = _element(data, 0)
    if outer is None or outer.tag != _SEQUENCE or (whole and outer.end not in {len(data), _OPEN}):
        return None
    first = _element(data, outer.start)
    second = _element(data, first.end) if first is not None else None
    if first is None or second is None:
        return None
    if first.tag == _INTEGER and first.end - first.start == 1:
        return _versioned(data, data[first.start], second)
    if first.tag == _SEQUENCE and second.tag == _OCTETS and _identifier(data, first).startswith(_PASSWORD_BASED):
        return Found("private-key", "an encrypted PKCS #8 private key in DER")
    return None


def _versioned(data: bytes, version: int, second: _Element) -> Found | None:
    """Return what follows a version of one byte: PKCS #8, PKCS #1 or DSA, SEC 1, PKCS #12."""
    size = second.end - second.start
    third = _element(data, second.end)
    if version == 3 and second.tag == _SEQUENCE and _identifier(data, second) in {_DATA, _SIGNED_DATA}:  # noqa: PLR2004 - PKCS #12's
        return Found("keystore", "a PKCS #12 keystore")
    if version in {0, 1} and second.tag == _SEQUENCE and _identifier(data, second) and _is(third, _OCTETS):
        return Found("private-key", "a PKCS #8 private key in DER")
    if version == 0 and second.tag == _INTEGER and size >= _SMALLEST_MODULUS and _is(third, _INTEGER):
        return Found("private-key", "an RSA or DSA private key in DER")
    if version == 1 and second.tag == _OCTETS and _SMALLEST_SCALAR <= size <= _LARGEST_SCALAR:
        return Found("private-key", "an elliptic-curve private key in DER")
    return None


def _is(element: _Element | None, tag: int) -> bool:
    return element is not None and element.tag == tag


def _identifier(data: bytes, outer: _Element) -> bytes:
    """Return the content of the object identifier that a sequence begins with; empty without one."""
    element = _element(data, outer.start)
    return data[element.start : element.end] if element is not None and element.tag == _IDENTIFIER else b""


def _element(data: bytes, at: int) -> _Element | None:
    """Read a tag and a length; the content may be cut off. None where there is none."""
    if at + 2 > len(data):
        return None
    tag, length, start = data[at], data[at + 1], at + 2
    if length == _INDEFINITE:  # as some write PKCS #12
        return _Element(tag, start, _OPEN)
    if length > _INDEFINITE:
        count = length - _INDEFINITE
        if count > _LONGEST_LENGTH or start + count > len(data):
            return None
        length, start = int.from_bytes(data[start : start + count]), start + count
    return _Element(tag, start, start + length)
