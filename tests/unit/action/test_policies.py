"""A policy of a protected branch is what that branch says, whatever is checked out."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from hatch_sign.values.errors import UsageError
from hatch_sign_action.policies import load_policy

POLICY = """\
key = "../../etc/passwd"
[verify]
require = ["sigstore"]
timestamp-roots = "/absolute.pem"
[[verify.trust]]
public-key = "keys/release.pub"
"""


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    subprocess.run(["git", *identity, *arguments], cwd=folder, env=environ, check=True, capture_output=True)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Return a checkout whose branch `main` has a policy that the files there no longer have."""
    folder = tmp_path / "workspace"
    (folder / "trust/keys").mkdir(parents=True)
    (folder / "trust/hatch-sign.toml").write_text(POLICY)
    (folder / "trust/keys/release.pub").write_text("the project's\n")
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=one")
    git(folder, "checkout", "--quiet", "-b", "proposal")
    (folder / "trust/hatch-sign.toml").write_text("a stranger's")
    (folder / "trust/keys/release.pub").write_text("a stranger's")
    git(folder, "commit", "--quiet", "--all", "--message=two")
    return folder


def load(policy: str, workspace: Path) -> Path:
    return load_policy(policy, folder=workspace.parent / "copy", workspace=workspace, environ=os.environ)


def test_the_branch_gives_the_policy_and_the_files_that_it_names(workspace: Path) -> None:
    path = load("main:trust/hatch-sign.toml", workspace)
    assert path.read_text() == POLICY
    copied = {
        each.relative_to(workspace.parent / "copy").as_posix()
        for each in (workspace.parent / "copy").rglob("*")
        if each.is_file()
    }
    assert copied == {"trust/hatch-sign.toml", "trust/keys/release.pub"}
    assert (path.parent / "keys/release.pub").read_text() == "the project's\n"


def test_a_file_that_looks_like_a_branch_is_not_taken_for_it(workspace: Path) -> None:
    (workspace / "main:trust").mkdir()
    (workspace / "main:trust/hatch-sign.toml").write_text("a stranger's")
    assert load("main:trust/hatch-sign.toml", workspace).read_text() == POLICY


def test_a_plain_path_is_taken_from_the_workspace(workspace: Path) -> None:
    assert load("trust/hatch-sign.toml", workspace) == workspace / "trust/hatch-sign.toml"


def test_a_table_of_pyproject_names_files_too(workspace: Path) -> None:
    git(workspace, "checkout", "--quiet", "main")
    (workspace / "pyproject.toml").write_text(
        '[tool.hatch-sign.verify]\ntrust = [{public-key = "trust/keys/release.pub"}]\n'
    )
    git(workspace, "add", "pyproject.toml")
    git(workspace, "commit", "--quiet", "--message=three")
    path = load("main:./pyproject.toml", workspace)
    assert (path.parent / "trust/keys/release.pub").read_text() == "the project's\n"


def test_a_tag_cannot_take_the_place_of_a_branch(workspace: Path) -> None:
    git(workspace, "update-ref", "refs/remotes/origin/main", "main")
    assert load("origin/main:trust/hatch-sign.toml", workspace).read_text() == POLICY
    git(workspace, "tag", "origin/main", "proposal")
    with pytest.raises(UsageError, match=r"ambiguous: git has refs/tags/origin/main, refs/remotes/origin/main"):
        load("origin/main:trust/hatch-sign.toml", workspace)
    assert load("refs/remotes/origin/main:trust/hatch-sign.toml", workspace).read_text() == POLICY


def test_a_commit_is_named_by_its_whole_id(workspace: Path) -> None:
    command = ["git", "rev-parse", "main"]
    commit = subprocess.run(command, cwd=workspace, check=True, capture_output=True, text=True).stdout.strip()
    git(workspace, "tag", commit, "proposal")
    git(workspace, "tag", commit[:10], "proposal")
    assert load(f"{commit}:trust/hatch-sign.toml", workspace).read_text() == POLICY
    with pytest.raises(UsageError, match="git does not know"):
        load(f"{commit[:9]}:trust/hatch-sign.toml", workspace)


def test_an_object_that_was_replaced_is_not_taken_for_it(workspace: Path) -> None:
    git(workspace, "replace", "main", "proposal")
    assert load("main:trust/hatch-sign.toml", workspace).read_text() == POLICY


@pytest.mark.parametrize("text", ["tool = 3", "[tool]\nhatch-sign = 3", f"a = {'1' * 5000}", "no TOML"])
def test_what_is_no_configuration_names_no_file(workspace: Path, text: str) -> None:
    (workspace / "odd.toml").write_text(text)
    git(workspace, "add", ".")
    git(workspace, "commit", "--quiet", "--message=odd")
    assert load("proposal:odd.toml", workspace).read_text() == text


@pytest.mark.parametrize(
    "reference", ["origin/none", "main~0", "HEAD@{1}", "--upload-pack=touch x", "main^{tree}", "$(id)", "main\x00"]
)
def test_an_unknown_reference_is_said_to_be(workspace: Path, reference: str) -> None:
    with pytest.raises(UsageError, match=r"git does not know .*fetch it in an earlier step"):
        load(f"{reference}:trust/hatch-sign.toml", workspace)


def test_a_policy_that_the_branch_lacks_is_said_to_be_missing(workspace: Path) -> None:
    (workspace / "mine.toml").write_text("a stranger's")
    with pytest.raises(UsageError, match=r"has no file mine\.toml"):
        load("main:mine.toml", workspace)


@pytest.mark.parametrize(
    "policy",
    ["main:", ":trust/hatch-sign.toml", "main:/etc/passwd", "main:../x", "main:trust/../../x", "main:a:b", "main:."],
)
def test_a_path_outside_the_repository_is_refused(workspace: Path, policy: str) -> None:
    with pytest.raises(UsageError, match="expected REF:PATH"):
        load(policy, workspace)


def test_without_git_or_a_repository_that_is_what_is_told(workspace: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="git cannot be asked for the policy"):
        load_policy("main:x.toml", folder=tmp_path / "copy", workspace=workspace, environ={"PATH": str(tmp_path)})
    (tmp_path / "no-checkout").mkdir()
    with pytest.raises(UsageError, match=r"git reads no repository in .*no-checkout; check it out in an earlier step"):
        load("main:x.toml", tmp_path / "no-checkout")
