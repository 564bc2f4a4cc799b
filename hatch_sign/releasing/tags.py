"""Versions in the names of tags."""

from __future__ import annotations

import re

_TAGS = "refs/tags/"
VERSION = "{version}"
DEFAULT_PATTERNS = ("v{version}", "{version}")
"""How a version stands in a tag where nothing is configured."""


def short_tag(tag: str) -> str:
    """Return a tag without ``refs/tags/``, by which git and its hooks name it whole."""
    return tag.removeprefix(_TAGS)


def full_tag(tag: str) -> str:
    """Return the whole reference of a tag."""
    return _TAGS + short_tag(tag)


def patterns(configured: str) -> tuple[str, ...]:
    """Return how a version may stand in a tag; `configured` is empty where nothing is."""
    return (configured,) if configured else DEFAULT_PATTERNS


def version_in(tag: str, configured: str) -> str | None:
    """Return the version in a tag, normalised (PEP 440); None for a tag that names none in the way that is configured."""
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - loads slowly, for tags only

    for pattern in patterns(configured):
        before, _, after = pattern.partition(VERSION)
        inside = tag[len(before) : len(tag) - len(after)]
        # Version would take a `v` before it and blanks around it, too; the hook looks for a digit.
        if tag == f"{before}{inside}{after}" and re.fullmatch(r"[0-9]\S*", inside):
            try:
                return str(Version(inside))
            except (InvalidVersion, ValueError):  # ValueError: digits beyond what int() takes
                continue
    return None


def tags_of(version: str, configured: str) -> str:
    """Return the tags that a version may have, for people."""
    return " or ".join(pattern.replace(VERSION, version) for pattern in patterns(configured))
