"""How long a service may take, and how often it is asked: the one place for every network backend."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NetworkLimits:
    """Times are in seconds.

    `connect` and `read` limit one connection and one silence in a reply: hand them to the SDK. `total` limits one
    call with all its repetitions and pauses, `attempts` counts the first one. Pauses double from `first_pause` up to
    `longest_pause`.
    """

    connect: float = 10.0
    read: float = 20.0
    total: float = 90.0
    attempts: int = 7
    first_pause: float = 0.25
    longest_pause: float = 8.0


QUICK = NetworkLimits(connect=5.0, read=10.0, total=20.0, attempts=2)
"""For looking only, where somebody waits to hear what is wrong."""
