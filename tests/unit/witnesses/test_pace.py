"""Turns at one authority, by a clock of the test's own."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count

from hatch_sign.witnesses.rfc3161.pace import LANES, MOST_REFUSALS, MOST_SILENCES, Pace


class Clock:
    """What it says is set; each look at it is counted by `looks`."""

    def __init__(self) -> None:
        self.now = 0.0
        self.looks = threading.Semaphore(0)

    def __call__(self) -> float:
        self.looks.release()
        return self.now


class Impatience:
    """A run that is given up by whoever is not granted a turn at the first look."""

    def __init__(self) -> None:
        self.looks = 0

    def __call__(self) -> bool:
        self.looks += 1
        return self.looks > 1


def never() -> bool:
    return False


def turns_at_once(pace: Pace, impatience: Impatience) -> int:
    """Return how many turns are lent before the first is given back."""
    with ExitStack() as held:
        for number in count():
            impatience.looks = 0
            if not held.enter_context(pace.turn()):
                return number
    raise AssertionError


def test_few_ask_at_once() -> None:
    pace = Pace(impatience := Impatience())
    assert turns_at_once(pace, impatience) == LANES
    assert turns_at_once(pace, impatience) == LANES, "all were given back"


def test_one_alone_asks_after_the_first_refusal() -> None:
    pace = Pace(impatience := Impatience())
    pace.hold(0.0)
    assert turns_at_once(pace, impatience) == 1


def test_threads_do_ask_at_once_and_each_gets_its_turn() -> None:
    """Nobody gives its turn back before as many as may are there: with fewer at once, none ever would."""
    pace, together = Pace(never), threading.Barrier(LANES, timeout=120)

    def work(_: int) -> bool:
        with pace.turn() as granted:
            together.wait()
            return granted

    with ThreadPoolExecutor(3 * LANES) as pool:
        assert all(pool.map(work, range(6 * LANES)))


def test_nobody_asks_before_the_pause_is_over() -> None:
    clock = Clock()
    pace = Pace(never, clock=clock)
    pace.hold(15.0)
    granted, clock.now, clock.looks = threading.Event(), 14.0, threading.Semaphore(0)

    def ask() -> None:
        with pace.turn():
            granted.set()

    waiting = threading.Thread(target=ask)
    waiting.start()
    try:
        for _ in range(2):  # who looks a second time was not granted a turn at the first
            assert clock.looks.acquire(timeout=120)
        assert not granted.is_set()
    finally:
        clock.now = 15.0
        waiting.join(30)
    assert granted.is_set()


def test_a_run_that_is_given_up_waits_for_no_turn() -> None:
    pace = Pace(impatience := Impatience(), clock=Clock())
    pace.hold(1000.0)
    with pace.turn() as granted:
        assert not granted
    assert impatience.looks == 2, "it was given up while the turn was waited for"
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
