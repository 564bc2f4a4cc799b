"""Threads that tell when they begin to wait, so that a test knows it instead of sleeping."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 120.0
"""Seconds after which a test gives up on a thread; none is ever waited for when all is well."""


class Events:
    """What happened in the threads of a test, in its order."""

    def __init__(self) -> None:
        self._queue: queue.Queue[str] = queue.Queue()

    def tell(self, what: str) -> None:
        """Record that the calling thread did `what`."""
        self._queue.put(f"{threading.current_thread().name} {what}")

    def next(self) -> str:
        """Return what happens next."""
        return self._queue.get(timeout=PATIENCE)


class ToldCondition(threading.Condition):
    """A condition that tells when a thread begins to wait: once, or `always`; the `interrupted` one meets Ctrl-C there."""

    def __init__(self, events: Events, *, interrupted: str = "", always: bool = False) -> None:
        super().__init__()
        self._events = events
        self._interrupted = interrupted
        self._always = always
        self._told: set[str] = set()

    def wait(self, timeout: float | None = None) -> bool:
        name = threading.current_thread().name
        if self._always or name not in self._told:
            self._told.add(name)
            self._events.tell("waits")
        if name == self._interrupted:
            raise KeyboardInterrupt
        assert super().wait(timeout or PATIENCE), f"nobody wakes {name}"
        return True


class ToldLock:
    """A lock that tells of each thread that has to wait for it."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            self._events.tell("waits")
            assert self._lock.acquire(timeout=PATIENCE)

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def start(name: str, work: Callable[[], object]) -> threading.Thread:
    """Return a thread of that name that does `work`; it never keeps the test run from ending."""
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread


def finish(*threads: threading.Thread) -> None:
    """Wait for the threads to end."""
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive(), f"{thread.name} never ended"
