"""The gate before a release: what may leave does, and each reason to stay is told, with all the others."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from cryptography.x509 import load_pem_x509_certificate

from hatch_sign.cli.commands import build_parser
from hatch_sign.cli.console import Console
from hatch_sign.cli.environment import Environment
from hatch_sign.cli.release import run
from tests.build_services import machine, make_checkout

from .cli_project import make_wheel
from .test_corners import CERTIFIED, certify

if TYPE_CHECKING:
    from pathlib import Path

    from .cli_project import Project, Ran

SCHEMA = json.loads(resources.files("hatch_sign").joinpath("schemas/release-check.v1.json").read_text())


def make_sdist(project: Project, version: str = "1.0") -> Path:
    path = project.dist / f"demo-{version}.tar.gz"
    data = f"Metadata-Version: 2.3\nName: demo\nVersion: {version}\n".encode()
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo(f"demo-{version}/PKG-INFO")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return path


def git(project: Project, *arguments: str) -> str:
    person = ("-c", "user.name=Tester", "-c", "user.email=tester@example.invalid", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *person, *arguments],
        cwd=project.folder,
        env={**machine(), "GIT_CONFIG_NOSYSTEM": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def finished(prepared: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project whose release may leave; nobody may change it."""
    project = prepared.copy(tmp_path_factory.mktemp("finished") / "project")
    (project.folder / ".gitignore").write_text("home/\ndist/\n.hatch-sign/\n")
    make_wheel(project)
    make_sdist(project)
    project.succeed("sign", "dist")
    make_checkout(project.folder)
    git(project, "tag", "v1.0")
    return project


@pytest.fixture
def release(finished: Project, tmp_path: Path) -> Project:
    return finished.copy(tmp_path / "project")


def check(project: Project, *arguments: str, at: datetime | None = None) -> dict[str, Any]:
    """Run the gate in this process, hold its document against the schema, and return it."""
    clock = {} if at is None else {"clock": lambda: at}
    out, err = io.StringIO(), io.StringIO()
    parsed = build_parser(["release"]).parse_args(["release", "check", "--json", *arguments])
    environment = Environment(console=Console(out, err), environ=project.environ, directory=project.folder, **clock)
    code = run(parsed, environment)
    document: dict[str, Any] = json.loads(out.getvalue())
    jsonschema.validate(document, SCHEMA)
    assert code == (0 if document["passed"] else 1)
    return document


def told(document: dict[str, Any], status: str = "failure") -> list[tuple[str, str]]:
    return [(each["subject"], each["found"]) for each in document["checks"] if each["status"] == status]


def only_failure(document: dict[str, Any], subject: str) -> str:
    """Return what was found by the one check that failed; it says what was expected, and what to do."""
    (failed,) = [each for each in document["checks"] if each["status"] == "failure"]
    assert failed["subject"] == subject, failed
    assert failed["expected"]
    assert failed["remedy"]
    return str(failed["found"])


def test_a_release_that_is_all_that_it_should_be_may_leave(release: Project) -> None:
    document = check(release)
    assert document["passed"]
    assert [each["status"] for each in document["checks"]] == ["ok"] * 11
    assert (document["name"], document["version"], document["tag"]) == ("demo", "1.0", "v1.0")
    assert document["commit"] == git(release, "rev-parse", "HEAD")
    assert check(release, "dist", "--tag", "refs/tags/v1.0")["passed"]


def test_people_read_a_line_for_each_check(release: Project) -> None:
    ran = release.succeed("release", "check")
    lines = ran.out.splitlines()
    assert len(lines) == 11
    assert json.loads(release.succeed("release", "check", "--json").out) == check(release)
    assert all(line.startswith("ok  ") for line in lines)
    assert "demo 1.0 may be released" in ran.err
    (release.dist / "notes.txt").write_text("")
    ran = release.run("release", "check")
    assert ran.code == 1
    assert "failure  nothing else  notes.txt  expected artifacts of this release" in ran.out
    assert "1 of 11 checks failed" in ran.err


def test_an_unsigned_wheel_stops_it(release: Project) -> None:
    (release.dist / "demo-1.0-py3-none-any.whl.sigstore.json").unlink()
    assert "sigstore is unsigned" in only_failure(check(release), "signatures")


def test_a_tampered_sdist_stops_it(release: Project) -> None:
    path = release.dist / "demo-1.0.tar.gz"
    path.write_bytes(path.read_bytes() + b"\0")
    found = told(check(release))
    assert [subject for subject, _ in found if subject == "signatures"]
    assert "hash-mismatch" in dict(found)["signatures"]


def test_a_key_that_nobody_trusts_stops_it(release: Project) -> None:
    release.succeed("key", "generate", "emulated:test/stranger", "--algorithm", "ecdsa-p256")
    release.fail(1, "sign", "dist", "--key", "emulated:test/stranger", "--overwrite")
    found = told(check(release))
    assert [subject for subject, _ in found] == ["signatures", "signatures"]
    assert all("untrusted" in text for _, text in found)


