"""What GitHub keeps as an asset under its own name, and what it would not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hatch_sign.contract import ReleaseFile

LARGEST = 2**31 - 1
"""Bytes of one asset: it must be smaller than 2 GiB."""

MOST_ASSETS = 1000
"""Assets of one release."""

_KEPT = re.compile(r"[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*")
"""Names that come out as they went in: GitHub puts a full stop for everything else, and takes those away at the ends."""


def why_dropped(file: ReleaseFile) -> str:
    """Return why GitHub would not keep the file as it is, as a phrase; empty where it would."""
    if not _KEPT.fullmatch(file.name):
        return "GitHub would give it another name: it keeps letters, digits, '-', '_', '+' and single dots between them"
    if file.size > LARGEST:
        return "it is too large: an asset is smaller than 2 GiB"
    return "" if file.size else "GitHub takes no empty file"
