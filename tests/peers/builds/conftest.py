"""Sample projects ready to be built, and a store of all that building them installs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.conftest import isolated, wheelhouse
from tests.integration.projects import Project, clean_environment, unmeasured

from .samples import KEY, SAMPLES, commit

__all__ = ["isolated", "wheelhouse"]  # Fixtures of the integration tests, which are found by their names.


@pytest.fixture(scope="session")
def with_backends(wheelhouse: Path, isolated: dict[str, str]) -> dict[str, str]:
    """Add the backends, and what they need, to the store from which front ends install."""
    wanted = {name for sample in SAMPLES.values() for name in (*sample.requires, *sample.downloads)}
    pip = [sys.executable, "-m", "pip", "--quiet", "download", "--only-binary=:all:"]
    subprocess.run([*pip, "--dest", str(wheelhouse), *sorted(wanted)], env=clean_environment(wheelhouse), check=True)
    return isolated


@pytest.fixture(scope="session")
def token(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Make a token with a key, once; its folder is ``home``, its public key ``release.pub``."""
    root = tmp_path_factory.mktemp("token")
    made = Project(root, clean_environment(root / "home"))
    for command in (
        ("token", "init", "sample"),
        ("key", "generate", KEY),
        ("key", "export-public", KEY, "-o", "release.pub"),
    ):
        done = made.sign(*command)
        assert done.code == 0, done.output
    return made


@pytest.fixture
def make_sample(token: Project, with_backends: dict[str, str], tmp_path: Path) -> Callable[[str], Project]:
    """Make a sample project for a backend; builds of it are allowed, and sign."""

    def make(name: str) -> Project:
        root = tmp_path / "project"
        SAMPLES[name].write(root, (token.root / "release.pub").read_text(encoding="utf-8"))
        shutil.copytree(token.root / "home", tmp_path / "home")
        shutil.copy(token.root / "release.pub", root)
        environ = clean_environment(
            tmp_path / "home", HATCH_SIGN_BUILD="1", HATCH_SIGN_ALLOW_DIRECTORY=str(tmp_path), **with_backends
        )
        project = Project(root, unmeasured(environ))
        if SAMPLES[name].versioned:
            commit(project)
        return project

    return make
