"""Counts the bits of a number."""

from bitsum._bitsum import bits

__all__ = ["bits"]
