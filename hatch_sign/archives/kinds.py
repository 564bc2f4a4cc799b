"""Which files are archives that are looked into, by their names alone; cheap to import."""

from __future__ import annotations

WHEELS = (".whl",)
ZIP_APPLICATIONS = (".pyz", ".pyzw")
"""How the names of archives end whose members may be signed; applications have no RECORD, and often a line before them."""


def is_opened(name: str) -> bool:
    """Return whether a file of this name, in whatever case, is an archive whose members may be signed."""
    return name.lower().endswith(WHEELS + ZIP_APPLICATIONS)


def is_wheel(name: str) -> bool:
    """Return whether a file of this name, in whatever case, is a wheel: it has a RECORD, and nothing stands before it."""
    return name.lower().endswith(WHEELS)
