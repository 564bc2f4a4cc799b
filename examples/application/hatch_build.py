"""Builds the zipapp: an archive with the package and a `__main__.py`, which any Python runs."""

from __future__ import annotations

import tempfile
import zipapp
from collections.abc import Callable
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import Any

from hatchling.builders.plugin.interface import BuilderInterface


class ZipappBuilder(BuilderInterface[Any, Any]):
    """Makes ``dist/tally-VERSION.pyz``."""

    def get_version_api(self) -> dict[str, Callable[..., str]]:
        """Return the one way in which it is built."""
        return {"standard": self._build}

    def clean(self, directory: str, versions: list[str]) -> None:  # noqa: ARG002 - Hatch's signature
        """Remove the zipapps of earlier builds."""
        for archive in Path(directory).glob("*.pyz"):
            archive.unlink()

    def _build(self, directory: str, **_: object) -> str:
        target = Path(directory, f"{self.metadata.name}-{self.metadata.version}.pyz")
        with tempfile.TemporaryDirectory() as folder:
            copytree(Path(self.root, "src"), folder, dirs_exist_ok=True, ignore=ignore_patterns("__pycache__"))
            zipapp.create_archive(folder, target, interpreter="/usr/bin/env python3", main="tally.__main__:main")
        return str(target)
