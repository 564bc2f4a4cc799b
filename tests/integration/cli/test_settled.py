"""What ``hatch-sign sign`` asks once it has signed: what is stale now, and what the project itself says of the result."""

from __future__ import annotations

import json

import pytest

from .cli_project import CONFIGURATION, Project, make_wheel

STATEMENT = "demo-1.0.intoto.sigstore.json"


@pytest.fixture
def outdated(project: Project) -> Project:
    """Make a release with a statement, of which a part was built anew since."""
    wheel = make_wheel(project)
    project.add("notes.bin", b"as they were")
    project.succeed("sign", "dist", "--format", "statement")
    wheel.with_name("notes.bin").write_bytes(b"as they are now")
    return project


def test_a_statement_over_older_bytes_is_refused_and_named(outdated: Project) -> None:
    said = outdated.fail(1, "sign", "dist", "--format", "sigstore")
    assert f"{STATEMENT} is over an older notes.bin, and would have it rejected; sign again with --overwrite" in said
    assert STATEMENT in outdated.names()
    assert outdated.run("verify", "dist").code == 1


def test_a_statement_over_older_bytes_is_removed_where_overwriting_is_asked_for(outdated: Project) -> None:
    ran = outdated.succeed("sign", "dist", "--format", "sigstore", "--overwrite")
    assert f"removed {STATEMENT}: it was over older bytes" in ran.err
    assert STATEMENT not in outdated.names()
    outdated.succeed("verify", "dist")


def test_a_statement_over_the_same_bytes_is_kept(outdated: Project) -> None:
    (outdated.dist / "notes.bin").write_bytes(b"as they were")
    outdated.succeed("sign", "dist", "--format", "sigstore", "--overwrite")
    assert STATEMENT in outdated.names()


def test_without_trust_what_is_stale_is_refused_all_the_same(outdated: Project) -> None:
    text = (outdated.folder / "hatch-sign.toml").read_text().partition("[verify]")[0].partition("[[verify")[0]
    (outdated.folder / "hatch-sign.toml").write_text(text)
    assert "is over an older notes.bin" in outdated.fail(1, "sign", "dist", "--format", "sigstore")


@pytest.mark.parametrize("options", [(), ("--overwrite",)])
def test_signatures_of_another_artifact_of_that_name_are_not_stale(project: Project, options: tuple[str, ...]) -> None:
    for folder, data in (("one", b"first"), ("two", b"second")):
        (project.folder / folder).mkdir()
        (project.folder / folder / "app.bin").write_bytes(data)
        project.succeed("sign", folder, "--format", "sigstore", "--format", "checksums")
    text = (project.folder / "hatch-sign.toml").read_text()
    (project.folder / "hatch-sign.toml").write_text(text.replace("[verify]", '[verify]\nrequire = ["sigstore"]'))
    kept = sorted(path for path in project.folder.glob("*/*") if path.parent.name in {"one", "two"})
    project.succeed("sign", "one", "two", "--format", "sigstore", *options)
    assert sorted(path for path in project.folder.glob("*/*") if path.parent.name in {"one", "two"}) == kept


def test_the_document_of_a_rejected_run_holds_the_reason(project: Project) -> None:
    project.add("a.bin", b"data")
    project.succeed("key", "generate", "emulated:test/other")
    ran = project.run("sign", "dist", "--key", "emulated:test/other", "--json")
    assert ran.code == 1
    document = json.loads(ran.out)
    assert [row["verdict"] for row in document["signatures"]] == ["consistent"]
    (error,) = document["errors"]
    assert "the project's own policy rejects it" in error


def test_what_another_run_is_to_make_is_not_asked_of_this_one(project: Project) -> None:
    make_wheel(project)
    required = CONFIGURATION.replace("[verify]", '[verify]\nrequire = ["sigstore", "statement"]')
    (project.folder / "hatch-sign.toml").write_text(required)
    project.succeed("sign", "dist", "--format", "sigstore")
    assert project.run("verify", "dist").code == 1
    project.succeed("sign", "dist", "--format", "statement")
    project.succeed("verify", "dist")


def test_a_policy_that_cannot_be_read_is_said_before_anything_is_signed(project: Project) -> None:
    project.add("a.bin", b"data")
    (project.folder / "release.pub").unlink()
    assert "release.pub" in project.run("sign", "dist").err
    assert project.names() == ["a.bin"]


def test_what_is_not_to_be_signed_is_not_judged(project: Project) -> None:
    make_wheel(project)
    project.add("notes.bin", b"not included")
    chosen = CONFIGURATION.replace('formats = ["sigstore"]', 'formats = ["sigstore"]\ninclude = ["*.whl"]')
    (project.folder / "hatch-sign.toml").write_text(chosen)
    project.succeed("sign", "dist")
    assert "notes.bin" in project.run("verify", "dist").out