def test_a_policy_that_is_kept_elsewhere_takes_the_place_of_the_projects(release: Project) -> None:
    release.succeed("key", "generate", "emulated:test/stranger", "--algorithm", "ecdsa-p256")
    elsewhere = release.folder / "home" / "policy"
    elsewhere.mkdir()
    release.succeed("key", "export-public", "emulated:test/stranger", "-o", str(elsewhere / "release.pub"))
    policy = elsewhere / "hatch-sign.toml"
    policy.write_text('[[verify.trust]]\npublic-key = "release.pub"\n')
    document = check(release, "--policy", str(policy))
    assert document["policy"] == str(policy)
    assert {subject for subject, _ in told(document)} == {"signatures"}
    shutil.copy(release.folder / "release.pub", elsewhere)
    assert check(release, "--policy", str(policy))["passed"]


@pytest.mark.parametrize(("missing", "expected"), [("*.whl*", "at least one wheel"), ("*.tar.gz*", "one sdist")])
def test_a_missing_file_stops_it(missing: str, expected: str, release: Project) -> None:
    for path in release.dist.glob(missing):
        path.unlink()
    document = check(release)
    only_failure(document, "complete")
    assert [each["expected"] for each in document["checks"] if each["subject"] == "complete"] == [expected]


def test_each_pattern_that_is_expected_is_matched(release: Project) -> None:
    configuration = release.folder / "hatch-sign.toml"
    before = configuration.read_text()
    configuration.write_text(f'{before}[release]\nexpect = ["*.tar.gz", "*-any.whl", "*-win_amd64.whl", "*.exe"]\n')
    git(release, "commit", "--quiet", "--all", "--message=expect")
    git(release, "tag", "--force", "v1.0")
    document = check(release)
    failed = [each["expected"] for each in document["checks"] if each["status"] == "failure"]
    assert failed == ["*-win_amd64.whl", "*.exe"]
    release.add("tool.exe", b"MZ")
    release.add("demo-1.0-cp311-cp311-win_amd64.whl", (release.dist / "demo-1.0-py3-none-any.whl").read_bytes())
    release.succeed("sign", "dist")
    assert check(release)["passed"]


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


def test_a_provenance_of_another_commit_stops_it(release: Project) -> None:
    arguments = ("sign", "dist", "--format", "sigstore", "--format", "statement", "--overwrite")
    text = (release.folder / "hatch-sign.toml").read_text()
    (release.folder / "hatch-sign.toml").write_text(
        f'provenance = "always"\n{text}'.replace('["sigstore"]', '["statement"]')
    )
    git(release, "commit", "--quiet", "--all", "--message=statement")
    git(release, "tag", "--force", "v1.0")
    release.succeed(*arguments)
    document = check(release)
    assert document["passed"], document["checks"]
    assert "1 of the signatures" in dict(told(document, "ok"))["provenance"]
    git(release, "commit", "--quiet", "--allow-empty", "--message=later")
    git(release, "tag", "--force", "v1.0")
    assert "claims commit" in only_failure(check(release), "provenance")


def test_what_ends_soon_is_warned_of_and_what_has_ended_stops_it(release: Project) -> None:
    with (release.folder / "hatch-sign.toml").open("a") as configuration:
        configuration.write("not-after = 2030-06-30\n")
    git(release, "commit", "--quiet", "--all", "--message=end")
    git(release, "tag", "--force", "v1.0")
    assert told(check(release, at=datetime(2030, 5, 1, tzinfo=UTC)), "warning") == []
    document = check(release, at=datetime(2030, 6, 10, tzinfo=UTC))
    assert document["passed"]
    ((subject, found),) = told(document, "warning")
    assert subject == "lasting"
    assert "ends at 2030-06-30" in found
    ended = told(check(release, at=datetime(2030, 7, 1, tzinfo=UTC)))
    assert [subject for subject, _ in ended] == ["signatures", "signatures"]
    assert all("sigstore is expired" in text for _, text in ended)


def test_a_certificate_that_has_ended_stops_what_has_no_timestamp(release: Project) -> None:
    certify(release)
    (release.folder / "hatch-sign.toml").write_text(CERTIFIED)
    git(release, "add", ".")
    git(release, "commit", "--quiet", "--message=certified")
    git(release, "tag", "--force", "v1.0")
    release.succeed("sign", "dist", "--overwrite")
    end = load_pem_x509_certificate((release.folder / "chain.pem").read_bytes()).not_valid_after_utc
    assert check(release, at=end - timedelta(seconds=1))["passed"]
    ended = told(check(release, at=end + timedelta(seconds=1)))
    assert [subject for subject, _ in ended] == ["signatures", "signatures"]
    assert all("sigstore is expired" in text for _, text in ended)


