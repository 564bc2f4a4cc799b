"""Keeps what twine and its libraries print and log out of the output of hatch-sign."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout

_LOGGERS = ("id", "keyring", "requests", "twine", "urllib3")


@contextmanager
def silence() -> Iterator[None]:
    """Let nothing be printed or logged: twine names files and servers, and may repeat what a server answered."""
    with _unlogged(), redirect_stdout(io.StringIO()):
        yield


@contextmanager
def prompts_only() -> Iterator[None]:
    """Let nothing be logged, and what is printed, a prompt, go to standard error: standard output is for results."""
    with _unlogged(), redirect_stdout(sys.stderr):
        yield


@contextmanager
def _unlogged() -> Iterator[None]:
    with ExitStack() as restored:
        for name in _LOGGERS:
            logger = logging.getLogger(name)
            handler = logging.NullHandler()  # without any, warnings would go to standard error
            restored.callback(setattr, logger, "propagate", logger.propagate)
            restored.callback(logger.removeHandler, handler)
            logger.addHandler(handler)
            logger.propagate = False
        yield
