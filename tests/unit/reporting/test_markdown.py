"""Reports as Markdown, read back by a parser: text from files is text in code spans."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from hatch_sign.reporting.markdown import code, encode_markdown

from .samples import HOSTILE, bare_chain, bare_report, report_saying

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def structure(text: str) -> list[tuple[str, list[str]]]:
    """Return the kinds of blocks, and what is in each line of text."""
    return [(token.type, [child.type for child in token.children or ()]) for token in READER.parse(text)]


def spans(text: str) -> list[str]:
    return [child.content for token in READER.parse(text) for child in token.children or () if child.type == "code_inline"]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_text_becomes_markup(hostile: str) -> None:
    text = encode_markdown(report_saying(hostile)).decode()
    assert structure(text) == structure(encode_markdown(report_saying("plain")).decode())
    assert code(hostile).strip("`") in spans(text)


def test_text_that_is_not_in_a_span_would_be_seen() -> None:
    text = encode_markdown(report_saying("plain")).decode()
    assert structure(text.replace("`plain`", "*plain*", 1)) != structure(text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("demo-1.0.whl", "`demo-1.0.whl`"),
        ("a`b", r"`a\x60b`"),
        ("a|b", r"`a\x7cb`"),
        ("a\nb", r"`a\x0ab`"),
        (" a ", "`a`"),
        ("", "-"),
        ("  ", "-"),
    ],
)
def test_a_span_holds_its_value_on_one_line(value: str, expected: str) -> None:
    assert code(value) == expected
    assert spans(f"| x |\n| --- |\n| {expected} |") == ([expected.strip("`")] if expected != "-" else [])


def test_every_part_is_there() -> None:
    lines = encode_markdown(report_saying("plain")).decode().splitlines()
    assert [line for line in lines if line.startswith("#")] == [
        "# Verification report",
        "## Artifacts",
        "## Signatures",
        "## Chains of trust",
        "### Chain 1: `plain`",
        "## Policy",
        "### `plain`",
        "### Timestamp authorities that are believed",
    ]
    assert "**The artifact is rejected.** Exit code 1." in lines
    assert "| `plain` | **rejected** | 12345 | `plain` |" in lines


def test_what_is_not_known_is_left_out_or_a_dash() -> None:
    lines = encode_markdown(bare_report()).decode().splitlines()
    assert "| `plain` | **rejected** | - | - |" in lines
    assert "| `plain` | `plain` | untrusted | - | - | - | - |" in lines
    assert "- Configuration: `none: the command line says whom to trust`" in lines
    assert not [line for line in lines if "SHA-256:" in line or "Timestamp authorities" in line]
    assert "| role | subject |" not in encode_markdown(bare_chain()).decode()
