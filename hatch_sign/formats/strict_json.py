"""JSON that an attacker may have written, read without surprises; and JSON of ours, written the same way every time."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from hatch_sign.values.display import display
from hatch_sign.values.errors import MalformedError

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_SIZE = 16 << 20
"""Bytes in one document: a statement over 1,024 artifacts takes half a mebibyte."""
MAX_DEPTH = 64
"""Arrays and objects inside one another."""
MAX_NUMBER = 40
"""Characters in one number: conversion of longer integers takes quadratic time."""

_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_BRACKETS = {"[": 1, "{": 1, "]": -1, "}": -1}
_TYPE_NAMES = {str: "a string", bool: "true or false", int: "an integer", list: "an array", dict: "an object"}

T = TypeVar("T")


def parse_json(data: bytes, *, subject: str) -> Any:  # noqa: ANN401 - any JSON value; accessors below give it a type
    """Return the value that `data` holds: one JSON text in UTF-8 (RFC 8259), and nothing after it.

    Raises MalformedError, naming `subject`, for more than :data:`MAX_SIZE` bytes or :data:`MAX_DEPTH` levels, and for
    what parsers read differently: a name twice in one object, NaN, infinities, long numbers, lone surrogates, a BOM.
    """
    try:
        return _loads(_decode(data))
    except (ValueError, RecursionError) as error:  # UnicodeError and JSONDecodeError are ValueErrors
        message = f"{subject} is not JSON that hatch-sign accepts: {display(_reason(error))}"
        raise MalformedError(message) from None


def encode_json(value: object) -> bytes:
    """Return `value` as compact ASCII JSON and a newline, members in the order that they are in."""
    return encode_json_text(value) + b"\n"


def encode_json_text(value: object) -> bytes:
    """Return `value` as compact ASCII JSON, without a newline: for what is signed or nested."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii")


def as_object(value: object, *, at: str, allowed: frozenset[str] | None = None) -> dict[str, Any]:
    """Return the object `value` without its null members, which say the same as absent ones (proto3 JSON mapping).

    Raises MalformedError, naming the path `at`, where it is no object or has members outside `allowed`.
    """
    table: dict[str, Any] = _typed(value, dict, at)
    unknown = sorted(table.keys() - allowed) if allowed is not None else []
    if unknown:
        message = f"{at} has the unknown member {display(unknown[0])}"
        raise MalformedError(message)
    return {name: member for name, member in table.items() if member is not None}


def as_list(value: object, *, at: str, longest: int) -> list[Any]:
    """Return the array `value`. Raises MalformedError where it is none, or has more than `longest` items."""
    items: list[Any] = _typed(value, list, at)
    if len(items) > longest:
        message = f"{at} has {len(items)} items, expected at most {longest}"
        raise MalformedError(message)
    return items


def field(table: Mapping[str, Any], name: str, kind: type[T], *, at: str) -> T:
    """Return the member `name`, exactly of the type `kind`. Raises MalformedError where it is missing or another."""
    if name not in table:
        message = f"{at} lacks {name}"
        raise MalformedError(message)
    return _typed(table[name], kind, f"{at}.{name}")


def optional_field(table: Mapping[str, Any], name: str, kind: type[T], default: T, *, at: str) -> T:
    """Return the member `name`, or `default` where it is missing. Raises MalformedError for another type."""
    return _typed(table[name], kind, f"{at}.{name}") if name in table else default


def decode_base64(text: str, *, at: str, longest: int = MAX_SIZE) -> bytes:
    """Return the bytes behind standard base64 in its one canonical spelling: padded, no white space (RFC 4648 §4, §3.5).

    Raises MalformedError, naming `at`, for anything else, and for nothing at all or more than `longest` bytes.
    """
    try:
        data = binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except ValueError:  # binascii.Error and UnicodeEncodeError
        data = b""
    if not 0 < len(data) <= longest or encode_base64(data) != text:
        message = f"{at} is not canonical base64 of 1 to {longest} bytes"
        raise MalformedError(message)
    return data


def encode_base64(data: bytes) -> str:
    """Return `data` in standard, padded base64."""
    return base64.b64encode(data).decode("ascii")


def _typed(value: object, kind: type[T], at: str) -> T:
    if type(value) is not kind:  # bool is an int to isinstance
        message = f"{at} is not {_TYPE_NAMES[kind]}"
        raise MalformedError(message)
    return value


def _decode(data: bytes) -> str:
    if len(data) > MAX_SIZE:
        message = f"it has {len(data)} bytes, expected at most {MAX_SIZE}"
        raise ValueError(message)
    text = data.decode("utf-8")
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(text):  # before json sees it, whose recursion is the interpreter's
        depth += _BRACKETS.get(token[0], 0)
        if depth > MAX_DEPTH:
            message = f"it is nested more than {MAX_DEPTH} deep"
            raise ValueError(message)
    return text


def _loads(text: str) -> Any:  # noqa: ANN401 - as above
    value = json.loads(text, object_pairs_hook=_unique, parse_int=_integer, parse_float=_number, parse_constant=_constant)
    if _SURROGATE_ESCAPE.search(text):
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # a lone surrogate cannot be encoded
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        message = "an object has the same member twice"
        raise ValueError(message)
    return table


def _integer(text: str) -> int:
    return int(_short(text))


def _number(text: str) -> float:
    number = float(_short(text))
    if not math.isfinite(number):
        message = "a number is too large"
        raise ValueError(message)
    return number


def _constant(text: str) -> NoReturn:
    message = f"{text} is no JSON number"
    raise ValueError(message)


def _short(text: str) -> str:
    if len(text) > MAX_NUMBER:
        message = f"a number has more than {MAX_NUMBER} characters"
        raise ValueError(message)
    return text


def _reason(error: Exception) -> str:
    """Return why, without the text of the document, which a UnicodeError or JSONDecodeError may quote."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos}"
    if isinstance(error, UnicodeEncodeError):
        return "a string has a lone surrogate"
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 at byte {error.start}"
    return str(error)
