"""How long an index may take, and when it is asked again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from hatch_sign.remote.limits import NetworkLimits
from hatch_sign.remote.retrying import Attempts, Timing

LIMITS = NetworkLimits(connect=20.0, read=180.0, total=600.0, attempts=5, first_pause=0.5, longest_pause=16.0)
"""An index hashes, scans and stores a large file before it answers: it gets minutes."""

_LISTING_ATTEMPTS, _LISTING_TOTAL = 4, 10.0
"""How often, and for how many seconds, a file that was taken is looked for in a listing that may lag."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Limits, clock, and whether the run is being given up: nothing is waited for then."""

    limits: NetworkLimits = LIMITS
    timing: Timing = field(default_factory=Timing)
    stopped: Callable[[], bool] | None = None

    def attempts(self) -> Attempts:
        """Return the attempts of one upload."""
        return Attempts(self.limits, self.timing, self.stopped)

    def attempts_to_find(self) -> Attempts:
        """Return the attempts to find what was uploaded."""
        few = replace(self.limits, attempts=min(_LISTING_ATTEMPTS, self.limits.attempts), total=_LISTING_TOTAL)
        return Attempts(few, self.timing, self.stopped)

    def end_of_answer(self) -> float:
        """Return when an answer that begins now must have come whole, by the clock of :meth:`is_over`."""
        return self.timing.clock() + self.limits.total

    def is_over(self, end: float) -> bool:
        """Return whether that time has come, or the run is being given up."""
        return self.timing.clock() > end or (self.stopped is not None and self.stopped())
