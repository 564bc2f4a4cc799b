"""A project that signs on the command line, made once and copied for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .cli_project import make_project

if TYPE_CHECKING:
    from pathlib import Path

    from .cli_project import Project


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project with a token, a key, and a configuration that trusts it; nobody may change it."""
    return make_project(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def project(prepared: Project, tmp_path: Path) -> Project:
    """Return a copy of its own for each test."""
    return prepared.copy(tmp_path / "project")
