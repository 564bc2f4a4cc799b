"""How many mutations of a signature are tried, which, and those that need to know nothing of it but its bytes."""

from __future__ import annotations

import os
import random

_SEED = os.environ.get("HATCH_SIGN_SEED", "0")
IS_RANDOM = _SEED == "random"
"""Whether each run tries other mutations; otherwise one run is like the next, and a failure is no chance."""

_TELLING = (b"\x30", b"\x31", b"\x04", b"\x02", b"\xa0", b"\x00", b"\x80", b"\xff")


def mutation_count(quick: int = 1000) -> int:
    """Return how many a test tries: as many as HATCH_SIGN_MUTATIONS says, or else so many that a run stays quick."""
    return int(os.environ.get("HATCH_SIGN_MUTATIONS", str(quick)))


def first_seed() -> int:
    """Return the seed of a test's first mutation, the next ones follow: HATCH_SIGN_SEED, a number or ``random``."""
    return random.SystemRandom().randrange(1 << 48) if IS_RANDOM else int(_SEED)


def replace_bytes(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + rng.randbytes(rng.randint(1, 3)) + data[at + rng.randint(0, 3) :]


def change_byte(data: bytes, rng: random.Random) -> bytes:
    """Put a byte that means something to DER in the place of another: the length of everything stays right."""
    at = rng.randrange(len(data))
    return data[:at] + rng.choice(_TELLING) + data[at + 1 :]


def cut(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + data[at + rng.randint(1, 40) :]


def repeat(data: bytes, rng: random.Random) -> bytes:
    at, end = sorted(rng.randrange(len(data) + 1) for _ in range(2))
    return data[:end] + data[at:]
