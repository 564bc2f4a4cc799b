"""Eight threads with eight sessions neither crash nor hang a module that takes threads; one that does not gets one call."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hatch_sign.custody.context import MAX_CONCURRENCY

from .running import SUITES, run_hatch_sign, run_python
from .tokens import RealToken, TokenName, start_token

PROCESSES, ROUNDS = 5, 10
"""Fifty runs: modules that are not initialised for threads crash in most of ten, some in the first of a process only."""
SIGNATURES = 5
"""Of each thread in each run."""
SECONDS = 60.0
"""A process takes two; one that has not ended by then hangs."""
THREADS = 8


@pytest.fixture(params=TokenName, ids=str)
def token(request: pytest.FixtureRequest) -> Iterator[RealToken]:
    with start_token(request.param) as token:
        yield token


def test_threads_sign_at_once(token: RealToken) -> None:
    algorithm = token.algorithms[0]
    made = run_hatch_sign(token, "key", "generate", token.reference("threads"), "--algorithm", algorithm.value)
    assert made.returncode == 0, made.stdout
    sessions = MAX_CONCURRENCY if token.takes_threads else 1
    processes, rounds = (PROCESSES, ROUNDS) if token.takes_threads else (1, 2)
    for _ in range(processes):
        arguments = ["threads", str(rounds), str(SIGNATURES)]
        done = run_python(token, SUITES / "threads_on_a_token.py", *arguments, seconds=SECONDS)
        assert done.returncode == 0, (done.returncode, done.stdout)
        assert done.stdout.endswith(f"[{sessions}] sessions, {rounds * THREADS * SIGNATURES} signatures\n")
