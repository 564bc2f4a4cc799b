"""Tokens, example projects, and a local store of packages for front ends that build in environments of their own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .projects import Project, clean_environment, copy_example

CHECKOUT = Path(__file__).parents[2]
NEEDED = ("hatchling", "editables", "setuptools")
"""What the examples and their front ends install besides hatch-sign and its dependencies."""

TOKENS = {
    "pure_package": "slugline",
    "compiled_extension": "fletcher32",
    "application": "tally",
    "setuptools_package": "numerus",
}
"""The examples that are built here in many ways, and the token of each."""


@pytest.fixture(scope="session")
def wheelhouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the checkout as a wheel, with all that it needs, so that builds are the same for everybody and ask no index."""
    folder = tmp_path_factory.mktemp("wheelhouse")
    environ = clean_environment(folder)
    pip = [sys.executable, "-m", "pip", "--quiet"]
    wheel = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(CHECKOUT)]
    subprocess.run(wheel, env=environ, check=True)
    (built,) = folder.glob("hatch_sign-*.whl")
    subprocess.run(
        [*pip, "download", "--only-binary=:all:", "--dest", str(folder), str(built), *NEEDED], env=environ, check=True
    )
    return folder


@pytest.fixture(scope="session")
def isolated(wheelhouse: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return variables by which pip, uv and Hatch take packages from the store alone, and keep nothing of the user's."""
    folder = tmp_path_factory.mktemp("front-ends")
    (folder / "hatch.toml").touch()
    return {
        "PIP_FIND_LINKS": str(wheelhouse),
        "PIP_NO_INDEX": "1",
        "UV_FIND_LINKS": str(wheelhouse),
        "UV_NO_INDEX": "1",
        "UV_OFFLINE": "1",
        "UV_CACHE_DIR": str(folder / "uv"),
        "HATCH_DATA_DIR": str(folder / "hatch"),
        "HATCH_CACHE_DIR": str(folder / "hatch-cache"),
        "HATCH_CONFIG": str(folder / "hatch.toml"),
    }


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Project]:
    """Make each example with its token, key and public key, once, as its README says; to be copied, never built."""
    made: dict[str, Project] = {}

    def make(name: str) -> Project:
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            project = copy_example(name, folder / "project", clean_environment(folder / "home"))
            token = TOKENS[name]
            for command in (
                ("token", "init", token),
                ("key", "generate", f"emulated:{token}/release"),
                ("key", "export-public", f"emulated:{token}/release", "-o", "release.pub"),
            ):
                done = project.sign(*command)
                assert done.code == 0, done.output
            made[name] = project
        return made[name]

    return make


@pytest.fixture
def make_project(template: Callable[[str], Project], tmp_path: Path) -> Callable[..., Project]:
    """Make a copy of an example and of its token; builds of it are allowed, and the hook is on."""

    def make(name: str = "pure_package", **environ: str) -> Project:
        original = template(name)
        shutil.copytree(original.root, tmp_path / name)
        shutil.copytree(original.root.parent / "home", tmp_path / "home", dirs_exist_ok=True)
        enabled = {"HATCH_BUILD_HOOK_ENABLE_SIGN": "1", "HATCH_SIGN_ALLOW_DIRECTORY": str(tmp_path)}
        return Project(tmp_path / name, clean_environment(tmp_path / "home", **enabled) | environ)

    return make


@pytest.fixture
def project(make_project: Callable[..., Project]) -> Project:
    """Make the pure package, ready to be built."""
    return make_project()
