"""What each backend builds is signed by ours around it, as front ends that keep it call it, and is not as others do."""

from __future__ import annotations

import shutil
import sys
import venv
from typing import TYPE_CHECKING

import pytest

from tests.integration.projects import Project, tamper
from tests.peers import rigs
from tests.peers.built import require_accepted_until_changed

from .samples import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FRONT_ENDS = {"build": ("-m", "build", "--installer", "uv"), "uv": ("-m", "uv", "build")}
PIP = (sys.executable, "-m", "pip", "--verbose")


@pytest.fixture(params=SAMPLES)
def project(request: pytest.FixtureRequest, make_sample: Callable[[str], Project]) -> Project:
    if request.param == "maturin" and shutil.which("cargo") is None:
        rigs.skip_or_fail("cargo is not installed: https://rustup.rs")
    return make_sample(request.param)


@pytest.fixture(scope="session")
def interpreter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an environment to install into."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


@pytest.mark.parametrize("front_end", FRONT_ENDS)
def test_what_is_kept_is_signed(project: Project, front_end: str) -> None:
    done = project.python(*FRONT_ENDS[front_end])
    assert done.code == 0, done.output
    wheel, sdist = project.artifact().name, project.artifact(".tar.gz").name
    assert project.built() == {wheel, sdist, f"{wheel}.sigstore.json", f"{sdist}.sigstore.json"}
    verified = project.sign("verify", "dist")
    assert verified.code == 0, verified.output
    tamper(project.artifact())
    refused = project.sign("verify", "dist")
    assert refused.code == 1
    assert "hash-mismatch" in refused.output


def test_what_is_installed_is_not(project: Project, interpreter: Path) -> None:
    pip = (*PIP, "--python", interpreter, "install", "--no-deps", "--force-reinstall")
    uv = (sys.executable, "-m", "uv", "--verbose", "pip", "install", "--no-deps", "--reinstall", "--python", interpreter)
    for command, reason in (
        ((*pip, "."), "pip keeps what it builds only to install it"),
        ((*pip, "--editable", "."), "an editable build is no release"),
        ((*uv, "."), "it was built in the cache of uv"),
        ((*uv, "--editable", "."), "an editable build is no release"),
    ):
        done = project.run(*command)
        assert done.code == 0, done.output
        assert f"is not signed: {reason}" in done.output
        assert "sigstore is" not in done.output
    assert project.built() == set()


@pytest.mark.parametrize("project", ["setuptools"], indirect=True)
def test_others_accept_what_is_signed(project: Project) -> None:
    done = project.python(*FRONT_ENDS["uv"])
    assert done.code == 0, done.output
    require_accepted_until_changed(project)
