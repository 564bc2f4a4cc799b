"""The log lines of SDKs reach those who ask for them, and nobody else."""

from __future__ import annotations

import logging
import subprocess
import sys
from uuid import uuid4

from hatch_sign_kms.logs import keep_quiet

WARN = """
import logging
from hatch_sign_kms.logs import keep_quiet
if {quiet}:
    keep_quiet("vendor")
logging.getLogger("vendor.login").warning("what a service said")
"""


def standard_error(*, quiet: bool) -> str:
    program = [sys.executable, "-c", WARN.format(quiet=quiet)]
    return subprocess.run(program, capture_output=True, text=True, check=True).stderr


def test_nothing_is_printed_where_nobody_asked() -> None:
    assert "what a service said" in standard_error(quiet=False)
    assert standard_error(quiet=True) == ""


def test_whoever_configured_logging_keeps_it() -> None:
    name, handler = f"vendor-{uuid4()}", logging.StreamHandler()
    logging.getLogger(name).addHandler(handler)
    keep_quiet(name)
    assert logging.getLogger(name).handlers == [handler]


def test_once_is_enough() -> None:
    name = f"vendor-{uuid4()}"
    keep_quiet(name)
    keep_quiet(name)
    assert len(logging.getLogger(name).handlers) == 1
