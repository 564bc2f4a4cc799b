"""act runs the project's own workflow as a runner does, without containers: the signed is verified, the tampered refused."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from ..kms.vault.rig import openbao, settings
from ..pkcs11.token_project import KEY, make_token_project
from ..pkcs11.tokens import TokenName, start_token
from .programs import ROOT, program, run

if TYPE_CHECKING:
    from collections.abc import Mapping

INTO = (".github", "LICENSE", "README.md", "action", "action.yml", "hatch_sign", "plugins", "pyproject.toml")
"""What the action is made of."""

STUB = """\
name: stub
description: what the machine has already
runs:
  using: composite
  steps:
    - shell: bash
      run: "true"
"""


BUILT = STUB.replace('"true"', "mkdir -p dist && echo built >dist/app-1.0.pyz")
"""Stands for the download of what another job built."""


def copy_action(folder: Path) -> Path:
    """Copy what the action is made of."""
    ignored = shutil.ignore_patterns("__pycache__", "dist", "*.egg-info", ".*_cache")
    folder.mkdir()
    for name in INTO:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignored)
        else:
            shutil.copy2(source, folder / name)
    return folder


def commit(folder: Path) -> None:
    """Give a folder a history of its own."""
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    for command in (("init", "--quiet", "--initial-branch=main"), ("add", "."), ("commit", "--quiet", "--message=one")):
        subprocess.run(["git", *identity, *command], cwd=folder, check=True)


def act(repository: Path, workflow: str, *arguments: str, stubs: Mapping[str, str | Path] = MappingProxyType({})) -> str:
    """Run `act` in a repository; return its log. Actions from elsewhere are `stubs` by their names, or do nothing."""
    temporary = repository.parent
    remote = {*re.findall(r"uses: ([\w.-]+/[\w.-]+@[0-9a-f]{40})", (repository / workflow).read_text(encoding="utf-8"))}
    local = []
    for number, each in enumerate(sorted(name for name in remote if "/checkout@" not in name)):
        given = stubs.get(each.partition("@")[0], STUB)
        folder = given if isinstance(given, Path) else temporary / f"stub-{number}"
        if isinstance(given, str):
            folder.mkdir(exist_ok=True)
            (folder / "action.yml").write_text(given)
        local += ["--local-repository", f"{each}={folder}"]
    machine = [f"--env={name}={value}" for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))]
    environ = {"XDG_CACHE_HOME": str(temporary / "cache"), "XDG_CONFIG_HOME": str(temporary / "config")}
    platforms = ("-P", "ubuntu-latest=-self-hosted", "-P", "self-hosted=-self-hosted")
    quiet = ("--pull=false", "--no-cache-server", "--no-recurse")
    command = (program("act"), "push", "-W", workflow, *platforms, *quiet, *local, *machine, *arguments)
    done = run(*command, folder=repository, **environ)
    return f"{done.stdout}\nexit code {done.returncode}"


OF_THE_PROJECT = ".github/workflows/ci.yml"
"""Its job for the action makes a throw-away key, signs with it, tampers, and says what has to come of it."""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a checkout of the action."""
    return copy_action(tmp_path / "repository")


def run_own_job(repository: Path) -> str:
    commit(repository)
    return act(repository, OF_THE_PROJECT, "-j", "action", "--matrix", "os:ubuntu-latest")


def test_the_action_signs_verifies_and_refuses(repository: Path) -> None:
    log = run_own_job(repository)
    assert log.endswith("exit code 0"), log
    assert "hatch-sign: trusted" in log
    assert "two words.txt is rejected" in log
    assert "Success - Main what was tampered with fails the step" in log
    assert "a PIN for tests alone" not in re.sub(r"::add-mask::.*", "", log)


def test_a_job_that_expects_another_verdict_fails(repository: Path) -> None:
    workflow = repository / OF_THE_PROJECT
    workflow.write_text(workflow.read_text().replace("failure rejected", "success trusted"))
    log = run_own_job(repository)
    assert log.endswith("exit code 1"), log
    assert "Failure - Main what was tampered with fails the step" in log


def prepare(folder: Path, example: str, *, key: str) -> str:
    """Make a folder with ``release.pub`` a project that releases by an example; return the name of its workflow.

    What another job of the example would build comes from a stub.
    """
    text = (ROOT / "examples/workflows" / example).read_text(encoding="utf-8")
    (folder / "release.yml").write_text(text.replace("    needs: build\n", "").replace("kms[aws]", "kms[vault]"))
    (folder / "pyproject.toml").write_text(
        f'[tool.hatch-sign]\nkey = "{key}"\nverify = {{trust = [{{public-key = "release.pub"}}]}}\n'
    )
    commit(folder)
    return "release.yml"


def test_the_example_for_a_token_signs_with_softhsm_and_fails_with_another_pin(tmp_path: Path) -> None:
    stubs: dict[str, str | Path] = {
        "OWNER/hatch-sign": copy_action(tmp_path / "action"),
        "actions/download-artifact": BUILT,
    }
    with start_token(TokenName.SOFTHSM) as token:
        folder = make_token_project(tmp_path / "project", token).folder
        (folder / "hatch-sign.toml").unlink()
        workflow = prepare(folder, "hsm-self-hosted.yml", key=token.reference(KEY).replace("&pin-source=env:HSM_PIN", ""))
        variables = [f"--env={name}={value}" for name, value in token.environ.items()]
        log = act(folder, workflow, "-j", "sign", "-s", f"HSM_PIN={token.pin}", *variables, stubs=stubs)
        assert log.endswith("exit code 0"), log
        assert "hatch-sign: trusted" in log
        assert token.pin not in re.sub(r"::add-mask::.*", "", log)
        wrong = act(folder, workflow, "-j", "sign", "-s", "HSM_PIN=another PIN", *variables, stubs=stubs)
        assert wrong.endswith("exit code 1"), wrong
        assert "hatch-sign: failed" in wrong


def test_the_example_for_a_cloud_signs_with_openbao_and_fails_with_another_login(tmp_path: Path) -> None:
    stubs: dict[str, str | Path] = {
        "OWNER/hatch-sign": copy_action(tmp_path / "action"),
        "actions/download-artifact": BUILT,
    }
    folder = tmp_path / "project"
    folder.mkdir()
    (tmp_path / "server").mkdir()
    with openbao(tmp_path / "server") as server:
        server.make_key("release", "ecdsa-p256")
        environ = settings(server.url, tmp_path)
        export = ("key", "export-public", "openbao://release", "-o", "release.pub")
        done = run(sys.executable, "-m", "hatch_sign", *export, folder=folder, **environ)
        assert done.returncode == 0, done.stdout
        workflow = prepare(folder, "aws-kms.yml", key="openbao://release")
        variables = [f"--env={name}={value}" for name, value in environ.items() if name != "HOME"]
        log = act(folder, workflow, "-j", "sign", *variables, stubs=stubs)
        assert log.endswith("exit code 0"), log
        assert "hatch-sign: trusted" in log
        wrong = act(folder, workflow, "-j", "sign", *variables, "--env=BAO_TOKEN=another login", stubs=stubs)
        assert wrong.endswith("exit code 1"), wrong
        assert "hatch-sign: failed" in wrong
