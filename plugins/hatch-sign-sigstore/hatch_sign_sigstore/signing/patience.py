"""Calls that end in time, however long a service keeps them: sigstore-python asks its services without any limit."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_LONGEST_NAP = 0.25
"""Seconds waited in one piece by a run that can be given up: about as long as somebody waits for Ctrl-C."""


class NoAnswerError(Exception):
    """A call did not end within its limit, or the run was given up meanwhile."""


class Patience:
    """Runs calls in threads of its own and waits for each no longer than `limit` seconds.

    A thread whose call did not end is left to itself, and keeps no program from ending; the others are used again, so that
    what the caller keeps for each thread, such as a connection, is kept.
    """

    def __init__(self, limit: float, *, stopped: Callable[[], bool]) -> None:
        """Begin without any thread."""
        self._limit = limit
        self._stopped = stopped
        self._idle: list[_Worker] = []
        self._lock = threading.Lock()

    def call(self, operation: Callable[[], T]) -> T:
        """Return what `operation` returns, or raise what it raises. Raises NoAnswerError after the limit."""
        with self._lock:
            worker = self._idle.pop() if self._idle else _Worker()
        job = _Job(operation)
        worker.jobs.put(job)
        if not self._ends(job.done):
            worker.jobs.put(None)  # its thread ends with the call, if that ever does
            raise NoAnswerError
        with self._lock:
            self._idle.append(worker)
        result: T = job.result()
        return result

    def close(self) -> None:
        """Let the idle threads end."""
        with self._lock:
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.jobs.put(None)

    def _ends(self, done: threading.Event) -> bool:
        end = monotonic() + self._limit
        while not self._stopped():
            left = end - monotonic()
            if done.wait(max(0.0, min(left, _LONGEST_NAP))):
                return True
            if left <= 0.0:
                return False
        return done.is_set()


class _Job:
    def __init__(self, operation: Callable[[], Any]) -> None:
        self._operation = operation
        self._value: Any = None
        self._error: BaseException | None = None
        self.done = threading.Event()

    def run(self) -> None:
        try:
            self._value = self._operation()
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is waited for
            self._error = error
        self.done.set()

    def result(self) -> Any:  # noqa: ANN401 - what the operation returns
        if self._error is not None:
            raise self._error
        return self._value


class _Worker:
    def __init__(self) -> None:
        self.jobs: SimpleQueue[_Job | None] = SimpleQueue()
        threading.Thread(target=self._work, name="hatch-sign-sigstore", daemon=True).start()

    def _work(self) -> None:
        while (job := self.jobs.get()) is not None:
            job.run()
