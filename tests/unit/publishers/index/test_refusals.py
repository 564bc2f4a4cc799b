"""What an index says of a refusal: its words without the markup, whatever that is."""

from __future__ import annotations

import pytest

from hatch_sign.publishers.index.translate import refusal


def said(reason: str, text: str) -> str:
    return refusal(400, reason=reason, text=text, location="", retry_after=None).said


@pytest.mark.parametrize(
    ("reason", "text", "expected"),
    [
        ("Bad Request", "<h1>Refused</h1><p>because of\n the <b>project</b></p>", "Refused because of the project"),
        ("because the name is taken", "<p>no</p>", "because the name is taken"),
        ("", "<HEAD><title>400</title></HEAD ><style>p {a: b}</style><script>x()</script>why", "why"),
        ("", "<head><title>cut in the middle", "cut in the middle"),
        ("", "1 < 2 and 3 > 2", "1 2"),
        ("", "<header>kept</header>", "kept"),
    ],
)
def test_the_longer_of_two_texts_is_told_without_markup(reason: str, text: str, expected: str) -> None:
    assert said(reason, text) == expected


@pytest.mark.parametrize("piece", ["<head ", "<head>", "<style>", "<script></", "<", "</head ", "<head></head "])
def test_markup_that_never_ends_is_read_in_one_pass(piece: str) -> None:
    """Otherwise 64 KiB, the most that is read of an answer, would take a quarter of a minute, and more with each attempt."""
    assert said("", "<p>why</p>" + piece * 200_000).startswith("why")
