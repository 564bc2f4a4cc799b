"""Which project a build belongs to: front ends build wheels from an sdist that they have unpacked somewhere else."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hatch_sign.configuration.model import Configuration


def is_unpacked_sdist(root: Path) -> bool:
    """Return whether `root` was made from an sdist: only there is a ``PKG-INFO`` (PyPA's source distribution format)."""
    return (root / "PKG-INFO").is_file()


def project_folder(root: Path, output: Path) -> Path:
    """Return the folder that the person who builds calls the project; `output` is the folder of the artifact.

    That is `root`, unless `root` is an unpacked sdist that the artifact does not lie in: a front end has made it and will
    throw it away. Then it is the nearest folder above the artifact with the very same ``pyproject.toml``, as sdists hold
    it unchanged; and where there is none, `output` itself, the one folder that the user is known to have named.
    """
    root, output = Path(os.path.realpath(root)), Path(os.path.realpath(output))
    if output.is_relative_to(root) or not is_unpacked_sdist(root):
        return root
    wanted = _content(root)
    same = (folder for folder in (output, *output.parents) if wanted is not None and _content(folder) == wanted)
    return next(same, output)


def anchored(configuration: Configuration, root: Path, project: Path) -> Configuration:
    """Return the configuration with the outputs that would go into a passing `root` moved to the same place in `project`."""
    root = Path(os.path.realpath(root))
    if root == project:
        return configuration
    return replace(
        configuration,
        output_directory=_moved(configuration.output_directory, root, project),
        audit_file=_moved(configuration.audit_file, root, project),
    )


def _moved(path: Path | None, root: Path, project: Path) -> Path | None:
    real = Path(os.path.realpath(path)) if path is not None else None
    return project / real.relative_to(root) if real is not None and real.is_relative_to(root) else path


def _content(folder: Path) -> bytes | None:
    try:
        return (folder / "pyproject.toml").read_bytes()
    except OSError:
        return None
