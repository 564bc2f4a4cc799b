"""Text that came from a file cannot move the cursor, change direction, hide, or fill the screen."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatch_sign.values.display import LONGEST, display, display_json


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("demo-1.0.tar.gz", "demo-1.0.tar.gz"),
        ("", ""),
        ("Žiga Čuk", "Žiga Čuk"),
        ("红色.whl", "红色.whl"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("two\nlines\r", "two\\x0alines\\x0d"),
        ("\x7f\x9b", "\\x7f\\x9b"),
        ("gpj.\u202eexe", "gpj.\\u202eexe"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("line\u2028break", "line\\u2028break"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("not utf-8: \udcff", "not utf-8: \\udcff"),
        ("::add-mask::x.whl", "\\x3a:add-mask::x.whl"),
        ("  ::set-output name=a::b", "  \\x3a:set-output name=a::b"),
        ("a ##[add-mask]x ##vso[task.x]y", "a \\x23#[add-mask]x \\x23#vso[task.x]y"),
        ("::1", "::1"),
        ("std::string", "std::string"),
        ("## notes", "## notes"),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert display(text) == shown


def test_long_text_ends_in_an_ellipsis() -> None:
    assert display("a" * LONGEST) == "a" * LONGEST
    assert display("a" * (LONGEST + 1)) == "a" * LONGEST + "…"


def test_anything_can_be_shown(tmp_path: object) -> None:
    assert display(tmp_path) == str(tmp_path)


@given(st.text(st.characters(), max_size=2 * LONGEST))
def test_nothing_unsafe_is_ever_shown(text: str) -> None:
    shown = display(text)
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert len(shown) <= 10 * LONGEST + 1
    shown.encode()


@given(st.dictionaries(st.text("#[vso]a\n\u202e"), st.lists(st.text('#[vso]a\\"\ud800'))), st.none() | st.just(2))
def test_a_document_says_the_same_and_is_no_command(document: dict[str, list[str]], indent: int | None) -> None:
    shown = display_json(document, indent=indent)
    assert json.loads(shown) == document
    assert "##" not in shown
    assert shown.isascii()
