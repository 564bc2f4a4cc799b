"""act runs the project's own workflow as a runner does, without containers: the signed is verified, the tampered refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from ..pkcs11.token_project import KEY, make_token_project
from ..pkcs11.tokens import TokenName, start_token
from .acting import BUILT, act, commit, copy_action, openbao_key, prepare, stubs_with_artifacts
from .artifacts import kept, signed

if TYPE_CHECKING:
    from pathlib import Path

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


CLOUDS = ("aws-kms.yml", "azure-key-vault.yml", "google-cloud-kms.yml")


@pytest.mark.parametrize(("example", "login"), [*((each, "") for each in CLOUDS), (CLOUDS[0], "--env=BAO_TOKEN=another")])
def test_the_examples_for_clouds_sign_with_openbao_and_fail_with_another_login(
    folder: Path, example: str, login: str
) -> None:
    stubs = {**stubs_with_artifacts(folder.parent), "actions/download-artifact": BUILT}
    with openbao_key(folder) as variables:
        workflow = prepare(folder, example, key="openbao://release")
        log = act(folder, workflow, "-j", "sign", *variables, *filter(None, [login]), stubs=stubs)
    assert log.endswith(f"exit code {1 if login else 0}"), log
    assert f"hatch-sign: {'failed' if login else 'trusted'}" in log
    assert kept(folder, "signed") == (set() if login else signed("app-1.0.pyz"))
