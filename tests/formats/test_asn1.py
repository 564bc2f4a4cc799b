"""The one walk over DER that stands before asn1crypto."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatch_sign.formats.asn1 import (
    MAX_DEPTH,
    MAX_OBJECT_IDENTIFIER,
    MAX_VALUES,
    core,
    der_contents,
    encode_der,
    malformed_asn1,
    parse_der,
    require_der,
)
from hatch_sign.values.errors import MalformedError

from .der_trees import SEQUENCE, SET, Node, length, sequence, tree

LONGEST = 1 << 20
PRIMITIVE_TAGS = [0x01, 0x02, 0x03, 0x04, 0x05, 0x0C, 0x13, 0x17, 0x80, 0x9E, 0x42]
CONSTRUCTED_TAGS = [SEQUENCE, SET, 0xA0, 0xBE, 0x62]

primitives = st.builds(Node, st.sampled_from(PRIMITIVE_TAGS), st.binary(max_size=300))
trees = st.recursive(
    primitives,
    lambda inner: st.builds(
        lambda tag, inside: Node(tag, children=inside), st.sampled_from(CONSTRUCTED_TAGS), st.lists(inner)
    ),
    max_leaves=30,
)


def check(data: bytes) -> None:
    require_der(data, subject="it", longest=LONGEST)


def is_der(data: bytes) -> bool:
    """Return whether a reader that calls itself, and keeps no account of where it is, takes `data` for one value."""
    try:
        return _after_value(data, 0) == b""
    except (IndexError, ValueError):
        return False


def _after_value(data: bytes, depth: int) -> bytes:
    tag, size, rest = data[0], data[1], data[2:]
    universal = tag < 0x40
    if tag & 0x1F == 0x1F or tag == 0 or (universal and (tag & 0x20 != 0) != (tag & 0x1F in {16, 17})):
        raise ValueError
    if size >= 0x80:
        count = size - 0x80
        if not 1 <= count <= 4 or len(rest) < count:
            raise ValueError
        size, rest = int.from_bytes(rest[:count], "big"), rest[count:]
        if length(size) != data[1 : 2 + count]:
            raise ValueError
    if size > len(rest) or (tag & 0x20 and depth >= MAX_DEPTH) or (tag == 0x06 and not 1 <= size <= MAX_OBJECT_IDENTIFIER):
        raise ValueError
    inside, after = rest[:size], rest[size:]
    while tag & 0x20 and inside:
        inside = _after_value(inside, depth + 1)
    return after


@given(trees)
def test_takes_every_tree(made: Node) -> None:
    check(made.encoded())
    assert tree(made.encoded()).encoded() == made.encoded()


@given(trees, st.data())
def test_takes_no_part_of_a_tree_and_nothing_after_it(made: Node, data: st.DataObject) -> None:
    encoded = made.encoded()
    cut = data.draw(st.integers(0, len(encoded) - 1))
    with pytest.raises(MalformedError):
        check(encoded[:cut])
    with pytest.raises(MalformedError, match=r"^it is not DER: bytes follow it$"):
        check(encoded + data.draw(st.binary(min_size=1)))


@given(trees, st.data())
def test_agrees_with_a_reader_that_calls_itself(made: Node, data: st.DataObject) -> None:
    changed = bytearray(made.encoded())
    for _ in range(data.draw(st.integers(0, 3))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    assert accepts(bytes(changed)) == is_der(bytes(changed))


@given(st.binary(max_size=40))
def test_agrees_on_any_bytes(data: bytes) -> None:
    assert accepts(data) == is_der(data)


def accepts(data: bytes) -> bool:
    try:
        check(data)
    except MalformedError as error:
        assert "\n" not in str(error)  # noqa: PT017 - the other outcome is as good
        return False
    return True


def nested(depth: int) -> bytes:
    node = sequence()
    for _ in range(depth - 1):
        node = sequence(node)
    return node.encoded()


def test_takes_values_up_to_the_limits() -> None:
    check(nested(MAX_DEPTH))
    check(encode_der(SEQUENCE, b"\x05\x00" * (MAX_VALUES - 1)))
    check(encode_der(0x06, b"\x2a" * MAX_OBJECT_IDENTIFIER))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it ends too early"),
        (b"\x30", "it ends too early"),
        (b"\x30\x01", "a value is longer than what holds it"),
        (b"\x30\x03\x04\x02a", "a value is longer than what holds it"),
        (b"\x30\x03\x30\x02a", "a value is longer than what holds it"),
        (b"\x30\x80\x05\x00\x00\x00", "a length is indefinite, too long, or not in its shortest form"),
        (b"\x04\x81\x01a", "a length is indefinite, too long, or not in its shortest form"),
        (b"\x04\x82\x00\x80" + bytes(128), "a length is indefinite, too long, or not in its shortest form"),
        (b"\x04\x85\x01\x00\x00\x00\x00", "a length is indefinite, too long, or not in its shortest form"),
        (b"\x04\x84\xff\xff\xff\xff", "a value is longer than what holds it"),
        (b"\x04\x84\xff", "a length is indefinite, too long, or not in its shortest form"),
        (b"\x04\xff" + bytes(127), "a length is indefinite, too long, or not in its shortest form"),
        (b"\x1f\x1f\x00", "a tag has a number above 30"),
        (b"\xbf\x81\x01\x00", "a tag has a number above 30"),
        (b"\x24\x03\x04\x01a", "a string lies in pieces, or a structure does not hold values"),
        (b"\x10\x00", "a string lies in pieces, or a structure does not hold values"),
        (b"\x30\x02\x00\x00", "a value ends that had no end of its own"),
        (b"\x05\x00\x05\x00", "bytes follow it"),
        (b"\x06\x00", "an object identifier has 0 bytes, expected 1 to 128"),
        (encode_der(0x06, b"\x81" * 200), "an object identifier has 200 bytes, expected 1 to 128"),
        (nested(MAX_DEPTH + 1), "values lie deeper than 40 levels"),
        (encode_der(SEQUENCE, b"\x05\x00" * MAX_VALUES), "it holds more than 65536 values"),
    ],
)
def test_refuses(data: bytes, reason: str) -> None:
    with pytest.raises(MalformedError, match=f"^it is not DER: {reason}$"):
        check(data)


def test_refuses_more_bytes_than_are_expected() -> None:
    with pytest.raises(MalformedError, match=r"^it has 4 bytes, expected at most 3$"):
        require_der(b"\x04\x02ab", subject="it", longest=3)


@given(st.sampled_from([*PRIMITIVE_TAGS, *CONSTRUCTED_TAGS]), st.binary(max_size=70_000))
def test_contents_come_back_from_their_encoding(tag: int, contents: bytes) -> None:
    assert der_contents(encode_der(tag, contents)) == contents
    with pytest.raises(ValueError, match="there is another value beside it"):
        der_contents(encode_der(tag, contents) + b"\x05\x00")


def test_parses_what_is_of_the_kind() -> None:
    assert parse_der(core.Integer, b"\x02\x01\x07", subject="it", longest=9).native == 7
    with pytest.raises(MalformedError, match=r"^it is not well-formed: a field of it is not what it should be$"):
        parse_der(core.Integer, b"\x04\x01\x07", subject="it", longest=9)


@pytest.mark.parametrize(
    "error", [ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError]
)
def test_what_asn1crypto_raises_is_malformed(error: type[Exception]) -> None:
    with pytest.raises(MalformedError, match=r"^it is not well-formed"), malformed_asn1("it"):
        raise error


def test_what_is_raised_on_purpose_stays() -> None:
    with pytest.raises(MalformedError, match=r"^another$"), malformed_asn1("it"):
        raise MalformedError("another")  # noqa: EM101 - told apart by it
