"""A repository of the hooks, and a project that they are installed in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.cli.cli_project import make_project, make_wheel
from tests.peers.rigs import require_module

from .repository import PERSON, Repository

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = ("hatch_sign", "pre_commit_hooks", ".pre-commit-hooks.yaml", "pyproject.toml", "README.md", "LICENSE")
HOOKS = [f"--hook-type={name}" for name in ("pre-commit", "pre-merge-commit", "pre-push")]
CONFIGURATION = """\
repos:
  - repo: {hooks}
    rev: v0
    hooks:
      - id: hatch-sign-config
      - id: hatch-sign-secrets
      - id: hatch-sign-release
"""


@pytest.fixture(scope="package")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository of the hooks, with a tag, as users name one."""
    require_module("pre_commit")
    folder = tmp_path_factory.mktemp("hooks")
    for name in SHIPPED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder)
    for command in (("init", "--quiet"), ("add", "."), ("commit", "--quiet", "--message=hooks"), ("tag", "v0")):
        subprocess.run(["git", *PERSON, *command], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="package")
def finished(hooks: Path, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Return a project with a signed release, a remote, and the hooks of pre-commit; nobody may change it."""
    folder = tmp_path_factory.mktemp("project")
    project = make_project(folder)
    make_wheel(project)
    (folder / "hatch-sign.toml").write_text((folder / "hatch-sign.toml").read_text() + '[release]\nexpect = ["*.whl"]\n')
    project.succeed("sign", "dist")
    (folder / ".gitignore").write_text("home/\ndist/\nremote.git/\n")
    (folder / ".pre-commit-config.yaml").write_text(CONFIGURATION.format(hooks=hooks))
    environ = {
        **project.environ,
        "HOME": str(folder / "home"),
        "PRE_COMMIT_HOME": str(tmp_path_factory.mktemp("pre-commit")),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    repository = Repository(folder, environ)
    repository.do("init", "--quiet", "--initial-branch=main")
    repository.do("init", "--quiet", "--bare", "remote.git")
    repository.do("remote", "add", "origin", "remote.git")
    repository.do("add", ".")
    done = repository.pre_commit("install", *HOOKS)
    assert done.returncode == 0, done.stdout
    repository.do("commit", "--quiet", "--message=first")
    repository.do("tag", "v1.0")
    return repository


@pytest.fixture
def installed(finished: Repository, tmp_path: Path) -> Repository:
    """Return a copy of its own for each test; what pre-commit installed is shared."""
    return finished.copy(tmp_path / "project")
