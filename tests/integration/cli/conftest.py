"""A project that signs on the command line, made once and copied for each test, and the same with two signed wheels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .cli_project import make_project
from .wheels import sign_two_wheels

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


@pytest.fixture(scope="session")
def signed_wheels(prepared: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project with two signed wheels; nobody may change it."""
    project = prepared.copy(tmp_path_factory.mktemp("signed") / "project")
    sign_two_wheels(project)
    return project


@pytest.fixture
def release(signed_wheels: Project, tmp_path: Path) -> Project:
    """Return a copy of the two signed wheels for each test."""
    return signed_wheels.copy(tmp_path / "release")
