"""Many pass the gate at once; one may close it, alone inside; whatever happens there, it opens again."""

from __future__ import annotations

import random
import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest

from hatch_sign_pkcs11.gate import Gate

from .waiting import PATIENCE, Events, ToldCondition, finish, start

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

MAIN = threading.main_thread().name


class Visited:
    """A gate whose visitors tell what they do. Each thread visits it once."""

    def __init__(self, *, interrupted: str = "", always: bool = False) -> None:
        self.events = Events()
        self.gate = Gate()
        self.gate._changed = ToldCondition(self.events, interrupted=interrupted, always=always)

    def passing(self, name: str, leave: threading.Event | None = None) -> threading.Thread:
        return start(name, lambda: self._visit(self.gate.passing(), leave))

    def closing(self, name: str, leave: threading.Event | None = None) -> threading.Thread:
        return start(name, lambda: self._visit(self.gate.closed(), leave))

    def _visit(self, entering: AbstractContextManager[None], leave: threading.Event | None) -> None:
        with entering:
            self.events.tell("is in")
            if leave is not None:
                assert leave.wait(PATIENCE)
            self.events.tell("leaves")

    def next(self, count: int = 1) -> set[str]:
        return {self.events.next() for _ in range(count)}


def assert_open_and_empty(gate: Gate) -> None:
    """Who closes gets in only where nobody is left inside and nobody keeps it closed."""

    def visit() -> None:
        with gate.closed():
            pass
        with gate.passing():
            pass

    finish(start("visitor", visit))


def test_many_pass_at_once() -> None:
    gate, together = Gate(), threading.Barrier(5, timeout=PATIENCE)

    def visit() -> None:
        with gate.passing():
            together.wait()  # Nobody leaves before all are inside.

    threads = [start(f"visitor {number}", visit) for number in range(4)]
    together.wait()
    finish(*threads)
    assert_open_and_empty(gate)


def test_who_closes_waits_for_those_inside_and_nobody_passes_meanwhile() -> None:
    visited, leave, open_again = Visited(), threading.Event(), threading.Event()
    inside = visited.passing("inside", leave)
    assert visited.next() == {"inside is in"}
    closing = visited.closing("closing", open_again)
    assert visited.next() == {"closing waits"}
    early = visited.passing("early")
    assert visited.next() == {"early waits"}
    leave.set()
    assert visited.next() == {"inside leaves"}
    assert visited.next() == {"closing is in"}
    late = visited.passing("late")
    assert visited.next() == {"late waits"}
    open_again.set()
    assert visited.next() == {"closing leaves"}
    assert visited.next(4) == {"early is in", "early leaves", "late is in", "late leaves"}
    finish(inside, closing, early, late)
    assert_open_and_empty(visited.gate)


def test_who_closes_waits_for_the_last_of_those_inside() -> None:
    visited, first, second = Visited(always=True), threading.Event(), threading.Event()
    threads = [visited.passing("first", first)]
    assert visited.next() == {"first is in"}
    threads.append(visited.passing("second", second))
    assert visited.next() == {"second is in"}
    threads.append(visited.closing("closing"))
    assert visited.next() == {"closing waits"}
    first.set()
    assert visited.next() == {"first leaves"}
    assert visited.next() == {"closing waits"}, "it was woken, and is not alone yet"
    second.set()
    assert visited.next() == {"second leaves"}
    assert visited.next() == {"closing is in"}
    finish(*threads)


def test_all_who_wait_pass_as_soon_as_it_opens() -> None:
    visited, open_again, leave = Visited(), threading.Event(), threading.Event()
    threads = [visited.closing("closing", open_again)]
    assert visited.next() == {"closing is in"}
    threads += [visited.passing(name, leave) for name in ("first", "second", "third")]
    assert visited.next(3) == {"first waits", "second waits", "third waits"}
    open_again.set()
    assert visited.next() == {"closing leaves"}
    assert visited.next(3) == {"first is in", "second is in", "third is in"}, "one waits for another to leave"
    leave.set()
    finish(*threads)
    assert_open_and_empty(visited.gate)


def test_one_closes_at_a_time() -> None:
    visited, open_again = Visited(), threading.Event()
    first = visited.closing("first", open_again)
    assert visited.next() == {"first is in"}
    second = visited.closing("second")
    assert visited.next() == {"second waits"}
    open_again.set()
    assert visited.next() == {"first leaves"}
    assert visited.next() == {"second is in"}
    finish(first, second)
    assert_open_and_empty(visited.gate)


def test_an_exception_inside_opens_it_again() -> None:
    gate = Gate()
    for entering in (gate.closed, gate.passing):
        with pytest.raises(ZeroDivisionError), entering():
            _ = 1 / 0
        assert_open_and_empty(gate)


def test_an_interrupt_of_who_waits_to_be_alone_opens_it_again() -> None:
    visited, leave = Visited(interrupted=MAIN), threading.Event()
    inside = visited.passing("inside", leave)
    assert visited.next() == {"inside is in"}
    with pytest.raises(KeyboardInterrupt), visited.gate.closed():
        pytest.fail("it was not alone")
    assert visited.next() == {f"{MAIN} waits"}
    late = visited.passing("late")
    assert visited.next() == {"late is in"}
    leave.set()
    finish(inside, late)
    assert_open_and_empty(visited.gate)


def test_an_interrupt_of_who_waits_to_close_leaves_it_closed_for_the_other() -> None:
    visited, open_again = Visited(interrupted=MAIN), threading.Event()
    closing = visited.closing("closing", open_again)
    assert visited.next() == {"closing is in"}
    with pytest.raises(KeyboardInterrupt), visited.gate.closed():
        pytest.fail("two are alone")
    assert visited.next() == {f"{MAIN} waits"}
    late = visited.passing("late")
    assert visited.next() == {"late waits"}
    open_again.set()
    assert visited.next() == {"closing leaves"}
    finish(closing, late)
    assert_open_and_empty(visited.gate)


def test_an_interrupt_of_who_waits_to_pass_counts_nobody_in() -> None:
    visited, open_again = Visited(interrupted=MAIN), threading.Event()
    closing = visited.closing("closing", open_again)
    assert visited.next() == {"closing is in"}
    with pytest.raises(KeyboardInterrupt), visited.gate.passing():
        pytest.fail("it passed a closed gate")
    open_again.set()
    finish(closing)
    assert_open_and_empty(visited.gate)


def test_in_any_order_nobody_is_beside_who_closes() -> None:
    gate, counting, ready = Gate(), threading.Lock(), threading.Barrier(6, timeout=PATIENCE)
    inside: set[str] = set()
    violations: list[set[str]] = []

    def visit(seed: int) -> None:
        order = random.Random(seed)  # noqa: S311 - an order of visits, nothing secret
        name = threading.current_thread().name
        ready.wait()
        for _ in range(100):
            alone = order.random() < 0.3
            with gate.closed() if alone else gate.passing():
                with counting:
                    inside.add(f"{name}, alone" if alone else name)
                    if len(inside) > 1 and any(each.endswith("alone") for each in inside):
                        violations.append(set(inside))
                with counting:
                    inside.discard(f"{name}, alone" if alone else name)

    finish(*[start(f"visitor {number}", partial(visit, number)) for number in range(6)])
    assert violations == []
    assert inside == set()
    assert_open_and_empty(gate)
