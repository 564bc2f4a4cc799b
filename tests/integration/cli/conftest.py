"""A project that signs on the command line, made once and copied for each test."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from .cli_project import Project, make_project

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project with a token, a key, and a configuration that trusts it; nobody may change it."""
    return make_project(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def project(prepared: Project, tmp_path: Path) -> Project:
    """Return a copy of its own for each test: making a token is slow, copying one is not."""
    here = tmp_path / "project"
    shutil.copytree(prepared.folder, here)
    return Project(here, {**prepared.environ, "HATCH_SIGN_HOME": str(here / "home")})
