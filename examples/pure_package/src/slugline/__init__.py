"""File names that people can read, from titles."""

from __future__ import annotations

import re
import unicodedata

_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")


def slug(title: str, *, longest: int = 60) -> str:
    """Return `title` in lower-case ASCII letters and digits with hyphens between them, at most `longest` characters."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return _NOT_IN_NAMES.sub("-", plain).strip("-")[:longest].rstrip("-") or "untitled"
