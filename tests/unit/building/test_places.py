"""Which project a build belongs to, and where its outputs go."""

from __future__ import annotations

from pathlib import Path

import pytest

from hatch_sign.building.places import anchored, project_folder
from hatch_sign.configuration.model import Configuration


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return _folder(tmp_path / "project", "[project]\nname = 'thing'\n")


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    folder = _folder(tmp_path / "passing" / "thing-1.0", "[project]\nname = 'thing'\n")
    (folder / "PKG-INFO").write_text("Name: thing\n")
    return folder


def _folder(path: Path, pyproject: str) -> Path:
    (path / "dist").mkdir(parents=True)
    (path / "pyproject.toml").write_text(pyproject)
    return path


def test_a_checkout_is_its_own_project_wherever_it_builds_into(project: Path, tmp_path: Path) -> None:
    assert project_folder(project, project / "dist") == project
    assert project_folder(project, tmp_path / "elsewhere") == project


def test_an_unpacked_sdist_belongs_to_the_folder_with_the_same_file(project: Path, unpacked: Path) -> None:
    assert project_folder(unpacked, project / "dist" / "deeper") == project


def test_a_folder_with_another_file_is_not_taken_for_it(project: Path, unpacked: Path) -> None:
    (project / "pyproject.toml").write_text("[project]\nname = 'other'\n")
    assert project_folder(unpacked, project / "dist") == project / "dist"


def test_an_unpacked_sdist_that_is_built_where_it_lies_is_the_project(unpacked: Path) -> None:
    assert project_folder(unpacked, unpacked / "dist") == unpacked


def test_outputs_in_a_passing_root_go_to_the_same_place_in_the_project(project: Path, unpacked: Path) -> None:
    audit = unpacked / "audit.jsonl"
    configuration = Configuration(None, unpacked, output_directory=unpacked / "signatures", audit_file=audit)
    moved = anchored(configuration, unpacked, project)
    assert (moved.output_directory, moved.audit_file) == (project / "signatures", project / "audit.jsonl")
    assert moved.directory == unpacked, "what is read stays where it is"


def test_outputs_elsewhere_stay_there(project: Path, unpacked: Path, tmp_path: Path) -> None:
    configuration = Configuration(None, unpacked, output_directory=tmp_path / "signatures")
    assert anchored(configuration, unpacked, project).output_directory == tmp_path / "signatures"
    assert anchored(configuration, unpacked, project).audit_file is None
    assert anchored(configuration, project, project) is configuration
