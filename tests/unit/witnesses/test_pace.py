"""Turns at one authority, by a clock of the test's own."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from hatch_sign.witnesses.rfc3161.pace import LANES, MOST_REFUSALS, MOST_SILENCES, Pace


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def never() -> bool:
    return False


def most_at_once(pace: Pace, threads: int) -> int:
    """Return how many of `threads` held a turn at the same time, each for as long as others may come."""
    lock, under_way, peak = threading.Lock(), 0, 0

    def work(_: int) -> None:
        nonlocal under_way, peak
        with pace.turn() as granted:
            assert granted
            with lock:
                under_way += 1
                peak = max(peak, under_way)
            threading.Event().wait(0.02)
            with lock:
                under_way -= 1

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads * 2)))
    return peak


def test_few_ask_at_once() -> None:
    assert most_at_once(Pace(never), 12) == LANES


def test_one_alone_asks_after_the_first_refusal() -> None:
    pace = Pace(never)
    pace.hold(0.0)
    assert most_at_once(pace, 6) == 1


def test_nobody_asks_before_the_pause_is_over() -> None:
    clock = Clock()
    pace = Pace(never, clock=clock)
    pace.hold(15.0)
    granted = threading.Event()

    def ask() -> None:
        with pace.turn():
            granted.set()

    waiting = threading.Thread(target=ask)
    waiting.start()
    clock.now = 14.0
    assert not granted.wait(0.6)
    clock.now = 15.0
    assert granted.wait(30)
    waiting.join(30)


def test_a_run_that_is_given_up_waits_for_no_turn() -> None:
    stopped = threading.Event()
    pace = Pace(stopped.is_set, clock=Clock())
    pace.hold(1000.0)
    threading.Timer(0.05, stopped.set).start()
    with pace.turn() as granted:
        assert not granted
    stopped.clear()
    assert not pace.is_spent


def test_those_that_were_refused_together_count_once() -> None:
    clock = Clock()
    pace = Pace(never, clock=clock)
    for _ in range(MOST_REFUSALS + 1):
        pace.hold(1.0)
    assert not pace.is_spent
    for _ in range(MOST_REFUSALS - 1):
        clock.now += 1.0
        pace.hold(1.0)
    assert pace.is_spent


def test_an_answer_ends_the_count() -> None:
    pace = Pace(never)
    for _ in range(MOST_SILENCES - 1):
        pace.unanswered()
    pace.served()
    pace.unanswered()
    assert not pace.is_spent
    for _ in range(MOST_SILENCES - 1):
        pace.unanswered()
    assert pace.is_spent
