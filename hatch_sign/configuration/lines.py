"""On which line of a TOML text a key or a table stands. Says nothing rather than something wrong."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

KeyPath = tuple[str | int, ...]
"""Keys from the top of a document down; an integer is an index into an array."""

_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
_DOTTED = rf"{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*"
_STATEMENT = re.compile(rf"[ \t]*(?:(?P<open>\[\[?)[ \t]*(?P<table>{_DOTTED})[ \t]*\]\]?|(?P<key>{_DOTTED})[ \t]*=)")
_BLANK = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_PIECE = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}'  # strings of several lines may end in two quotes of their own
    r"|'''.*?'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*"
    r"|[\[\]{}\n]"
    r"|[^\"'#\[\]{}\n]+",
    re.DOTALL,
)
_DEPTH = {"[": 1, "{": 1, "]": -1, "}": -1}


class LineIndex:
    """The lines of one document, which :mod:`tomllib` has accepted."""

    def __init__(self, text: str) -> None:
        self._spans: dict[KeyPath, tuple[int, int]] = {}
        for path, first, last in _statements(text.replace("\r\n", "\n")):
            self._spans.setdefault(path, (first, last))

    def line_of(self, path: KeyPath) -> int | None:
        """Return the line, from 1, on which `path` or what holds it is written; None where that is not certain."""
        if path in self._spans:
            return self._spans[path][0]
        for length in range(len(path) - 1, 0, -1):
            span = self._spans.get(path[:length])
            if span is not None:  # inside a value of several lines it could be on any of them
                return span[0] if span[0] == span[1] else None
        return None


def _statements(text: str) -> Iterator[tuple[KeyPath, int, int]]:
    """Yield the path, first and last line of every table header and every key; stop where the text is not understood."""
    position, line = 0, 1
    table: KeyPath = ()
    elements: dict[KeyPath, int] = {}
    while position < len(text):
        if blank := _BLANK.match(text, position):
            position, line = blank.end(), line + 1
            continue
        statement = _STATEMENT.match(text, position)
        if statement is None:
            return
        end = _end_of_value(text, statement.end())
        last = line + text.count("\n", position, end)
        if statement["key"] is not None:
            yield (*table, *_parse_key(statement["key"])), line, last
        else:
            table = _enter(_parse_key(statement["table"]), elements, is_element=statement["open"] == "[[")
            yield table, line, last
        position, line = end + 1, last + 1


def _end_of_value(text: str, position: int) -> int:
    """Return where the line break after the value stands."""
    depth = 0
    while piece := _PIECE.match(text, position):
        if piece[0] == "\n" and depth == 0:
            return position
        depth += _DEPTH.get(piece[0], 0)
        position = piece.end()
    return len(text)


def _enter(keys: tuple[str, ...], elements: dict[KeyPath, int], *, is_element: bool) -> KeyPath:
    """Return the path of a table: below the latest element of each array of tables on the way."""
    path: KeyPath = ()
    for key in keys[:-1]:
        path = (*path, key)
        if path in elements:
            path = (*path, elements[path])
    path = (*path, keys[-1])
    if is_element:
        elements[path] = elements.get(path, -1) + 1
        path = (*path, elements[path])
    return path


def _parse_key(text: str) -> tuple[str, ...]:
    table: Mapping[str, Any] | int = tomllib.loads(f"{text} = 0")
    keys = []
    while isinstance(table, Mapping):
        key, table = next(iter(table.items()))
        keys.append(key)
    return tuple(keys)
