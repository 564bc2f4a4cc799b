"""Which files are archives that are looked into, by their names alone; cheap to import."""

from __future__ import annotations

WHEELS = (".whl",)
ZIP_APPLICATIONS = (".pyz", ".pyzw")
"""How the names of archives end whose members may be signed; applications have no RECORD, and often a line before them."""


def is_opened(name: str) -> bool:
    """Return whether a file of this name is an archive whose members may be signed."""
    return name.endswith(WHEELS + ZIP_APPLICATIONS)
