"""The backend around setuptools', under the front ends that people use, and where something is wrong."""

from __future__ import annotations

import shutil
import sys
import venv
from typing import TYPE_CHECKING

import pytest

from .projects import Project, tamper, unmeasured

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WHEEL = "numerus-1.0.0-py3-none-any.whl"
SDIST = "numerus-1.0.0.tar.gz"
SIGNED = {WHEEL, SDIST, f"{WHEEL}.sigstore.json", f"{SDIST}.sigstore.json"}
BUILD = ("-m", "build", "--installer", "uv")
UV = ("-m", "uv", "build")


@pytest.fixture
def project(make_project: Callable[..., Project], isolated: dict[str, str]) -> Project:
    made = make_project("setuptools_package", HATCH_SIGN_BUILD="1", **isolated)
    return Project(made.root, unmeasured(made.environ))


@pytest.mark.parametrize("front_end", [BUILD, UV], ids=["build", "uv"])
def test_what_is_built_is_signed_and_verifies(project: Project, front_end: tuple[str, ...]) -> None:
    done = project.python(*front_end)
    assert done.code == 0, done.output
    assert project.built() == SIGNED
    assert f"hatch-sign: {WHEEL}: sigstore is trusted in {WHEEL}.sigstore.json" in done.output
    assert project.sign("verify", "dist").code == 0
    tamper(project.dist / WHEEL)
    refused = project.sign("verify", "dist")
    assert refused.code == 1
    assert "hash-mismatch" in refused.output


@pytest.mark.parametrize("front_end", [BUILD, UV], ids=["build", "uv"])
def test_what_cannot_be_signed_is_withdrawn_into_the_project(project: Project, front_end: tuple[str, ...]) -> None:
    assert project.python(*front_end, "--sdist").code == 0
    done = project.python(*front_end, HATCH_SIGN_PIN="wrong-pin-1234")
    assert done.code != 0
    assert project.built() == set(), "the older signature of the sdist goes with it"
    assert (project.quarantine / SDIST).is_file()
    assert f"hatch-sign: error: {SDIST} is not signed: " in done.output
    assert "wrong-pin-1234" not in done.output


def test_not_enabled_it_only_hands_on(project: Project) -> None:
    del project.environ["HATCH_SIGN_BUILD"]
    done = project.python(*BUILD)
    assert done.code == 0, done.output
    assert project.built() == {WHEEL, SDIST}
    assert "hatch-sign:" not in done.output


def test_a_file_that_is_not_in_the_sdist_is_named(project: Project) -> None:
    (project.root / "MANIFEST.in").unlink()
    done = project.python(*BUILD)
    assert done.code == 1
    assert "the sdist must include each file that is named: see" in done.output
    assert "MANIFEST.in" in done.output
    assert project.built() == {SDIST, f"{SDIST}.sigstore.json"}


def test_a_requirement_that_is_missing_is_named(project: Project) -> None:
    project.configure('requires = ["setuptools>=77", "hatch-sign', 'requires = ["hatch-sign')
    project.configure('"setuptools.build_meta"', '"flit_core.buildapi"')
    for value in ("0", "1"):
        done = project.python(*BUILD, HATCH_SIGN_BUILD=value)
        assert done.code == 1
        found = "the build backend flit_core.buildapi of [tool.hatch-sign.build] is not installed"
        assert f'{found}; add "flit_core" to requires in [build-system]' in done.output
    assert project.built() == set()


def test_settings_of_the_front_end_reach_the_other_backend(project: Project) -> None:
    done = project.python(*BUILD, "--wheel", "-C--build-option=--build-number=7")
    assert done.code == 0, done.output
    assert project.built() == {"numerus-1.0.0-7-py3-none-any.whl", "numerus-1.0.0-7-py3-none-any.whl.sigstore.json"}


@pytest.fixture(scope="session")
def with_setuptools(isolated: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an environment in which ``setup.py`` runs, as it did before there were build environments."""
    folder = tmp_path_factory.mktemp("legacy")
    venv.create(folder, with_pip=False)
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    environ = {"PATH": str(folder), **isolated}
    done = Project(folder, environ).run(
        sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "setuptools", "hatch-sign"
    )
    assert done.code == 0, done.output
    return python


@pytest.fixture
def legacy(project: Project) -> Project:
    """Make a project that is built by ``setup.py``, without a variable that asks for signatures."""
    del project.environ["HATCH_SIGN_BUILD"]
    (project.root / "setup.py").write_text("from setuptools import setup\n\nsetup()\n")
    shutil.rmtree(project.root / "dist", ignore_errors=True)
    return project


def test_the_command_of_setuptools_signs_what_was_built_before_it(legacy: Project, with_setuptools: Path) -> None:
    done = legacy.run(with_setuptools, "setup.py", "--quiet", "sdist", "bdist_wheel", "sign")
    assert done.code == 0, done.output
    assert legacy.built() == SIGNED
    assert legacy.sign("verify", "dist").code == 0
    tamper(legacy.dist / SDIST)
    assert legacy.sign("verify", "dist").code == 1


def test_the_command_of_setuptools_withdraws_what_it_cannot_sign(legacy: Project, with_setuptools: Path) -> None:
    done = legacy.run(with_setuptools, "setup.py", "--quiet", "bdist_wheel", "sign", HATCH_SIGN_PIN="wrong")
    assert done.code == 3
    assert legacy.built() == set()
    assert (legacy.quarantine / WHEEL).is_file()


def test_the_command_of_setuptools_wants_something_to_sign(legacy: Project, with_setuptools: Path) -> None:
    done = legacy.run(with_setuptools, "setup.py", "--quiet", "sign")
    assert done.code == 2
    assert done.lines("hatch-sign: error: nothing was built by this run") != []


def test_the_command_of_setuptools_loads_nothing_that_signs_to_be_listed(legacy: Project, with_setuptools: Path) -> None:
    listed = legacy.run(with_setuptools, "setup.py", "--help-commands")
    assert "sign what was built, with the key in [tool.hatch-sign]" in listed.output
    code = "import sys, hatch_sign.setuptools_command; print(*sys.modules)"
    loaded = set(legacy.run(with_setuptools, "-c", code).output.split())
    assert "setuptools" in loaded
    assert not loaded & {"cryptography", "pluggy", "hatch_sign.registry", "hatch_sign.signing"}
