"""The script that git runs before a push."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from hatch_sign.cli.commands import build_parser
from hatch_sign.cli.console import Console
from hatch_sign.cli.environment import Environment
from hatch_sign.cli.release import run as run_release
from tests.build_services import machine

from .gate import git

if TYPE_CHECKING:
    from pathlib import Path

    from ..cli_project import Project


@pytest.fixture
def hooked(release: Project, tmp_path: Path) -> Project:
    """Return the project with the hook installed as it says, a remote that has all of it but the tag, and hatch-sign."""
    remote = tmp_path / "remote.git"
    git(release, "init", "--quiet", "--bare", str(remote))
    git(release, "remote", "add", "origin", str(remote))
    git(release, "push", "--quiet", "origin", "main")
    hook = release.folder / ".git" / "hooks" / "pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(release.succeed("release", "hook").out)
    hook.chmod(0o755)
    program = release.folder / "home" / "bin" / "hatch-sign"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m hatch_sign "$@"\n')
    program.chmod(0o755)
    return release


def push(project: Project, *references: str, path: str = "", to: str = "origin") -> subprocess.CompletedProcess[str]:
    return run(project, "git", "push", to, *references, path=path)


def run(project: Project, *command: str, path: str = "", told: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program in the project's folder, with hatch-sign on the path."""
    return subprocess.run(
        command,
        cwd=project.folder,
        env={
            **project.environ,
            **machine(),
            "PATH": path or f"{project.folder / 'home' / 'bin'}{os.pathsep}{machine()['PATH']}",
            "GIT_CONFIG_NOSYSTEM": "1",
        },
        capture_output=True,
        text=True,
        check=False,
        input=told,
    )


def test_the_hook_lets_a_good_release_leave_and_stops_a_bad_one(hooked: Project) -> None:
    (hooked.dist / "demo-1.0-py3-none-any.whl.sigstore.json").rename(hooked.folder / "home" / "kept")
    stopped = push(hooked, "v1.0")
    assert stopped.returncode != 0
    assert "sigstore is unsigned" in stopped.stderr
    assert git(hooked, "ls-remote", "--tags", "origin") == ""
    (hooked.folder / "home" / "kept").rename(hooked.dist / "demo-1.0-py3-none-any.whl.sigstore.json")
    done = push(hooked, "v1.0")
    assert done.returncode == 0, done.stderr
    assert "refs/tags/v1.0" in git(hooked, "ls-remote", "--tags", "origin")


def test_the_hook_stops_another_commit_under_the_name_of_the_tag(hooked: Project) -> None:
    other = git(hooked, "commit-tree", "-m", "other", "HEAD^{tree}")
    stopped = push(hooked, f"{other}:refs/tags/v1.0")
    assert stopped.returncode != 0
    assert "v1.0 is not the commit that is checked out" in stopped.stderr
    git(hooked, "tag", "--force", "--annotate", "--message=released", "v1.0")
    assert push(hooked, "v1.0").returncode == 0


def test_the_hook_has_no_say_in_what_is_no_release(hooked: Project) -> None:
    shutil.rmtree(hooked.dist)
    git(hooked, "tag", "docs")
    git(hooked, "branch", "v9")
    assert push(hooked, "docs", "v9").returncode == 0
    assert push(hooked, "v1.0").returncode != 0
    assert push(hooked, "--no-verify", "v1.0").returncode == 0
    assert push(hooked, "--delete", "v1.0").returncode == 0


def test_the_hook_stops_where_there_is_no_hatch_sign(hooked: Project) -> None:
    (hooked.folder / "home" / "bin" / "hatch-sign").unlink()
    folder = hooked.folder / "home" / "bin"
    for program in ("git", "sh"):
        (folder / program).symlink_to(str(shutil.which(program)))
    stopped = push(hooked, "v1.0", path=str(folder))
    assert stopped.returncode != 0
    assert "hatch-sign is not on the path" in stopped.stderr


def test_the_hook_explains_why_it_is_there_and_keeps_its_arguments_apart(release: Project) -> None:
    with (release.folder / "hatch-sign.toml").open("a") as configuration:
        configuration.write('[release]\ntag = "app-{version}!"\n')
    script = release.succeed("release", "hook", "my dist; id", "--config", "hatch-sign.toml").out
    assert "runs no pre-push hook of pre-commit" in script
    assert "--config hatch-sign.toml 'my dist; id' --tag" in script
    assert "refs/tags/app-[0-9]*'!')" in script
    subprocess.run(["sh", "-n"], input=script, text=True, check=True)


# --- every shell, every way to push ----------------------------------------------------------------------------------

