"""The commit in a provenance is the checkout's, and what git cannot vouch for is left out."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hatch_sign.provenance import describe_build

from ...build_services import COMMIT, GITHUB, GITLAB, SECRET, SECRETS, machine, make_checkout
from ...slsa_rules import require_provenance

NOW = datetime(2026, 2, 3, tzinfo=UTC)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").write_text("[project]\n")
    return folder


def sources(environ: dict[str, str], folder: Path) -> list[dict[str, Any]]:
    predicate = describe_build({**machine(), **environ}, folder, NOW)
    require_provenance(predicate)
    found = predicate["buildDefinition"].get("resolvedDependencies", [])
    assert isinstance(found, list)
    return found


def checkout(commit: str, *, modified: bool) -> dict[str, Any]:
    return {"name": "checkout", "digest": {"gitCommit": commit}, "annotations": {"modified": modified}}


def test_a_plain_machine_names_the_commit_and_says_whether_files_differ(project: Path) -> None:
    commit = make_checkout(project)
    (project / "dist").mkdir()
    (project / "dist" / "demo-1.0.tar.gz").write_bytes(b"not tracked")
    assert sources({}, project) == [checkout(commit, modified=False)]
    (project / "pyproject.toml").write_text("[project]\nname = 'changed'\n")
    assert sources({}, project) == [checkout(commit, modified=True)]


def test_a_folder_of_the_checkout_is_of_its_commit(project: Path) -> None:
    (project / "package").mkdir()
    (project / "package" / "pyproject.toml").write_text("")
    commit = make_checkout(project)
    (project / "pyproject.toml").write_text("changed outside of the folder")
    assert sources({}, project / "package") == [checkout(commit, modified=True)]


def test_a_service_that_built_the_checkout_names_it_once(project: Path) -> None:
    commit = make_checkout(project)
    assert [found["digest"] for found in sources({**GITHUB, "GITHUB_SHA": commit}, project)] == [{"gitCommit": commit}]
    assert [found["digest"] for found in sources({**GITLAB, "CI_COMMIT_SHA": commit}, project)] == [{"gitCommit": commit}]


@pytest.mark.parametrize("service", [GITHUB, GITLAB], ids=["github", "gitlab"])
def test_a_service_that_built_another_commit_names_both(service: dict[str, str], project: Path) -> None:
    commit = make_checkout(project)
    triggered, built = sources(service, project)
    assert triggered["digest"] == {"gitCommit": COMMIT}
    assert built == checkout(commit, modified=False)


def test_a_changed_checkout_of_the_very_commit_is_told_of(project: Path) -> None:
    commit = make_checkout(project)
    (project / "pyproject.toml").write_text("changed")
    assert sources({**GITHUB, "GITHUB_SHA": commit}, project)[1:] == [checkout(commit, modified=True)]


def test_a_folder_that_lies_untracked_in_a_checkout_is_none(project: Path) -> None:
    make_checkout(project)
    untracked = project / "elsewhere"
    untracked.mkdir()
    (untracked / "pyproject.toml").write_text("")
    assert sources({}, untracked) == []


def test_a_repository_without_a_commit_is_none(project: Path) -> None:
    make_checkout(project)
    for path in (project / ".git" / "refs" / "heads").iterdir():
        path.unlink()
    assert sources({}, project) == []


@pytest.mark.parametrize("head", ["", "not a commit\n", "ref: refs/heads/../../../../etc/passwd\n", "\x00" * 50])
def test_a_damaged_repository_is_none(head: str, project: Path) -> None:
    make_checkout(project)
    (project / ".git" / "HEAD").write_text(head)
    assert sources({}, project) == []


def test_a_folder_that_is_not_there_is_none(project: Path) -> None:
    assert sources({}, project / "missing") == []


@pytest.mark.parametrize("path", ["", ".", "bin:.", "/nonexistent"])
def test_git_is_found_on_absolute_entries_of_path_only(path: str, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_checkout(project)
    for folder in (project, project / "bin"):
        folder.mkdir(exist_ok=True)
        _write_program(folder / "git", f"echo {COMMIT}\n")
    monkeypatch.chdir(project)
    assert sources({"PATH": path}, project) == []
    assert sources({"PATH": f"{path}:{project / 'bin'}"}, project) == [checkout(COMMIT, modified=True)]


@pytest.mark.parametrize(
    "program",
    [
        "exit 1\n",
        "echo 4f2b1c3d\n",
        f"echo {COMMIT}; exit 1\n",
        "head -c 200000 /dev/zero\n",
        f"printf '%s\\033[2J' {COMMIT}\n",
    ],
)
def test_what_git_answers_is_not_believed_blindly(program: str, project: Path) -> None:
    folder = project / "bin"
    folder.mkdir()
    _write_program(folder / "git", program)
    assert sources({"PATH": f"{folder}:{machine()['PATH']}"}, project) == []


def test_git_is_told_no_secret(project: Path) -> None:
    folder = project / "bin"
    folder.mkdir()
    _write_program(folder / "git", f'env > "{project}/told"; echo {COMMIT}\n')
    sources({**SECRETS, "GIT_DIR": "/elsewhere", "PATH": f"{folder}:{machine()['PATH']}"}, project)
    told = (project / "told").read_text()
    assert "LC_ALL=C" in told
    assert SECRET not in told
    assert "GIT_DIR" not in told


def test_a_program_that_the_checkout_names_is_not_run(project: Path) -> None:
    commit = make_checkout(project)
    trap = project / "trap"
    _write_program(trap, f'touch "{project}/sprung"\n')
    with (project / ".git" / "config").open("a") as config:
        config.write(f'[core]\n\tfsmonitor = "{trap}"\n\thooksPath = "{project}"\n')
    assert sources({}, project) == [checkout(commit, modified=False)]
    assert not (project / "sprung").exists()
    _run_git(project, "status")  # the trap is one
    assert (project / "sprung").exists()


def _write_program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}")
    path.chmod(0o755)


def _run_git(folder: Path, *arguments: str) -> None:
    """Run git as somebody would who does not know what the checkout names; it may fail where a trap is no filter."""
    subprocess.run(["git", *arguments], cwd=folder, env=machine(), check=False, capture_output=True)


@pytest.mark.parametrize("kind", ["clean", "process", "smudge"])
def test_a_filter_that_the_checkout_defines_is_not_run(kind: str, project: Path) -> None:
    (project / ".gitattributes").write_text("* filter=trap\n")
    commit = make_checkout(project)
    trap = project / "trap"
    _write_program(trap, f'touch "{project}/sprung"\ncat\n')
    with (project / ".git" / "config").open("a") as config:
        config.write(f'[filter "trap"]\n\t{kind} = "{trap}"\n\trequired = true\n')
    (project / "pyproject.toml").write_text("[PROJECT]\n")  # as long as before: git has to read it
    assert sources({}, project) == [checkout(commit, modified=True)]
    assert not (project / "sprung").exists()
    filtering = ("cat-file", "--filters", "HEAD:pyproject.toml") if kind == "smudge" else ("add", "pyproject.toml")
    _run_git(project, *filtering)  # the trap is one
    assert (project / "sprung").exists()


def test_nothing_is_run_that_a_filter_of_the_user_takes_from_the_checkout(project: Path, tmp_path: Path) -> None:
    """git-lfs runs the extensions that the settings name, those of the checkout too."""
    (project / ".gitattributes").write_text("* filter=lfs\n")
    make_checkout(project)
    trap, home = project / "trap", tmp_path / "home"
    _write_program(trap, f'touch "{project}/sprung"\n')
    home.mkdir()
    (home / ".gitconfig").write_text('[filter "lfs"]\n\tclean = "$(git config lfs.extension.trap.clean); cat"\n')
    with (project / ".git" / "config").open("a") as config:
        config.write(f'[lfs "extension.trap"]\n\tclean = "{trap}"\n')
    (project / "pyproject.toml").write_text("[PROJECT]\n")
    assert sources({"HOME": str(home)}, project) == []
    assert not (project / "sprung").exists()
    subprocess.run(["git", "status"], cwd=project, env={**machine(), "HOME": str(home)}, check=True, capture_output=True)
    assert (project / "sprung").exists(), "the trap is one"
