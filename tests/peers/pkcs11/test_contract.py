"""The contract of a backend, unchanged, over every real token."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hatch_sign.testing.backend_contract import BackendContract

from .running import run_suite
from .tokens import TokenName, start_token

SECONDS = 240.0
"""The slowest token makes some twenty RSA keys, and takes a few seconds for each when the machine is busy."""

TESTS = [name for name in vars(BackendContract) if name.startswith("test_")]


@pytest.mark.parametrize("name", TokenName, ids=str)
def test_the_token_keeps_the_contract(name: TokenName) -> None:
    with start_token(name) as token:
        run = run_suite(token, "contract_on_a_token.py", seconds=SECONDS)
    print(f"{name}: {run.passed} passed, {run.failed} failed")  # noqa: T201 - shown with `pytest -s`, and on a failure
    assert (run.failed, run.skipped) == (0, 0), run.output
    assert run.passed > len(TESTS)


def test_a_token_that_does_not_is_found_out() -> None:
    with start_token(TokenName.SOFTHSM) as token:
        run = run_suite(replace(token, pin="not-its1"), "contract_on_a_token.py", "-x", seconds=SECONDS)
    assert run.failed == 1
    assert "the PIN is wrong" in run.output
