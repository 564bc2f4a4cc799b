"""What is signed: artifacts after their single read, and the release they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Subject:
    """One artifact after its single read.

    `name` is its base name (for a file in a folder that is signed as a whole, its path below it, with ``/``), unique
    in a run. `size` is in bytes; `digests` maps hash names, as :mod:`hashlib` spells them, to raw digests.
    """

    name: str
    size: int
    digests: Mapping[str, bytes] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Release:
    """The project name and version that artifacts belong to, as the project spells them."""

    name: str
    version: str
