"""How fast one run asks one authority: several threads at once, until it wants to be asked less."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LANES = 4
"""Requests to one authority that are under way at once: public ones serve many, and some refuse whoever asks too often."""

MOST_SILENCES = 3
"""Requests in a row, each with its repetitions, after which an authority is taken to be out of reach."""
MOST_REFUSALS = 6
"""Requests for patience in a row, whoever asked, after which it is not believed that another answer will come."""

_LONGEST_NAP = 0.25
"""Seconds for which nobody looks whether the run is being given up."""


class Pace:
    """The turns that the threads of a run take at one authority.

    After the first request for patience they ask one at a time for the rest of the run, and nobody asks before the pause
    is over: whoever was refused is not the only one to wait.
    """

    def __init__(self, stopped: Callable[[], bool], *, clock: Callable[[], float] = monotonic) -> None:
        """Begin at full pace; `clock` is in seconds."""
        self._stopped = stopped
        self._clock = clock
        self._changed = threading.Condition()
        self._lanes = LANES
        self._under_way = 0
        self._not_before = 0.0
        self._refusals = 0
        self._silences = 0

    @contextmanager
    def turn(self) -> Iterator[bool]:
        """Wait for a turn and lend it; False where the run is given up instead."""
        granted = self._wait()
        try:
            yield granted
        finally:
            if granted:
                with self._changed:
                    self._under_way -= 1
                    self._changed.notify_all()

    def hold(self, seconds: float) -> None:
        """Let nobody ask for so long, and from now on one at a time.

        Requests that were under way together are refused together, and count once.
        """
        with self._changed:
            now = self._clock()
            if now >= self._not_before:
                self._refusals += 1
            self._lanes = 1
            self._not_before = max(self._not_before, now + seconds)

    def served(self) -> None:
        """Say that the authority has answered somebody."""
        with self._changed:
            self._refusals = 0
            self._silences = 0

    def unanswered(self) -> None:
        """Say that the authority could not be had, after all repetitions."""
        with self._changed:
            self._silences += 1

    @property
    def is_spent(self) -> bool:
        """Whether so many were not answered in a row that who waits for a turn should not ask any more."""
        return self._silences >= MOST_SILENCES or self._refusals >= MOST_REFUSALS

    def _wait(self) -> bool:
        with self._changed:
            while not self._stopped():
                left = self._not_before - self._clock()
                if left <= 0.0 and self._under_way < self._lanes:
                    self._under_way += 1
                    return True
                self._changed.wait(min(_LONGEST_NAP, max(left, 0.01)) if left > 0.0 else _LONGEST_NAP)
        return False
