"""ASN.1 that an attacker may have written: the one module that imports asn1crypto.

asn1crypto reads lazily and forgivingly, so everything goes through :func:`parse_der` first, which walks the whole
encoding once, and what is read afterwards stands inside :func:`malformed_asn1`.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from asn1crypto import algos, cms, core, tsp, x509

from hatch_sign.values.errors import MalformedError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "algos",
    "cms",
    "core",
    "der_contents",
    "encode_der",
    "malformed_asn1",
    "parse_der",
    "require_der",
    "require_known_fields",
    "tsp",
    "x509",
]

MAX_DEPTH = 40
"""Structures inside one another: a signature with a timestamp inside takes some twenty."""
MAX_VALUES = 1 << 16
"""Values in all: each costs asn1crypto some microseconds."""
MAX_OBJECT_IDENTIFIER = 128
"""Bytes of an object identifier, for whose numbers asn1crypto takes a time that grows with their square."""

_CONSTRUCTED = 0x20
_LONG_LENGTH = 0x80
_LONG_TAG = 0x1F
_NOT_UNIVERSAL = 0xC0
_END_OF_CONTENTS, _OBJECT_IDENTIFIER = 0x00, 0x06
_HOLDING_OTHERS = frozenset({0x10, 0x11})  # SEQUENCE and SET
_MAX_LENGTH_BYTES = 4

T = TypeVar("T")


def parse_der(kind: type[T], data: bytes, *, subject: str, longest: int) -> T:
    """Return `data` as an asn1crypto object of `kind`, whose fields are read when they are asked for.

    Raises MalformedError, naming `subject`, for more than `longest` bytes and for what is no DER, or goes on after it.
    """
    require_der(data, subject=subject, longest=longest)
    with malformed_asn1(subject):
        loaded: T = kind.load(data, strict=True)  # type: ignore[attr-defined] # asn1crypto has no types
        return loaded


@contextmanager
def malformed_asn1(subject: str) -> Iterator[None]:
    """Turn whatever asn1crypto raises for fields that are not what they should be into MalformedError."""
    try:
        yield
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError):
        message = f"{subject} is not well-formed: a field of it is not what it should be"
        raise MalformedError(message) from None


def require_known_fields(*sequences: Any) -> None:  # noqa: ANN401 - asn1crypto has no types
    """Raise ValueError for a sequence that holds more than the fields of its kind: asn1crypto passes over the rest.

    It must be as it was read, of a kind without default values.
    """
    for sequence in sequences:
        # What follows a value inside its explicit tag is passed over too, and so missing in this encoding.
        known = b"".join(sequence[field].dump() for field, *_ in sequence._fields)
        if known != sequence.contents:
            message = "a structure holds more than the fields of its kind"
            raise ValueError(message)


def require_der(data: bytes, *, subject: str, longest: int) -> None:
    """Raise MalformedError unless `data` is one value in DER (X.690 §10), without a byte after it; in one linear pass.

    The order within sets and the content of primitive values are not looked at.
    """
    if len(data) > longest:
        message = f"{subject} has {len(data)} bytes, expected at most {longest}"
        raise MalformedError(message)
    try:
        _walk(data)
    except (ValueError, IndexError) as error:
        reason = str(error) if isinstance(error, ValueError) else "it ends too early"
        message = f"{subject} is not DER: {reason}"
        raise MalformedError(message) from None


def encode_der(tag: int, contents: bytes) -> bytes:
    """Return one value with a tag of one byte."""
    size = len(contents)
    if size < _LONG_LENGTH:
        return bytes([tag, size]) + contents
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, _LONG_LENGTH | len(length)]) + length + contents


def der_contents(encoded: bytes) -> bytes:
    """Return what a value holds, without its tag and length. Raises ValueError unless there is exactly one value."""
    _, at, size = _read_header(encoded, 0)
    if at + size != len(encoded):
        message = "there is another value beside it"
        raise ValueError(message)
    return encoded[at:]


def _walk(data: bytes) -> None:
    at, end, ends = 0, len(data), [len(data)]
    count = 0
    while not count or at < end:
        count += 1
        if count > MAX_VALUES:
            message = f"it holds more than {MAX_VALUES} values"
            raise ValueError(message)
        constructed, at, size = _read_header(data, at)
        if at + size > ends[-1]:
            message = "a value is longer than what holds it"
            raise ValueError(message)
        if constructed:
            ends.append(at + size)
            if len(ends) > MAX_DEPTH + 1:
                message = f"values lie deeper than {MAX_DEPTH} levels"
                raise ValueError(message)
        else:
            at += size
        while len(ends) > 1 and at == ends[-1]:
            ends.pop()
        if len(ends) == 1 and at != end:
            message = "bytes follow it"
            raise ValueError(message)


def _read_header(data: bytes, at: int) -> tuple[bool, int, int]:
    """Return whether a value holds others, where its contents begin, and their size."""
    tag = data[at]
    at += 1
    if tag & _LONG_TAG == _LONG_TAG:
        message = "a tag has a number above 30"
        raise ValueError(message)
    if tag == _END_OF_CONTENTS:
        message = "a value ends that had no end of its own"
        raise ValueError(message)
    if not tag & _NOT_UNIVERSAL and bool(tag & _CONSTRUCTED) != (tag & _LONG_TAG in _HOLDING_OTHERS):
        message = "a string lies in pieces, or a structure does not hold values"
        raise ValueError(message)
    size = data[at]
    at += 1
    if size >= _LONG_LENGTH:
        count = size & ~_LONG_LENGTH
        encoded = data[at : at + count]
        size = int.from_bytes(encoded, "big")
        if not 0 < count <= _MAX_LENGTH_BYTES or len(encoded) != count or not encoded[0] or size < _LONG_LENGTH:
            message = "a length is indefinite, too long, or not in its shortest form"
            raise ValueError(message)
        at += count
    if tag == _OBJECT_IDENTIFIER and not 0 < size <= MAX_OBJECT_IDENTIFIER:
        message = f"an object identifier has {size} bytes, expected 1 to {MAX_OBJECT_IDENTIFIER}"
        raise ValueError(message)
    return bool(tag & _CONSTRUCTED), at, size


def _work_out(kind: Any) -> None:  # noqa: ANN401 - asn1crypto has no types
    """Let asn1crypto work a class out. It would at the first use, when two threads at once spoil it for one another."""
    if getattr(kind, "_alternatives", ()) is not None:  # the base of all choices is none itself
        core.Asn1Value.__init__(kind.__new__(kind))


def _below(kind: type[Any]) -> Iterator[type[Any]]:
    for each in kind.__subclasses__():
        yield each
        yield from _below(each)


for _kind in _below(core.Asn1Value):
    _work_out(_kind)
core.Asn1Value.__init_subclass__ = classmethod(_work_out)  # and those that are declared from now on
