"""Ports of the loopback on which nobody listens."""

from __future__ import annotations

import random
import socket

_CANDIDATES = range(20_000, 32_768)
"""Below what the system itself hands out, so that no connection under way and no server on port 0 takes one meanwhile."""


def free_port() -> int:
    """Return a port that nobody has at the moment; who asks for one of their own may still take it."""
    for port in random.SystemRandom().sample(_CANDIDATES, k=100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    message = "a hundred ports were tried, and none was free"
    raise RuntimeError(message)
