"""Where it comes from: the tag, the commit, and a tree in which nothing is but what is committed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.build_services import make_checkout

from .gate import check, git, only_failure, told

if TYPE_CHECKING:
    from pathlib import Path

    from ..cli_project import Project


@pytest.mark.parametrize(
    "tag", ["v1.1", "1.0.0", "vv1.0", "V1.0", "version-1.0", "v1.0 ", "refs/tags/v1.0^{tree}", "--version", ""]
)
def test_a_tag_that_is_not_the_versions_stops_it(tag: str, release: Project) -> None:
    assert {subject for subject, _ in told(check(release, f"--tag={tag}"))} == {"tag", "commit"}


def test_a_tag_is_written_as_it_is_configured(release: Project) -> None:
    with (release.folder / "hatch-sign.toml").open("a") as configuration:
        configuration.write('[release]\ntag = "release/{version}+linux"\n')
    git(release, "commit", "--quiet", "--all", "--message=tag")
    git(release, "tag", "release/1.0+linux")
    assert check(release)["tag"] == "release/1.0+linux"
    assert check(release)["passed"]
    git(release, "tag", "v1.0", "--force")
    assert only_failure(check(release, "--tag", "v1.0"), "tag") == "v1.0"


def test_without_a_tag_it_stays(release: Project) -> None:
    git(release, "tag", "--delete", "v1.0")
    assert {subject for subject, _ in told(check(release))} == {"tag", "commit"}
    assert only_failure(check(release, "--tag", "v1.0"), "commit") == "no tag v1.0"


def test_a_tag_at_another_commit_stops_it(release: Project) -> None:
    git(release, "commit", "--quiet", "--allow-empty", "--message=later")
    assert "v1.0 is at" in only_failure(check(release, "--tag", "v1.0"), "commit")
    git(release, "tag", "--force", "--annotate", "--message=released", "v1.0")
    assert check(release, "--tag", "v1.0")["passed"]


@pytest.mark.parametrize(("name", "text"), [("release.pub", "changed"), ("new.py", ""), ("a\nb\x1b[2J.py", "")])
def test_a_tree_that_is_not_clean_stops_it(name: str, text: str, release: Project) -> None:
    shutil.copy(release.folder / "release.pub", release.folder / "home" / "release.pub")
    path = release.folder / name
    path.write_text((release.folder / "release.pub").read_text() + "\n" if text else "")
    assert name in only_failure(check(release), "tree")
    ran = release.run("release", "check")
    assert "\x1b" not in ran.output
    assert len(ran.out.splitlines()) == 11


def test_what_is_in_the_folder_makes_no_tree_unclean(release: Project) -> None:
    (release.folder / ".gitignore").write_text("home/\n.hatch-sign/\n")
    git(release, "commit", "--quiet", "--all", "--message=dist is not ignored")
    git(release, "tag", "--force", "v1.0")
    assert check(release)["passed"]


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_a_file_that_git_is_not_to_look_at_stops_it(flag: str, release: Project) -> None:
    git(release, "update-index", flag, "release.pub")
    assert "release.pub" in only_failure(check(release), "tree")


def add_submodule(project: Project, other: Path) -> None:
    other.mkdir()
    make_checkout(other)
    git(project, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "vendored")


def test_a_change_inside_a_submodule_stops_it(release: Project, tmp_path: Path) -> None:
    add_submodule(release, tmp_path / "other")
    git(release, "commit", "--quiet", "--all", "--message=vendored")
    git(release, "tag", "--force", "v1.0")
    assert check(release)["passed"]
    (release.folder / "vendored" / "new.py").write_text("")
    assert only_failure(check(release), "tree") == "changed or not tracked: vendored/new.py"


def test_settings_of_a_submodule_run_nothing(release: Project, tmp_path: Path) -> None:
    add_submodule(release, tmp_path / "other")
    trap = release.folder / "home" / "trap"
    trap.write_text(f'#!/bin/sh\ntouch "{release.folder}/home/sprung"\n')
    trap.chmod(0o755)
    git(release, "-C", "vendored", "config", "core.fsmonitor", str(trap))
    check(release)
    assert not (release.folder / "home" / "sprung").exists()
    git(release, "-C", "vendored", "status")  # the trap is one
    assert (release.folder / "home" / "sprung").exists()


def test_tags_are_found_however_git_lists_them(release: Project) -> None:
    git(release, "tag", "other")
    git(release, "config", "column.ui", "always")
    assert check(release)["tag"] == "v1.0"


def test_a_clean_tree_elsewhere_is_not_this_one(release: Project) -> None:
    shutil.copytree(release.folder, release.folder / "home" / "clean", ignore=shutil.ignore_patterns("home"))
    (release.folder / "release.pub").write_text((release.folder / "release.pub").read_text() + "\n")
    git(release, "config", "core.worktree", str(release.folder / "home" / "clean"))
    assert {subject for subject, _ in told(check(release, "--tag", "v1.0"))} == {"commit", "tree"}


def test_outside_of_a_checkout_it_stays(release: Project) -> None:
    shutil.rmtree(release.folder / ".git")
    assert {subject for subject, _ in told(check(release, "--tag", "v1.0"))} == {"commit", "tree"}


def test_settings_of_the_checkout_run_nothing(release: Project) -> None:
    trap = release.folder / "home" / "trap"
    trap.write_text(f'#!/bin/sh\ntouch "{release.folder}/home/sprung"\n')
    trap.chmod(0o755)
    attributes = release.folder / ".git" / "info" / "attributes"
    attributes.write_text("* filter=trap\n")
    with (release.folder / ".git" / "config").open("a") as config:
        config.write(f'[core]\n\tfsmonitor = "{trap}"\n[filter "trap"]\n\tclean = "{trap}"\n\trequired = true\n')
    ignored = release.folder / ".gitignore"
    ignored.write_text(ignored.read_text().replace("sign", "sing"))  # as long as before: git has to read it
    only_failure(check(release), "tree")
    assert not (release.folder / "home" / "sprung").exists()
    git(release, "status")  # the trap is one
    assert (release.folder / "home" / "sprung").exists()


def commit(project: Project, *arguments: str) -> None:
    """Commit all that is tracked or not ignored, and move the tag there."""
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--allow-empty", "--message=next", *arguments)
    git(project, "tag", "--force", "v1.0")


def hide_by_info_exclude(project: Project, pattern: str) -> None:
    exclude = project.folder / ".git" / "info" / "exclude"
    exclude.parent.mkdir(exist_ok=True)
    exclude.write_text(f"{pattern}\n")


def hide_by_setting(project: Project, pattern: str) -> None:
    (project.folder / "home" / "excludes").write_text(f"{pattern}\n")
    git(project, "config", "core.excludesFile", str(project.folder / "home" / "excludes"))


def hide_by_own_settings(project: Project, pattern: str) -> None:
    """As the settings of a user whose home that folder is."""
    home = project.folder / "home"
    (home / "excludes").write_text(f"{pattern}\n")
    (home / ".gitconfig").write_text(f'[core]\n\texcludesFile = "{home / "excludes"}"\n')


@pytest.mark.parametrize("hide", [hide_by_info_exclude, hide_by_setting, hide_by_own_settings])
def test_a_file_that_only_this_machine_hides_stops_it(hide: Callable[[Project, str], None], release: Project) -> None:
    release = replace(release, environ={**release.environ, "HOME": str(release.folder / "home")})
    hide(release, "/secret.env")
    (release.folder / "secret.env").write_text("")
    document = check(release)
    assert only_failure(document, "tree") == (
        "not tracked, and hidden by .git/info/exclude or the user's own excludes file: secret.env"
    )
    assert "name it in .gitignore" in next(each["remedy"] for each in document["checks"] if each["subject"] == "tree")
    with (release.folder / ".gitignore").open("a") as ignored:
        ignored.write("secret.env\n")
    commit(release)
    assert check(release)["passed"]


def test_what_a_gitignore_of_a_folder_hides_is_no_change(release: Project) -> None:
    cache = release.folder / "cache"
    cache.mkdir()
    (cache / "kept").write_text("")
    assert only_failure(check(release), "tree") == "changed or not tracked: cache/kept"
    (cache / ".gitignore").write_text("*\n")
    assert check(release)["passed"]


@pytest.mark.parametrize("bare", [False, True])
def test_a_repository_inside_stops_it(bare: bool, release: Project) -> None:  # noqa: FBT001 - a parameter
    nested = release.folder / "nested"
    if bare:
        git(release, "init", "--quiet", "--bare", "nested")
    else:
        nested.mkdir()
        (nested / "inner.py").write_text("")
        make_checkout(nested)
    found = [text for subject, text in told(check(release)) if subject == "tree"]
    assert all(text.startswith("changed or not tracked: nested/") for text in found)
    assert found
    (release.folder / ".gitignore").write_text((release.folder / ".gitignore").read_text() + "nested/\n")
    commit(release)
    assert check(release)["passed"]


def test_a_name_of_two_lines_is_told_in_one(release: Project) -> None:
    hide_by_info_exclude(release, "*.env")
    (release.folder / "a\n?? b.env").write_text("")
    assert only_failure(check(release), "tree").endswith(": a\n?? b.env")
    assert len(release.run("release", "check").out.splitlines()) == 11


def test_a_deleted_file_that_git_is_to_take_for_unchanged_stops_it(release: Project) -> None:
    (release.folder / "notes").write_text("")
    commit(release)
    git(release, "update-index", "--assume-unchanged", "notes")
    (release.folder / "notes").unlink()
    assert only_failure(check(release), "tree") == "git is not to look at notes"
    git(release, "update-index", "--no-assume-unchanged", "notes")
    assert only_failure(check(release), "tree") == "changed or not tracked: notes"


def test_what_a_sparse_checkout_leaves_out_is_warned_of(release: Project) -> None:
    for name in ("kept", "left"):
        (release.folder / name).mkdir()
        (release.folder / name / "file").write_text("")
    commit(release)
    git(release, "sparse-checkout", "set", "kept")
    document = check(release)
    assert document["passed"]
    assert told(document, "warning") == [("tree", "left out of the checkout, so that no build here has it: left/file")]
    (release.folder / "left").mkdir()
    (release.folder / "left" / "file").write_text("another")
    assert only_failure(check(release), "tree") in {"git is not to look at left/file", "changed or not tracked: left/file"}


def test_a_submodule_that_was_left_out_is_warned_of(release: Project, tmp_path: Path) -> None:
    add_submodule(release, tmp_path / "other")
    commit(release)
    git(release, "submodule", "--quiet", "deinit", "--force", "vendored")
    document = check(release)
    assert document["passed"]
    assert told(document, "warning") == [("tree", "left out of the checkout, so that no build here has it: vendored")]
    (release.folder / "vendored" / "packed.py").write_text("")
    assert only_failure(check(release), "tree") == "changed or not tracked: vendored/"


def test_a_submodule_whose_settings_name_another_tree_stops_it(release: Project, tmp_path: Path) -> None:
    add_submodule(release, tmp_path / "other")
    commit(release)
    shutil.copytree(release.folder / "vendored", release.folder / "home" / "clean")
    git(release, "-C", "vendored", "config", "core.worktree", str(release.folder / "home" / "clean"))
    (release.folder / "vendored" / "new.py").write_text("")
    assert only_failure(check(release), "tree") == "git does not say what changed"


def test_line_ends_that_git_itself_changed_are_no_change(release: Project) -> None:
    notes = release.folder / "notes.txt"
    notes.write_bytes(b"one\ntwo\n")
    commit(release)
    git(release, "config", "core.autocrlf", "true")
    notes.unlink()
    git(release, "checkout", "--", "notes.txt")
    assert notes.read_bytes() == b"one\r\ntwo\r\n"
    assert check(release)["passed"]
    notes.write_bytes(b"one\r\nbut\r\n")
    assert only_failure(check(release), "tree") == "changed or not tracked: notes.txt"
    notes.write_bytes(b"one\r\ntwo\r\n")
    git(release, "config", "core.autocrlf", "false")
    assert only_failure(check(release), "tree") == "changed or not tracked: notes.txt"


@pytest.mark.parametrize("annotated", [(), ("--annotate", "--message=released")])
def test_a_shallow_clone_at_a_tag_may_release(annotated: tuple[str, ...], release: Project, tmp_path: Path) -> None:
    commit(release)
    git(release, "tag", "--force", *annotated, "v1.0")
    clone = type(release)(tmp_path / "clone", release.environ)
    source = release.folder.as_uri()
    git(release, "clone", "--quiet", "--depth=1", "--branch=v1.0", source, str(clone.folder))
    shutil.copytree(release.dist, clone.dist)
    assert git(clone, "rev-parse", "--is-shallow-repository") == "true"
    assert git(clone, "branch", "--show-current") == ""
    document = check(clone)
    assert document["passed"], document["checks"]
    assert document["tag"] == "v1.0"
    git(clone, "tag", "--delete", "v1.0")
    assert only_failure(check(clone, "--tag", "v1.0"), "commit") == "no tag v1.0"


def test_another_worktree_of_the_repository_may_release(release: Project, tmp_path: Path) -> None:
    other = type(release)(tmp_path / "other tree", release.environ)
    git(release, "worktree", "add", "--quiet", str(other.folder), "v1.0")
    shutil.copytree(release.dist, other.dist)
    assert check(other)["passed"]
    (other.folder / "new.py").write_text("")
    assert only_failure(check(other), "tree") == "changed or not tracked: new.py"
    assert check(release)["passed"]


def test_an_unpacked_sdist_in_somebody_elses_checkout_stays(release: Project) -> None:
    unpacked = type(release)(release.folder / "home" / "demo-1.0", release.environ)
    shutil.copytree(release.folder, unpacked.folder, ignore=shutil.ignore_patterns("home", ".git"))
    assert {subject for subject, _ in told(check(unpacked, "--tag", "v1.0"))} == {"commit", "tree"}


def test_without_git_it_stays_and_says_so(release: Project) -> None:
    document = check(replace(release, environ={**release.environ, "PATH": ""}), "--tag", "v1.0")
    assert {subject for subject, _ in told(document)} == {"commit", "tree"}
    assert any("with git on the path" in each["remedy"] for each in document["checks"])
