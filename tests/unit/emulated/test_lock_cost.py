"""The locks that programs make; within the tests they are made cheap to try (tests/conftest.py)."""

from __future__ import annotations

import subprocess
import sys

MAKE = """
from hatch_sign.backends.emulated.wrapping import make_lock
lock = make_lock(bytes(32), "a pin", b"bound to this")
print(lock.cost, lock.block, lock.lanes)
"""


def test_a_try_costs_a_program_32_mebibytes() -> None:
    """RFC 7914 §2: 128 * N * r bytes, with N = 2^15 and r = 8."""
    done = subprocess.run([sys.executable, "-c", MAKE], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["32768", "8", "1"]
