"""Threads, where there is more than one thing to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

READERS = 4
"""Threads that read and hash: hashing releases the GIL, and a disk serves a few readers best."""

SIGNERS = 16
"""Threads that sign or timestamp: most wait at a key's gate or for a witness, so there are more than cores."""

T = TypeVar("T")
R = TypeVar("R")


def map_in_threads(
    work: Callable[[T], R], items: Iterable[T], *, threads: int, on_failure: Callable[[], None] | None = None
) -> list[R]:
    """Return the results of `work` in the order of `items`; what it raises first is raised here, once all have ended.

    What was not begun by then never is, and `on_failure` is called for those who may wait for something meanwhile: also
    after Ctrl-C, which nobody but the calling thread hears.
    """
    listed = list(items)
    if len(listed) < 2:  # noqa: PLR2004 - one needs no thread, nor the import of any
        return [work(item) for item in listed]
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - as above

    with ThreadPoolExecutor(threads) as pool:
        try:
            return list(pool.map(work, listed))
        except BaseException:
            if on_failure is not None:
                on_failure()
            pool.shutdown(cancel_futures=True)
            raise
