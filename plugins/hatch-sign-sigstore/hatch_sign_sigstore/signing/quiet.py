"""What sigstore-python and the libraries below it log goes nowhere: one line of ours says what went wrong."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOGGERS = ("sigstore", "tuf", "securesystemslib", "id", "urllib3", "requests")


@contextmanager
def silenced_logs() -> Iterator[None]:
    """Keep their records from every handler of others until the block ends."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [logger.propagate for logger in loggers]
    handler = logging.NullHandler()
    for logger in loggers:
        logger.addHandler(handler)
        logger.propagate = False
    try:
        yield
    finally:
        for logger, propagate in zip(loggers, before, strict=True):
            logger.removeHandler(handler)
            logger.propagate = propagate
