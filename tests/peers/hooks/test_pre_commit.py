"""pre-commit installs the hooks from a repository, runs them on commits and pushes, and hears of no tag pushed alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.cli.cli_project import PIN, Project, make_wheel

if TYPE_CHECKING:
    from .repository import Repository


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


def make_dirty(repository: Repository) -> None:
    repository.write("new.py", "")


def take_the_wheel_away(repository: Repository) -> None:
    for path in repository.project.dist.iterdir():
        path.unlink()
    repository.write("dist/notes.exe", "MZ")


def build_another_version(repository: Repository) -> None:
    for path in repository.project.dist.iterdir():
        path.unlink()
    make_wheel(repository.project, version="1.1")
    repository.project.succeed("sign", "dist")


def sign_with_a_stranger(repository: Repository) -> None:
    repository.project.succeed("key", "generate", "emulated:test/stranger", "--algorithm", "ecdsa-p256")
    repository.project.fail(1, "sign", "dist", "--key", "emulated:test/stranger", "--overwrite")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (make_dirty, "failure  tree  changed or not tracked: new.py"),
        (take_the_wheel_away, "failure  release  no wheel and no sdist"),
        (build_another_version, "failure  tag  v1.0  expected tag v1.1 or 1.1"),
        (sign_with_a_stranger, "sigstore is untrusted"),
    ],
)
def test_each_reason_to_stay_stops_a_real_push(
    spoil: Callable[[Repository], None], told: str, installed: Repository
) -> None:
    spoil(installed)
    assert told in installed.refuse("push", "origin", "v1.0")
    assert installed.do("ls-remote", "--tags", "origin") == ""


def test_a_tag_of_a_good_release_is_pushed(installed: Repository) -> None:
    installed.do("push", "origin", "v1.0")
    assert "refs/tags/v1.0" in installed.do("ls-remote", "--tags", "origin")
