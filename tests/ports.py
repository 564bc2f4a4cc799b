"""Ports of the loopback on which nobody listens."""

from __future__ import annotations

import socket


def free_port() -> int:
    """Return a port that nobody has at the moment; somebody else may take it at any time."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
