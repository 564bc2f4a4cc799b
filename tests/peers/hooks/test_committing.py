"""What is about to be committed is what is looked at, whichever way it got into the index."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.unit.pre_commit_hooks.planted import SECRET, all_planted

if TYPE_CHECKING:
    from .repository import Repository

KEY = all_planted()["pkcs8.pem"]
PIN = f"export HATCH_SIGN_PIN={SECRET}\n"


def refused(repository: Repository, *arguments: str) -> list[str]:
    """Commit what must be refused; return what was found, and hold it to its promise: no secret."""
    told = repository.refuse("commit", "--message=secret", *arguments)
    assert SECRET not in told
    return [line for line in told.splitlines() if "; take it out" in line]


def test_the_index_is_looked_at_whatever_lies_in_the_folder(installed: Repository) -> None:
    installed.write("a.sh", PIN)
    installed.do("add", "a.sh")
    installed.write("a.sh", "echo clean\n")
    assert [line.partition(": ")[0] for line in refused(installed)] == ["a.sh:1"]
    assert (installed.folder / "a.sh").read_text() == "echo clean\n"
    installed.do("add", "a.sh")
    installed.write("a.sh", PIN)
    installed.do("commit", "--message=clean")
    assert (installed.folder / "a.sh").read_text() == PIN


def test_an_amended_commit_is_looked_at(installed: Repository) -> None:
    installed.write("a.sh", "echo clean\n")
    installed.do("add", "a.sh")
    installed.do("commit", "--message=clean")
    installed.write("a.sh", PIN)
    installed.do("add", "a.sh")
    assert refused(installed, "--amend")[0].startswith("a.sh:1: pin: ")


@pytest.mark.parametrize("conflict", [False, True])
def test_a_merge_is_looked_at(conflict: bool, installed: Repository) -> None:  # noqa: FBT001 - a parameter
    installed.write("a.sh", "echo one\n")
    installed.do("add", "a.sh")
    installed.do("commit", "--message=one")
    installed.do("switch", "--quiet", "--create", "other")
    installed.write("a.sh", PIN)
    installed.do("commit", "--all", "--no-verify", "--message=secret")
    installed.do("switch", "--quiet", "main")
    installed.write("a.sh" if conflict else "b.sh", "echo two\n")
    installed.do("add", "--all")
    installed.do("commit", "--message=two")
    told = installed.refuse("merge", "--message=merge", "other")
    if conflict:
        installed.write("a.sh", PIN)
        installed.do("add", "a.sh")
        told = "\n".join(refused(installed))
    assert "a.sh:1: pin: a value for HATCH_SIGN_PIN" in told
    assert SECRET not in told


def test_a_rename_alone_is_looked_at(installed: Repository) -> None:
    installed.write("tests/key.pem", KEY)
    installed.do("add", "tests")
    installed.do("commit", "--no-verify", "--message=allowed")
    allowed = '[[allow]]\npath = "tests/*"\nkinds = ["private-key"]\nreason = "made for the tests"\n'
    installed.write(".hatch-sign-secrets.toml", allowed)
    installed.do("add", "--all")
    installed.do("commit", "--message=reason")
    installed.do("mv", "tests/key.pem", "key.pem")
    assert refused(installed)[0].startswith("key.pem:1: private-key: ")


def test_what_holds_nothing_of_its_own_is_passed_over(installed: Repository) -> None:
    outside = installed.write("home/outside.pem", KEY)
    installed.write("gone.pem", KEY)
    installed.do("add", "gone.pem")
    installed.do("commit", "--no-verify", "--message=was here")
    (installed.folder / "link.pem").symlink_to(outside)
    installed.do("rm", "--quiet", "gone.pem")
    installed.do("init", "--quiet", "--initial-branch=main", "module")
    installed.write("module/key.pem", KEY)
    installed.do("-C", "module", "add", ".")
    installed.do("-C", "module", "commit", "--quiet", "--no-verify", "--message=in another repository")
    os.mkfifo(installed.folder / "pipe")
    installed.do("-c", "advice.addEmbeddedRepo=false", "add", "--all")
    installed.do("commit", "--message=a link, a submodule, a pipe and a file that is gone")
    assert installed.do("ls-files", "module", "link.pem").split() == ["link.pem", "module"]


def test_all_files_are_looked_at_when_asked_for(installed: Repository) -> None:
    installed.write("deep/er/key.pem", KEY)
    installed.write("tools\\sign.cmd", f"signtool sign /f a.pfx /p {SECRET} x.exe\r\n")
    installed.do("add", "--all")
    installed.do("commit", "--no-verify", "--message=before the hooks")
    done = installed.pre_commit("run", "--all-files", "hatch-sign-secrets")
    assert done.returncode == 1
    assert "deep/er/key.pem:1: private-key: " in done.stdout
    assert "sign.cmd:1: password: a password on the command line of signtool" in done.stdout
    assert SECRET not in done.stdout


def test_a_branch_with_a_secret_is_not_pushed(installed: Repository) -> None:
    installed.write("a.sh", PIN)
    installed.do("add", "a.sh")
    installed.do("commit", "--no-verify", "--message=secret")
    assert "a.sh:1: pin: " in installed.refuse("push", "origin", "main")
    assert installed.do("ls-remote", "origin") == ""
