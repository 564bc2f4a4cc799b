"""JSON from a place that is published to, which may be no friend."""

from __future__ import annotations

import pytest

from hatch_sign.publishers.documents import MOST_VALUES, load_json


def test_what_it_holds_is_returned() -> None:
    assert load_json(b'{"files": [1, "\\u010duk", null]}') == {"files": [1, "čuk", None]}


@pytest.mark.parametrize("piece", [b"{},", b"[],", b"0,", b'"ab",'])
def test_more_values_than_anybody_has_are_refused_before_they_are_made(piece: bytes) -> None:
    with pytest.raises(ValueError, match="too many values"):
        load_json(b"[" + piece * MOST_VALUES + b"0]")


@pytest.mark.parametrize(("data", "problem"), [(b"[" * 100_000, "too deep"), (b"{", "Expecting"), (b"1" * 5000, "digits")])
def test_what_cannot_be_read_is_a_value_error(data: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        load_json(data)
