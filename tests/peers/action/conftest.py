"""A project whose workflow is run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .artifacts import store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a project, beside which runs keep their artifacts."""
    path = tmp_path / "project"
    path.mkdir()
    store(path).mkdir()
    return path
