"""Work in threads: results in order, and those who wait are told when the rest is given up."""

from __future__ import annotations

import threading

import pytest

from hatch_sign.artifacts.parallel import map_in_threads


class Broken(Exception):  # noqa: N818 - it stands for anything that may be raised, an interrupt too
    """What a piece of work raises."""


@pytest.mark.parametrize("items", [[], [1], list(range(50))], ids=len)
def test_results_are_in_the_order_of_the_items(items: list[int]) -> None:
    assert map_in_threads(lambda item: -item, items, threads=4, on_failure=pytest.fail) == [-item for item in items]


@pytest.mark.parametrize("error", [Broken, KeyboardInterrupt])
def test_who_waits_is_told_of_a_failure_and_nothing_more_is_begun(error: type[BaseException]) -> None:
    given_up = threading.Event()
    begun = []

    def work(item: int) -> bool:
        begun.append(item)
        if item == 0:
            raise error
        return given_up.wait(30)

    with pytest.raises(error):
        map_in_threads(work, range(50), threads=2, on_failure=given_up.set)
    assert given_up.is_set()
    assert len(begun) < 50