SHELLS = [
    command
    for command in (["sh"], ["dash"], ["bash"], ["bash", "--posix"], ["busybox", "sh"], ["ksh"], ["zsh", "--emulate", "sh"])
    if shutil.which(command[0])
]
"""Those that are on this machine; the first is everywhere."""
NOTHING = "0" * 40


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_each_shell_reads_what_git_tells(shell: list[str], hooked: Project) -> None:
    commit, later = git(hooked, "rev-parse", "HEAD"), git(hooked, "commit-tree", "-m", "later", "HEAD^{tree}")
    hook = [*shell, str(hooked.folder / ".git" / "hooks" / "pre-push"), "origin", "a remote with blanks"]
    good, other = f"refs/tags/v1.0 {commit} refs/tags/v1.0 {NOTHING}", f"refs/tags/v1.0 {later} refs/tags/v1.0 {commit}"
    idle = [
        f"refs/heads/main {commit} refs/heads/main {NOTHING}",
        f"(delete) {NOTHING} refs/tags/v0.9 {commit}",
        f"(delete) {'0' * 64} refs/tags/v0.8 {'1' * 64}",
        f"refs/tags/docs {commit} refs/tags/docs {NOTHING}",
    ]
    for lines, code in (([], 0), (idle, 0), ([*idle, good], 0), ([other, good], 1)):
        done = run(hooked, *hook, told="".join(f"{line}\n" for line in lines))
        assert done.returncode == code, (lines, done.stdout + done.stderr)
        assert ("may be released" in done.stderr) == (good in lines)
        assert done.stdout == ""
    (hooked.dist / "demo-1.0.tar.gz").unlink()
    done = run(hooked, *hook, told=f"{good}\n")
    assert done.returncode == 1
    assert "expected one sdist" in done.stderr


def test_of_several_tags_in_a_push_each_is_checked(hooked: Project) -> None:
    git(hooked, "tag", "v1.1")
    stopped = push(hooked, "main", "v1.0", "v1.1")
    assert stopped.returncode != 0
    assert "may be released" in stopped.stderr
    assert "expected tag v1.0 or 1.0" in stopped.stderr
    assert git(hooked, "ls-remote", "--tags", "origin") == ""


def test_a_tag_that_is_moved_is_checked_where_it_is_moved_to(hooked: Project) -> None:
    assert push(hooked, "v1.0").returncode == 0
    git(hooked, "commit", "--quiet", "--allow-empty", "--message=later")
    git(hooked, "tag", "--force", "v1.0")
    (hooked.folder / "new.py").write_text("")
    stopped = push(hooked, "--force", "v1.0")
    assert stopped.returncode != 0
    assert "changed or not tracked: new.py" in stopped.stderr
    (hooked.folder / "new.py").unlink()
    assert push(hooked, "--force", "v1.0").returncode == 0


def test_it_runs_from_another_worktree_and_from_a_folder_that_is_configured(hooked: Project, tmp_path: Path) -> None:
    hooks = tmp_path / "my hooks"
    git(hooked, "config", "core.hooksPath", str(hooks))
    hooks.mkdir()
    installed = run(hooked, "sh", "-c", 'hatch-sign release hook > "$(git rev-parse --git-path hooks)/pre-push"')
    assert installed.returncode == 0, installed.stderr
    (hooks / "pre-push").chmod(0o755)
    git(hooked, "worktree", "add", "--quiet", str(tmp_path / "other tree"), "v1.0")
    other = type(hooked)(tmp_path / "other tree", hooked.environ)
    path = f"{hooked.folder / 'home' / 'bin'}{os.pathsep}{machine()['PATH']}"
    stopped = push(other, "v1.0", path=path)
    assert stopped.returncode != 0
    assert "dist is no folder" in stopped.stderr
    shutil.copytree(hooked.dist, other.dist)
    assert push(other, "v1.0", path=path, to=str(tmp_path / "remote.git")).returncode == 0


def test_a_project_below_the_top_of_its_checkout_is_checked_there(hooked: Project) -> None:
    below = type(hooked)(hooked.folder / "the app's", hooked.environ)
    below.folder.mkdir()
    for name in ("hatch-sign.toml", "release.pub", "dist"):
        (hooked.folder / name).rename(below.folder / name)
    git(hooked, "add", "--all")
    git(hooked, "commit", "--quiet", "--message=below")
    git(hooked, "tag", "--force", "v1.0")
    script = below.succeed("release", "hook", "dist").out
    assert """(cd './the app'"'"'s' && hatch-sign release check dist --tag""" in script
    (hooked.folder / ".git" / "hooks" / "pre-push").write_text(script)
    (below.dist / "demo-1.0.tar.gz").rename(hooked.folder / "home" / "kept")
    stopped = push(hooked, "v1.0")
    assert stopped.returncode != 0
    assert "expected one sdist" in stopped.stderr
    (hooked.folder / "home" / "kept").rename(below.dist / "demo-1.0.tar.gz")
    done = push(hooked, "v1.0")
    assert done.returncode == 0, done.stderr


def test_a_folder_of_any_name_is_one_argument(hooked: Project) -> None:
    name = """my "dist"; id > 'x' $HOME `id`"""
    hooked.dist.rename(hooked.folder / "home" / name)
    hook = hooked.folder / ".git" / "hooks" / "pre-push"
    hook.write_text(hooked.succeed("release", "hook", f"home/{name}").out)
    done = push(hooked, "v1.0")
    assert done.returncode == 0, done.stderr
    assert not (hooked.folder / "x").exists()


def test_no_line_of_the_script_ends_as_on_windows(release: Project) -> None:
    written = io.BytesIO()
    console = Console(io.TextIOWrapper(written, encoding="utf-8", newline="\r\n"), io.StringIO())
    arguments = build_parser(["release"]).parse_args(["release", "hook"])
    environment = Environment(console=console, environ=release.environ, directory=release.folder)
    assert run_release(arguments, environment) == 0
    console.flush()
    assert written.getvalue().startswith(b"#!/bin/sh\n")
    assert b"\r" not in written.getvalue()
