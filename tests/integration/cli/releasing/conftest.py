"""A release that may leave, made once and copied for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.build_services import make_checkout

from ..cli_project import make_wheel
from .gate import git, make_sdist

if TYPE_CHECKING:
    from pathlib import Path

    from ..cli_project import Project


@pytest.fixture(scope="package")
def finished(prepared: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project whose release may leave; nobody may change it."""
    project = prepared.copy(tmp_path_factory.mktemp("finished") / "project")
    (project.folder / ".gitignore").write_text("home/\ndist/\n.hatch-sign/\n")
    make_wheel(project)
    make_sdist(project)
    project.succeed("sign", "dist")
    make_checkout(project.folder)
    git(project, "tag", "v1.0")
    return project


@pytest.fixture
def release(finished: Project, tmp_path: Path) -> Project:
    return finished.copy(tmp_path / "project")
