"""When a call is repeated, and how long to wait before: throttling, 5xx and broken connections only."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from time import monotonic, sleep
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from hatch_sign.remote.failures import Failure
    from hatch_sign.remote.limits import NetworkLimits

_LONGEST_NAP = 0.25
"""Seconds slept in one piece by a run that can be given up: about as long as somebody waits for Ctrl-C."""
_SECONDS = re.compile(r"[0-9]{1,9}\Z")


@dataclass(frozen=True, slots=True)
class Timing:
    """The clock, the sleep and the chance that retrying goes by; tests bring their own.

    `clock` and `sleep` are in seconds, `chance` returns a number from 0 up to 1.
    """

    clock: Callable[[], float] = monotonic
    sleep: Callable[[float], None] = sleep
    chance: Callable[[], float] = random.random


@dataclass(slots=True)
class Attempts:
    """The attempts of one call: how many there were, and until when there may be more."""

    limits: NetworkLimits
    timing: Timing
    stopped: Callable[[], bool] | None = None
    made: int = 0
    _ends: float = field(init=False)

    def __post_init__(self) -> None:
        """Begin to count the time."""
        self._ends = self.timing.clock() + self.limits.total

    def pause(self, failure: Failure) -> str | None:
        """Wait before the next attempt and return None, or return at once why there is none, in a phrase.

        The pause is a random part of one that doubles each time, so that many callers do not return together. What the
        service asks for by Retry-After comes on top; a wait that would end beyond the deadline is not begun, and
        one during which the run is given up is not finished.
        """
        self.made += 1
        if self.made >= self.limits.attempts:
            return ""
        doubled = self.limits.first_pause * 2.0 ** (self.made - 1)
        asked_for = max(0.0, failure.retry_after or 0.0)
        wait = asked_for + self.timing.chance() * min(doubled, self.limits.longest_pause)
        if self.timing.clock() + wait >= self._ends:
            asked = f", and wants {asked_for:.0f} s of patience" if asked_for else ""
            return f"{asked} beyond the limit of {self.limits.total:.0f} s"
        return None if self.slept(wait) else ", and the run is being given up"

    def slept(self, wait: float) -> bool:
        """Sleep for `wait` seconds and return True, or return False as soon as the run is given up."""
        if self.stopped is None:
            self.timing.sleep(wait)
            return True
        while not self.stopped():
            if wait <= 0.0:
                return True
            self.timing.sleep(min(wait, _LONGEST_NAP))
            wait -= _LONGEST_NAP
        return False


def parse_retry_after(value: str | None, *, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for, from its seconds or its HTTP date (RFC 9110 §10.2.3).

    `now` is aware. A time in the past is 0; None for a header that is missing or says nothing that can be read.
    """
    text = (value or "").strip()
    if _SECONDS.match(text):
        return float(text)
    try:
        date = parsedate_to_datetime(text)
        return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds())
    except (ValueError, OverflowError):  # a year that is none, or one at the edge of time moved by its time zone
        return None
