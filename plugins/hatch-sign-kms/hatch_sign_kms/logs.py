"""The log lines of SDKs, kept from a terminal that nobody has asked for them."""

from __future__ import annotations

import logging


def keep_quiet(*loggers: str) -> None:
    """Let nothing of `loggers` reach standard error by default: an SDK's lines repeat what services and logins said.

    Python prints warnings that no handler takes. Whoever configures logging gets them as before.
    """
    for name in loggers:
        logger = logging.getLogger(name)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
