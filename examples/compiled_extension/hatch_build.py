"""Compiles the extension into the wheel: setuptools knows the compiler of each system."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_SOURCE = "src/fletcher32/_fletcher32.c"


class CompilingBuildHook(BuildHookInterface[Any]):
    """Compiles for wheels; the sdist carries the source."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and add what came of it to the wheel under its import path."""
        if self.target_name != "wheel" or version == "editable":
            return
        self._folder = tempfile.TemporaryDirectory()
        compiled = _compile(Path(self.root), Path(self._folder.name))
        build_data["force_include"][str(compiled)] = f"fletcher32/{compiled.name}"
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - Hatch's signature
        """Remove what was compiled: it is in the wheel now."""
        if hasattr(self, "_folder"):
            self._folder.cleanup()


def _compile(root: Path, folder: Path) -> Path:
    from setuptools import Distribution, Extension  # noqa: PLC0415 - installed where the hook runs, not where it is listed

    extension = Extension("fletcher32._fletcher32", [str(root / _SOURCE)])
    command = Distribution({"name": "fletcher32", "ext_modules": [extension]}).get_command_obj("build_ext")
    command.build_lib, command.build_temp = str(folder / "lib"), str(folder / "temp")
    command.ensure_finalized()
    command.run()
    return Path(command.get_ext_fullpath("fletcher32._fletcher32"))
