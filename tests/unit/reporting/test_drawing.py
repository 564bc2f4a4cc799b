"""What fits into the boxes of a drawing."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatch_sign.reporting.drawing import wrap


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        ("", []),
        ("demo-1.0.whl", ["demo-1.0.whl"]),
        ("a" * 44, ["a" * 44]),
        ("a" * 64, ["a" * 44, "a" * 20]),
        ("a" * 200, ["a" * 44, "a" * 44, "a" * 43 + "…"]),
        ("CN=Example Timestamp Authority, O=Example Ltd", ["CN=Example Timestamp Authority, O=Example", "Ltd"]),
        ("漢" * 23, ["漢" * 22, "漢"]),
        ("\u202eabc\n", ["\\u202eabc\\x0a"]),
    ],
)
def test_values_are_broken_where_the_box_ends(value: str, lines: list[str]) -> None:
    assert wrap(value) == lines


@given(st.text(max_size=700))
def test_every_line_fits_whatever_the_value_is(value: str) -> None:
    lines = wrap(value)
    assert len(lines) <= 3
    for line in lines:
        assert sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in line) <= 44
