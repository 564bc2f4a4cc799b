"""What the command line says of identities before anybody is asked for one."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hatch_sign.cli import main

from ...integration.cli.cli_project import Project, Ran
from .tokens import ISSUER, make_token

OTHERS = ("HATCH_", "SIGSTORE_", "GITHUB_", "GITLAB_", "ACTIONS_", "CIRCLE", "BUILDKITE", "GOOGLE_")


@dataclass(frozen=True, slots=True)
class ProjectHere(Project):
    """A project whose commands run in this process: what verifies identities takes a second to import."""

    capsys: pytest.CaptureFixture[str] = field(kw_only=True)

    def run(self, *arguments: str, program: Sequence[str] = (), **environ: str) -> Ran:
        assert not program
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            for name, value in environ.items():
                patch.setenv(name, value)
            return Ran(main(arguments), *self.capsys.readouterr())


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Project:
    for name in [name for name in os.environ if name.startswith(OTHERS)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    here = ProjectHere(tmp_path, capsys=capsys)
    here.add("demo-1.0.tar.gz", b"an sdist")
    return here


@pytest.mark.parametrize(
    "arguments", [("show", "sigstore:"), ("csr", "sigstore:staging", "--subject", "CN=x"), ("generate", "sigstore:")]
)
def test_an_identity_has_no_key_to_work_with(project: Project, arguments: tuple[str, ...]) -> None:
    error = project.fail(2, "key", *arguments)
    assert "sigstore: names an identity, which has no key of its own" in error
    assert "`hatch-sign doctor sigstore:`" in error


def test_a_token_on_the_command_line_is_refused_and_not_repeated(project: Project) -> None:
    token = make_token()
    ran = project.run("sign", "dist", "--key", "sigstore:", "--identity-token", token)
    assert ran.code == 2
    assert "--identity-token takes env:NAME or file:PATH" in ran.err
    assert [part for part in token.split(".") if part in ran.output] == []


def test_the_token_of_an_identity_is_of_no_use_to_a_key(project: Project) -> None:
    error = project.fail(2, "sign", "dist", "--key", "emulated:test", "--identity-token", "env:TOKEN")
    assert "nothing is signed by an identity" in error


def test_the_place_that_is_named_is_where_the_token_is_looked_for(project: Project) -> None:
    (project.folder / "trust_config.json").write_text("{}")
    arguments = ("sign", "dist", "--key", "sigstore:?trust-config=trust_config.json&token-source=env:OTHER")
    assert "in the environment variable OTHER: it is not set" in project.fail(3, *arguments)
    found = project.fail(2, *arguments, OTHER=make_token())
    assert "the trust-config trust_config.json is no client trust configuration" in found
    assert "in the file to ken: it cannot be read" in project.fail(3, *arguments, "--identity-token", "file:to ken")
    shown = json.loads(project.succeed(*arguments, "--dry-run", "--json").out)
    assert shown["files"][0]["key"] == "sigstore:"


def test_a_format_that_needs_a_key_is_refused(project: Project) -> None:
    error = project.fail(2, "sign", "dist", "--key", "sigstore:", "--format", "cms", "--dry-run")
    assert "format cms needs a key, and sigstore: is an identity" in error


def test_a_configuration_that_asks_for_the_impossible_is_told_of(project: Project) -> None:
    path = project.folder / "hatch-sign.toml"
    path.write_text('key = "sigstore:"\nformats = ["cms"]\n')
    ran = project.run("config", "check")
    assert ran.code == 2
    assert "format cms needs a key" in ran.output
    path.write_text('key = "sigstore:"\nformats = ["sigstore"]\n')
    assert "format" not in project.succeed("config", "check").err


def test_a_diagnosis_asks_nobody(project: Project) -> None:
    good = project.succeed("doctor", "sigstore:", HATCH_SIGN_IDENTITY_TOKEN=make_token())
    assert f"ok  identity token  in the environment variable HATCH_SIGN_IDENTITY_TOKEN, of {ISSUER}" in good.out
    bad = project.run("doctor", "sigstore:", HATCH_SIGN_IDENTITY_TOKEN=make_token(exp=1))
    assert bad.code == 3
    assert "failure  identity token" in bad.out
    assert "has expired" in bad.out


def test_what_is_wrong_with_a_token_is_told_before_a_network_is_asked(project: Project) -> None:
    arguments = ("sign", "dist", "--key", "sigstore:?instance=https://tuf.example.invalid")
    assert "no identity token: no token-source, no HATCH_SIGN_IDENTITY_TOKEN" in project.fail(3, *arguments)
    assert "has expired" in project.fail(3, *arguments, SIGSTORE_ID_TOKEN=make_token(exp=1))
    assert "permissions: id-token: write" in project.fail(3, *arguments, GITHUB_ACTIONS="true")
    assert project.names() == ["demo-1.0.tar.gz"]
