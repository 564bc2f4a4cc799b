"""What is signed: artifacts after their single read, and the release they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

HEAD = 16
"""Bytes of an artifact that formats may see: as many as tell what kind of file it is."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One artifact after its single read.

    `name` is its base name (for a file in a folder that is signed as a whole, its path below it, with ``/``), unique
    in a run. `size` is in bytes; `digests` maps hash names, as :mod:`hashlib` spells them, to raw digests. `head` are its
    first bytes, :data:`HEAD` at most.
    """

    name: str
    size: int
    digests: Mapping[str, bytes] = field(hash=False)
    head: bytes = b""


@dataclass(frozen=True, slots=True)
class Release:
    """The project name and version that artifacts belong to, as the project spells them."""

    name: str
    version: str
