"""Outcomes as people read them, a row each."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hatch_sign.cli.console import Console
from hatch_sign.cli.outcomes import show_outcomes
from hatch_sign.values.outcomes import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

BARE = Outcome("one.bin", "sigstore", "sigstore", Verdict.TRUSTED, signer="somebody", detail="name not covered")
PROVEN = replace(BARE, artifact="two.bin", time=datetime(2026, 6, 1, 12, 30, 15, 999, tzinfo=UTC))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(outcomes: Sequence[Outcome], out: io.StringIO) -> str:
    show_outcomes(Console(out, io.StringIO()), outcomes)
    return out.getvalue()


def test_a_time_that_is_proven_is_shown_and_no_other() -> None:
    assert shown([BARE], io.StringIO()) == "one.bin  sigstore  trusted  somebody  name not covered\n"
    assert shown([BARE, PROVEN], io.StringIO()).splitlines() == [
        "one.bin  sigstore  trusted  somebody  name not covered",
        "two.bin  sigstore  trusted  somebody  at 2026-06-01 12:30:15Z  name not covered",
    ]


def test_on_a_terminal_there_is_a_column_for_times_only_where_there_is_one() -> None:
    assert "time" not in shown([BARE], Terminal())
    assert "time" in shown([BARE, PROVEN], Terminal())
