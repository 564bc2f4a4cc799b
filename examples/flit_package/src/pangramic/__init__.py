"""Tells whether a text has every letter."""

from string import ascii_lowercase


def is_pangram(text: str) -> bool:
    """Return whether all the letters from a to z are in a text."""
    return set(ascii_lowercase) <= set(text.lower())
