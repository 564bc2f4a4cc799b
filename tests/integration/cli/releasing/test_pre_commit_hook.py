"""The hook of pre-commit, run as pre-commit runs it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from .gate import git

if TYPE_CHECKING:
    from ..cli_project import Project, Ran


def run_hook(project: Project, *arguments: str, **environ: str) -> Ran:
    return project.run(*arguments, program=("-I", "-m", "hatch_sign_pre_commit.check_release"), **environ)


def test_pre_commit_stops_a_tag_whose_release_is_not_there(release: Project) -> None:
    pushed = {"PRE_COMMIT_LOCAL_BRANCH": "refs/tags/v1.0", "PRE_COMMIT_REMOTE_BRANCH": "refs/tags/v1.0"}
    assert run_hook(release, **pushed).code == 0
    assert run_hook(release).code == 0
    (release.dist / "demo-1.0.tar.gz.sigstore.json").unlink()
    for environ in (pushed, {}, {**pushed, "PRE_COMMIT_LOCAL_BRANCH": "HEAD"}):
        stopped = run_hook(release, **environ)
        assert stopped.code == 1
        assert "sigstore is unsigned" in stopped.out


def test_pre_commit_stops_another_commit_under_the_name_of_the_tag(release: Project) -> None:
    other = git(release, "commit-tree", "-m", "other", "HEAD^{tree}")
    name = {"PRE_COMMIT_REMOTE_BRANCH": "refs/tags/v1.0"}
    stopped = run_hook(release, **name, PRE_COMMIT_LOCAL_BRANCH=other, PRE_COMMIT_TO_REF=other)
    assert stopped.code == 1
    assert "v1.0 is not the commit that is checked out" in stopped.err
    git(release, "tag", "--force", "--annotate", "--message=released", "v1.0")
    assert run_hook(release, **name, PRE_COMMIT_TO_REF=git(release, "rev-parse", "v1.0")).code == 0


@pytest.mark.parametrize("reference", ["refs/heads/main", "refs/tags/docs", "refs/tags/", "HEAD"])
def test_pre_commit_has_no_say_in_what_is_no_release(reference: str, release: Project) -> None:
    shutil.rmtree(release.dist)
    assert run_hook(release, PRE_COMMIT_LOCAL_BRANCH=reference, PRE_COMMIT_REMOTE_BRANCH=reference).output == ""
    assert run_hook(release, PRE_COMMIT_LOCAL_BRANCH="refs/tags/v1.0", PRE_COMMIT_REMOTE_BRANCH="refs/tags/v1.0").code == 2


def test_pre_commit_takes_the_arguments_of_the_command(release: Project) -> None:
    release.dist.rename(release.folder / "home" / "elsewhere")
    arguments = ("home/elsewhere", "--config", "hatch-sign.toml")
    assert run_hook(release, *arguments, PRE_COMMIT_LOCAL_BRANCH="refs/tags/v1.0").code == 0
    assert run_hook(release, *arguments, PRE_COMMIT_LOCAL_BRANCH="refs/tags/v1.1").code == 1
    (release.folder / "hatch-sign.toml").write_text("[release]\ntags = 3\n")
    assert run_hook(release, *arguments, PRE_COMMIT_LOCAL_BRANCH="refs/tags/v1.0").code == 2
