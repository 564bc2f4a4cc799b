"""Counts the words of text files."""

from __future__ import annotations


def count_words(text: str) -> int:
    """Return how many words are in `text`; what white space separates is a word."""
    return len(text.split())
