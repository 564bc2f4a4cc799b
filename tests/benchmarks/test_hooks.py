"""What the hooks for releases add to a push that releases nothing, and what the search for secrets takes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..peers import rigs
from .measuring import hatch_sign, measure, report

if TYPE_CHECKING:
    from .conftest import Bench

ROUNDS = 7
PERSON = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
CONFIGURATION = """\
repos:
  - repo: local
    hooks:
      - {{id: one, name: one, entry: '{python} -I {what}', language: system, always_run: true, pass_filenames: false}}
"""
RELEASE = CONFIGURATION.format(python=sys.executable, what="-m hatch_sign_pre_commit.check_release")
IDLE = CONFIGURATION.format(python=sys.executable, what="-c pass")
"""A hook that does nothing: what pre-commit takes by itself."""


def git(folder: Path, *arguments: str) -> str:
    command = ["git", *PERSON, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def make_repository(bench: Bench, name: str, configuration: str = "repos: []\n") -> Path:
    """Return a repository whose `main` was pushed, and is one commit further since."""
    folder = bench.folder / name
    git(bench.folder, "init", "--quiet", "--initial-branch=main", name)
    git(bench.folder, "init", "--quiet", "--bare", f"{name}.git")
    for file in ("hatch-sign.toml", "release.pub"):
        shutil.copy(bench.folder / file, folder)
    (folder / ".pre-commit-config.yaml").write_text(configuration)
    git(folder, "remote", "add", "origin", f"../{name}.git")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=one")
    git(folder, "push", "--quiet", "origin", "main")
    git(folder, "commit", "--quiet", "--allow-empty", "--message=two")
    return folder


def pushes(folder: Path) -> dict[str, list[str]]:
    """Return a push of what is there already, and one of a commit; dry, so that each round pushes it."""
    git_push = ["git", "-C", str(folder), "push", "--dry-run", "origin"]
    return {"nothing": [*git_push, "main~1:main"], "a branch": [*git_push, "main"]}


def test_what_the_release_hooks_add_to_a_push(bench: Bench) -> None:
    rigs.require_module("pre_commit")
    folders = {
        "no hook": make_repository(bench, "no-hook"),
        "the script of `release hook`": make_repository(bench, "script"),
        "pre-commit, an idle hook": make_repository(bench, "idle", IDLE),
        "pre-commit, hatch-sign-release": make_repository(bench, "pre-commit", RELEASE),
    }
    script = folders["the script of `release hook`"] / ".git/hooks/pre-push"
    shown = subprocess.run(
        hatch_sign("release", "hook"), cwd=bench.folder, env=dict(bench.environ), check=True, capture_output=True
    )
    script.write_bytes(shown.stdout)
    script.chmod(0o755)
    for name in ("pre-commit, an idle hook", "pre-commit, hatch-sign-release"):
        command = [sys.executable, "-m", "pre_commit", "install", "--hook-type", "pre-push"]
        subprocess.run(command, cwd=folders[name], check=True, capture_output=True)
    environ = {**bench.environ, "PRE_COMMIT_HOME": str(bench.folder / "pre-commit")}
    for what in ("nothing", "a branch"):
        commands = {name: pushes(folder)[what] for name, folder in folders.items()}
        best = measure(commands, rounds=ROUNDS, environ=environ, folder=bench.folder)
        base = best["no hook"].seconds
        report(
            f"a push of {what}: milliseconds, and as a ratio to `git push` without a hook",
            [f"{name:32} {taken.seconds * 1000:6.0f}  {taken.seconds / base:5.2f}" for name, taken in best.items()],
        )


def test_what_the_search_for_secrets_takes(bench: Bench) -> None:
    folder = bench.folder / "sources"
    folder.mkdir()
    text = Path(__file__).read_bytes()
    names = [f"{number}.py" for number in range(10_000)]
    for name in names:
        (folder / name).write_bytes(text)
    large = folder / "large.txt"
    large.write_bytes(text * ((64 << 20) // len(text)))
    with (folder / "sparse.bin").open("wb") as stream:
        stream.truncate(1 << 30)
    search = [sys.executable, "-I", "-m", "hatch_sign_pre_commit.check_secrets", "--"]
    commands = {
        "python that does nothing": [sys.executable, "-I", "-c", "pass"],
        "no file": search,
        "10,000 files of 5 KiB": [*search, *names],
        "one file of 64 MiB": [*search, large.name],
        "a hole of 1 GiB": [*search, "sparse.bin"],
    }
    best = measure(commands, rounds=3, environ=bench.environ, folder=folder)
    report(
        "the search for secrets: seconds, and MiB at most (what measures has as many)",
        [f"{name:26} {taken.seconds:6.2f}  {taken.mebibytes:6.0f}" for name, taken in best.items()],
    )
