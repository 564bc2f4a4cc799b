"""The two ways to refuse a file."""

from __future__ import annotations

from typing import NoReturn

from hatch_sign.values.errors import MalformedError, UnsupportedError


def refuse_broken(reason: str) -> NoReturn:
    """Raise MalformedError: the file contradicts itself, or is something else."""
    message = f"not a well-formed PE file: {reason}"
    raise MalformedError(message)


def refuse_unsafe(reason: str) -> NoReturn:
    """Raise UnsupportedError: the file may well run, and yet cannot be signed safely."""
    message = f"a PE file that cannot be signed safely: {reason}"
    raise UnsupportedError(message)
