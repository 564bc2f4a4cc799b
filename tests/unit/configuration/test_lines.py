"""The lines of keys: right, or not told."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatch_sign.configuration.lines import LineIndex

TEXT = '''# a comment with [brackets] and key = 1

[tool.hatch-sign]                      # 3
key = "emulated:release"               # 4
formats = ["sigstore", "cms"]          # 5
timestamp = [                          # 6
    "https://a.example/]",             # 7
    "https://b.example/#"
]
pem = """
[not-a-table]
not-a-key = "x"
"""
literal = \'\'\'
also = 'not a key'\'\'\'
"quoted.key".'x y' = 1                 # 16
[[tool.hatch-sign.verify.trust]]       # 17
public-key = "a"                       # 18
[[ tool . "hatch-sign" . verify.trust ]]
public-key = "b"                       # 20
scope = { formats = ["x"], deep = {a = 1} }
[tool.hatch-sign.verify.trust.more]    # 22
last = true'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("tool", "hatch-sign"), 3),
        (("tool", "hatch-sign", "key"), 4),
        (("tool", "hatch-sign", "formats", 1), 5),
        (("tool", "hatch-sign", "timestamp"), 6),
        (("tool", "hatch-sign", "pem"), 10),
        (("tool", "hatch-sign", "quoted.key", "x y"), 16),
        (("tool", "hatch-sign", "verify", "trust", 0), 17),
        (("tool", "hatch-sign", "verify", "trust", 0, "public-key"), 18),
        (("tool", "hatch-sign", "verify", "trust", 1), 19),
        (("tool", "hatch-sign", "verify", "trust", 1, "public-key"), 20),
        (("tool", "hatch-sign", "verify", "trust", 1, "scope", "deep", "a"), 21),
        (("tool", "hatch-sign", "verify", "trust", 1, "more"), 22),
        (("tool", "hatch-sign", "verify", "trust", 1, "more", "last"), 23),
    ],
)
def test_finds_the_line_of(path: tuple[str | int, ...], line: int) -> None:
    assert LineIndex(TEXT).line_of(path) == line
    assert LineIndex(TEXT.replace("\n", "\r\n")).line_of(path) == line


@pytest.mark.parametrize(
    "path",
    [
        ("tool", "hatch-sign", "timestamp", 1),  # on one of several lines
        ("not-a-table",),  # inside a string
        ("tool", "hatch-sign", "pem", "not-a-key"),
        ("also",),
        ("absent",),
    ],
)
def test_says_nothing_where_it_is_not_certain(path: tuple[str | int, ...]) -> None:
    assert LineIndex(TEXT).line_of(path) is None


def test_a_text_that_is_no_toml_has_lines_up_to_there() -> None:
    index = LineIndex("a = 1\n= 2\nb = 3\n")
    assert (index.line_of(("a",)), index.line_of(("b",))) == (1, None)


_keys = st.one_of(
    st.sampled_from(["a", "b-c", "1", '"q.r"', "'l l'", '"\\u0041"', '"#"', "'[x]'"]),
    st.lists(st.sampled_from(["a", "x", '"y]"']), min_size=2, max_size=3).map(" . ".join),
)
_strings = st.sampled_from(
    ['"a\\"b"', "'c:\\'", '"""x\n[t]\nk = 1\n"""', "'''\n[[t]]\n''''", '"""e\\""""', '"#"', '"""q"""""']
)
_values = st.recursive(
    st.one_of(_strings, st.sampled_from(["1", "true", "2027-01-01", "1.5"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[ # ]\n" + ",\n".join(items) + "\n]"),
        inner.map(lambda item: "{ z = " + item + " }"),
    ),
    max_leaves=4,
)
_lines = st.one_of(
    st.tuples(_keys, _values).map(" = ".join),
    _keys.map("[{}]".format),
    _keys.map("[[{}]] # x = 1".format),
    st.sampled_from(["", "# k = 1", "   \t"]),
)


@given(st.lists(_lines, max_size=12).map("\n".join))
def test_a_line_that_is_told_is_where_the_key_appears(text: str) -> None:
    """Up to the line before, the document lacks the key; up to the end of the statement, it has it."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    index, lines = LineIndex(text), text.split("\n")
    for path in _paths_written(document):
        line = index.line_of(path)
        span = index._spans.get(path)
        if span is None:
            continue
        assert line == span[0]
        assert not _holds("\n".join(lines[: span[0] - 1]), path) or _is_reopened(path, document)
        assert _holds("\n".join(lines[: span[1]]), path)


def _paths_written(value: object, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, inner in items for path in [(*at, key), *_paths_written(inner, (*at, key))]]


def _holds(text: str, path: tuple[str | int, ...]) -> bool:
    value: Any = tomllib.loads(text)
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def _is_reopened(path: tuple[str | int, ...], document: Any) -> bool:  # noqa: ANN401 - any TOML
    """Return whether it is a table: one may get its header after a table inside it had one."""
    value = document
    for step in path:
        value = value[step]
    return isinstance(value, dict)
