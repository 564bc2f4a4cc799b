"""pre-commit installs the hooks from a repository, runs them on commits and pushes, and hears of no tag pushed alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.cli.cli_project import PIN, Project, make_project, make_wheel
from tests.peers.rigs import require_module

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = ("hatch_sign", "pre_commit_hooks", ".pre-commit-hooks.yaml", "pyproject.toml", "README.md", "LICENSE")
PERSON = ("-c", "user.name=Tester", "-c", "user.email=tester@example.invalid", "-c", "commit.gpgsign=false")
CONFIGURATION = """\
repos:
  - repo: {hooks}
    rev: v0
    hooks:
      - id: hatch-sign-config
      - id: hatch-sign-secrets
      - id: hatch-sign-release
"""


@dataclass(frozen=True)
class Repository:
    """A project under git whose commits and pushes run hooks."""

    folder: Path
    environ: Mapping[str, str]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.folder, env=dict(self.environ), capture_output=True, text=True, check=False, timeout=600
        )

    def git(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run("git", *PERSON, *arguments)

    def do(self, *arguments: str) -> str:
        done = self.git(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def refuse(self, *arguments: str) -> str:
        done = self.git(*arguments)
        assert done.returncode != 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def pre_commit(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run(sys.executable, "-m", "pre_commit", *arguments)


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def installed(hooks: Path, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Return a project with a signed release, a remote, and the hooks of pre-commit; tests leave it as they find it."""
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
        "PRE_COMMIT_HOME": str(folder / "home" / "pre-commit"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    repository = Repository(folder, environ)
    repository.do("init", "--quiet", "--initial-branch=main")
    repository.do("init", "--quiet", "--bare", "remote.git")
    repository.do("remote", "add", "origin", "remote.git")
    repository.do("add", ".")
    done = repository.pre_commit("install", "--hook-type", "pre-commit", "--hook-type", "pre-push")
    assert done.returncode == 0, done.stdout
    repository.do("commit", "--quiet", "--message=first")
    repository.do("tag", "v1.0")
    return repository


def test_the_manifest_is_valid(hooks: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-manifest", str(hooks / ".pre-commit-hooks.yaml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_a_pin_and_a_wrong_configuration_are_not_committed(installed: Repository) -> None:
    (installed.folder / "release.sh").write_text(f"export HATCH_SIGN_PIN={PIN.replace(' ', '-')}\n")
    installed.do("add", "release.sh")
    told = installed.refuse("commit", "--message=pin")
    assert "release.sh:1: pin: a value for HATCH_SIGN_PIN" in told
    assert PIN.replace(" ", "-") not in told
    installed.do("rm", "--quiet", "--force", "release.sh")
    configuration = installed.folder / "hatch-sign.toml"
    before = configuration.read_text()
    configuration.write_text(before.replace("release.pub", "missing.pub"))
    installed.do("add", "hatch-sign.toml")
    assert "missing.pub" in installed.refuse("commit", "--message=configuration")
    configuration.write_text(before)
    installed.do("reset", "--quiet", "--hard")


def test_the_release_is_checked_by_hand(installed: Repository) -> None:
    by_hand = ("run", "hatch-sign-release", "--hook-stage", "manual", "--verbose")
    done = installed.pre_commit(*by_hand)
    assert done.returncode == 0, done.stdout
    assert "demo 1.0 may be released" in done.stdout
    with unsigned(installed):
        done = installed.pre_commit(*by_hand)
        assert done.returncode != 0
        assert "sigstore is unsigned" in done.stdout


class unsigned:  # noqa: N801 - it is read as a word of the sentence
    """Take the signature of the release away for a while."""

    def __init__(self, repository: Repository) -> None:
        dist = repository.folder / "dist"
        (self._signature,) = dist.glob("*.sigstore.json")
        self._kept = repository.folder / "home" / "kept"

    def __enter__(self) -> None:
        self._signature.rename(self._kept)

    def __exit__(self, *_: object) -> None:
        self._kept.rename(self._signature)


def test_a_tag_with_its_commit_is_stopped_and_a_tag_alone_by_the_script_only(installed: Repository) -> None:
    with unsigned(installed):
        told = installed.refuse("push", "origin", "v1.0")
        assert "sigstore is unsigned" in told
        installed.do("push", "origin", "main")
        installed.do("push", "origin", "v1.0")  # the trap: its commit is there, so pre-commit runs nothing
        assert "v1.0" in installed.do("ls-remote", "--tags", "origin")
        installed.do("push", "--no-verify", "--delete", "origin", "v1.0")
        _install_script(installed)
        assert "sigstore is unsigned" in installed.refuse("push", "origin", "v1.0")
    installed.do("push", "origin", "v1.0")


def _install_script(repository: Repository) -> None:
    """Install as the script says, and pre-commit after it."""
    script = Project(repository.folder, repository.environ).succeed("release", "hook").out
    hook = repository.folder / ".git" / "hooks" / "pre-push"
    hook.write_text(script)
    hook.chmod(0o755)
    assert repository.pre_commit("install", "--hook-type", "pre-push").returncode == 0
    assert (repository.folder / ".git" / "hooks" / "pre-push.legacy").read_text() == script
