"""A project for each test, whose folder is no place that anybody else writes to."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

import pytest

from .releases import Project

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that holds private copies, empty at first."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def project(tmp_path: Path, temporary: Path) -> Project:
    del temporary
    project = Project(tmp_path / "project")
    project.dist.mkdir(parents=True)
    return project
