"""JSON from outside: what is read is read as json does, and what is ambiguous or costly is refused."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatch_sign.formats import strict_json
from hatch_sign.formats.strict_json import (
    MAX_DEPTH,
    as_list,
    as_object,
    decode_base64,
    encode_base64,
    encode_json,
    field,
    optional_field,
    parse_json,
)
from hatch_sign.values.errors import MalformedError

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)

REFUSED = [
    (b"", "Expecting value"),
    (b"{", "Expecting property name"),
    (b"{} {}", "Extra data at character 3"),
    (b"{}\0", "Extra data"),
    (b"\xef\xbb\xbf{}", "BOM"),
    (b'"\xff"', "not UTF-8 at byte 1"),
    (b'"\xed\xa0\x80"', "not UTF-8"),
    (b'["\\ud800"]', "lone surrogate"),
    (b'{"\\uDFFF":1}', "lone surrogate"),
    (b'{"a":1,"a":1}', "the same member twice"),
    (b'{"a":1,"\\u0061":1}', "the same member twice"),
    (b'[{"b":{"c":[],"c":[]}}]', "the same member twice"),
    (b"NaN", "NaN is no JSON number"),
    (b"[-Infinity]", "-Infinity is no JSON number"),
    (b"1e999", "a number is too large"),
    (b"1" * 41, "more than 40 characters"),
    (b"0." + b"1" * 41, "more than 40 characters"),
    (b'"\n"', "Invalid control character"),
    (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "nested more than 64 deep"),
    (b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1), "nested more than 64 deep"),
    (b"\xff" * (strict_json.MAX_SIZE + 1), "16777217 bytes, expected at most 16777216"),
]


@given(VALUES)
def test_reads_what_json_writes(value: object) -> None:
    assert parse_json(json.dumps(value).encode(), subject="it") == value
    assert parse_json(json.dumps(value, ensure_ascii=False, indent=1).encode(), subject="it") == value
    assert parse_json(encode_json(value), subject="it") == value


@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_raises_nothing_but_malformed_and_never_reads_what_json_does_not(data: bytes) -> None:
    try:
        value = parse_json(data, subject="it")
    except MalformedError as error:
        assert "\n" not in str(error)  # noqa: PT017 - most inputs are refused, some are not
    else:
        assert value == json.loads(data.decode("utf-8"))


@given(st.text(alphabet='[]{}",:\\ua1d8 \n', max_size=40))
def test_raises_nothing_but_malformed_for_what_is_nearly_json(text: str) -> None:
    try:
        value = parse_json(text.encode(), subject="it")
    except MalformedError:
        return
    assert value == json.loads(text)


@pytest.mark.parametrize(("data", "reason"), REFUSED, ids=[reason for _, reason in REFUSED])
def test_refuses(data: bytes, reason: str) -> None:
    with pytest.raises(MalformedError, match=r"^the thing is not JSON that hatch-sign accepts: ") as caught:
        parse_json(data, subject="the thing")
    assert reason in str(caught.value)


def test_takes_the_deepest_and_longest_that_it_allows() -> None:
    deep = parse_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, subject="it")
    assert json.dumps(deep) == "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert parse_json(b"1" * 40, subject="it") == int("1" * 40)
    assert parse_json(b'"\\ud83d\\ude00"', subject="it") == "\U0001f600"


def test_brackets_within_strings_are_no_depth() -> None:
    assert parse_json(json.dumps("[{" * 100 + '"' + "[" * 100).encode(), subject="it") == "[{" * 100 + '"' + "[" * 100


@pytest.mark.parametrize("unit", [b'"', b'\\"', b'"\\', b'{"a":', b"[1,", b"1" * 50 + b",", b'"\\ud800",'])
def test_does_no_quadratic_work(unit: bytes) -> None:
    """Four mebibytes of each would take hours if any step were quadratic."""
    with pytest.raises(MalformedError):
        parse_json(b"[" + unit * ((4 << 20) // len(unit)), subject="it")


@given(st.binary(min_size=1, max_size=200))
def test_base64_round_trip(data: bytes) -> None:
    assert encode_base64(data) == base64.b64encode(data).decode()
    assert decode_base64(encode_base64(data), at="it") == data


@given(st.text(alphabet="Aa+/-_= \n\u00e9", max_size=12))
def test_base64_has_one_spelling(text: str) -> None:
    try:
        data = decode_base64(text, at="it")
    except MalformedError:
        return
    assert base64.b64encode(data).decode() == text


@pytest.mark.parametrize("text", ["", "QQ", "QQ=", "QR==", "QQ==\n", " QQ==", "Q Q==", "QQ==QQ==", "-_-_", "QQ==="])
def test_refuses_base64(text: str) -> None:
    with pytest.raises(MalformedError, match=r"^it is not canonical base64 of 1 to "):
        decode_base64(text, at="it")


def test_refuses_base64_that_is_too_long() -> None:
    assert decode_base64("QUE=", at="it", longest=2) == b"AA"
    with pytest.raises(MalformedError, match="of 1 to 1 bytes"):
        decode_base64("QUE=", at="it", longest=1)


def test_accessors_return_what_is_there() -> None:
    table = as_object({"a": "x", "b": None}, at="it", allowed=frozenset("ab"))
    assert table == {"a": "x"}
    assert field(table, "a", str, at="it") == "x"
    assert optional_field(table, "b", str, "default", at="it") == "default"
    assert as_list([1], at="it", longest=1) == [1]


@pytest.mark.parametrize(
    ("access", "reason"),
    [
        (lambda: as_object([], at="it"), "it is not an object"),
        (lambda: as_object({"a\x1b": 1}, at="it", allowed=frozenset()), r"it has the unknown member a\\x1b"),
        (lambda: as_list({}, at="it", longest=1), "it is not an array"),
        (lambda: as_list([1, 2], at="it", longest=1), "it has 2 items, expected at most 1"),
        (lambda: field({}, "a", str, at="it"), "it lacks a"),
        (lambda: field({"a": True}, "a", int, at="it"), "it.a is not an integer"),
        (lambda: optional_field({"a": 1}, "a", str, "", at="it"), "it.a is not a string"),
    ],
)
def test_accessors_refuse(access: Any, reason: str) -> None:  # noqa: ANN401 - a lambda
    with pytest.raises(MalformedError, match=f"^{reason}$"):
        access()


def test_writes_the_same_bytes_every_time() -> None:
    assert encode_json({"b": "\u00e9\n", "a": [1, None]}) == b'{"b":"\\u00e9\\n","a":[1,null]}\n'