def test_a_signature_that_is_a_link_stops_it(release: Project) -> None:
    path = release.dist / "demo-1.0.tar.gz.sigstore.json"
    path.rename(release.folder / "home" / "kept")
    path.symlink_to(release.folder / "home" / "kept")
    assert {subject for subject, _ in told(check(release))} == {"signatures"}


def test_a_timestamp_that_is_configured_and_missing_stops_it(release: Project) -> None:
    text = (release.folder / "hatch-sign.toml").read_text()
    (release.folder / "hatch-sign.toml").write_text(f'timestamp = ["https://tsa.example/"]\n{text}')
    git(release, "commit", "--quiet", "--all", "--message=timestamp")
    git(release, "tag", "--force", "v1.0")
    found = told(check(release))
    assert [subject for subject, _ in found] == ["timestamps", "timestamps"]
    (release.folder / "hatch-sign.toml").write_text(
        f'timestamp = ["https://tsa.example/"]\ntimestamp-optional = true\n{text}'
    )
    git(release, "commit", "--quiet", "--all", "--message=optional")
    git(release, "tag", "--force", "v1.0")
    document = check(release)
    assert document["passed"]
    assert [subject for subject, _ in told(document, "warning")] == ["timestamps", "timestamps"]


@pytest.mark.parametrize(
    "name",
    ["notes.txt", "sub/notes.txt", "demo-0.9-py3-none-any.whl.sigstore.json", "SHA256SUMS"],
)
def test_anything_else_in_the_folder_stops_it(name: str, release: Project) -> None:
    release.add(name, b"%064d  other\n" % 0)
    assert ("nothing else", name) in told(check(release))


def test_another_release_in_the_folder_stops_it(release: Project) -> None:
    make_wheel(release, version="0.9")
    document = check(release)
    assert [subject for subject, _ in told(document)][:1] == ["release"]
    assert document["version"] is None
    assert only_failure(check(release, "--tag", "v1.0"), "nothing else") == "demo-0.9-py3-none-any.whl"


def test_a_hidden_file_is_warned_of(release: Project) -> None:
    release.add(".DS_Store", b"")
    release.add(".gitignore", b"*")
    document = check(release)
    assert document["passed"]
    assert told(document, "warning") == [("nothing else", ".DS_Store")]


def test_a_wheel_that_says_something_else_inside_stops_it(release: Project) -> None:
    wheel = make_wheel(release, version="2.0")
    wheel.replace(release.dist / "demo-1.0-py3-none-any.whl")
    assert "name is malformed" in release.fail(1, "sign", "dist", "--overwrite")
    assert ("names", "demo-1.0-py3-none-any.whl: its file name says demo 1.0, its metadata demo 2.0") in told(check(release))


def test_many_strays_are_counted(release: Project) -> None:
    for number in range(30):
        release.add(f"stray-{number}", b"")
    strays = [found for subject, found in told(check(release)) if subject == "nothing else"]
    assert len(strays) == 21
    assert strays[-1] == "and 10 more"


@pytest.mark.parametrize(("arguments", "problem"), [(["missing"], "is no folder"), (["empty"], "no artifact found")])
def test_a_folder_without_a_release_is_misuse(arguments: list[str], problem: str, release: Project) -> None:
    (release.folder / "empty").mkdir()
    assert problem in release.fail(2, "release", "check", *arguments)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('tag = "v"', "expected `{version}` in it once"),
        ('tag = "{version}{version}"', "expected `{version}` in it once"),
        ('tag = "$(id){version}"', "holds what no tag may hold"),
        ('tag = "-{version}"', "holds what no tag may hold"),
        ("expect = []", "is empty"),
        ('expects = ["*.whl"]', "did you mean `expect`?"),
    ],
)
def test_mistakes_in_the_table_are_told(line: str, problem: str, release: Project) -> None:
    with (release.folder / "hatch-sign.toml").open("a") as configuration:
        configuration.write(f"[release]\n{line}\n")
    assert problem in release.fail(2, "release", "check")


# --- the native hook --------------------------------------------------------------------------------------------------


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


def push(project: Project, *references: str, path: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", "push", "origin", *references],
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
    assert "it is not the commit that is checked out" in stopped.stderr
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
    assert "it is not on the path" in stopped.stderr


def test_the_hook_explains_why_it_is_there_and_keeps_its_arguments_apart(release: Project) -> None:
    with (release.folder / "hatch-sign.toml").open("a") as configuration:
        configuration.write('[release]\ntag = "app-{version}!"\n')
    script = release.succeed("release", "hook", "my dist; id", "--config", "hatch-sign.toml").out
    assert "runs no pre-push hook of pre-commit" in script
    assert "--config hatch-sign.toml 'my dist; id' --tag" in script
    assert "refs/tags/app-[0-9]*'!')" in script
    subprocess.run(["sh", "-n"], input=script, text=True, check=True)


# --- the hook of pre-commit -------------------------------------------------------------------------------------------


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
    assert "is not the commit that is checked out" in stopped.err
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
