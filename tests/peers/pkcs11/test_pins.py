"""A wrong PIN costs one try, whoever waits for it; and the PIN is seen by the token alone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ..rigs import skip_or_fail
from .token_project import KEY, TokenProject, make_token_project
from .tokens import RealToken, TokenName, start_token
from .tokens.relay import relay
from .tokens.remoting import remote_server
from .tokens.tries import wrong_tries

ARTIFACTS = 40
WRONG_PIN = "Wr0ng-1n"

TWO_KEYS = """\
observers = ["audit"]
audit-file = "audit.jsonl"

[[signature]]
name = "one"
key = "{one}"
formats = ["sigstore"]
[[signature]]
name = "two"
key = "{two}"
formats = ["sigstore"]

[verify]
[[verify.trust]]
public-key = "release.pub"
"""


@pytest.fixture(params=TokenName, ids=str)
def token(request: pytest.FixtureRequest) -> Iterator[RealToken]:
    with start_token(request.param) as token:
        yield token


def make_with_two_keys(folder: Path, token: RealToken) -> TokenProject:
    """Return a project that signs each artifact twice, with two keys of one token."""
    project = make_token_project(folder / "project", token, artifacts=ARTIFACTS)
    project.succeed("key", "generate", token.reference("second"), "--algorithm", token.algorithms[0].value)
    configuration = TWO_KEYS.format(one=token.reference(KEY), two=token.reference("second"))
    (project.folder / "hatch-sign.toml").write_text(configuration)
    return project


def test_a_wrong_pin_costs_one_try_for_all_artifacts_and_keys(token: RealToken, tmp_path: Path) -> None:
    project = make_with_two_keys(tmp_path, token)
    assert wrong_tries(token) == 0
    failed = project.fail(3, "sign", "dist", HSM_PIN=WRONG_PIN)
    assert "the PIN is wrong" in failed
    assert WRONG_PIN not in failed
    assert wrong_tries(token) == 1
    assert project.sidecars == {}
    assert project.audited == []

    project.succeed("sign", "dist")
    assert len(project.sidecars) == 2 * ARTIFACTS
    assert wrong_tries(token) == (token.name is TokenName.TPM)


def test_one_login_is_all_that_the_token_is_asked_for(tmp_path: Path) -> None:
    with remote_server() as server:
        project = make_with_two_keys(tmp_path, server.token)
        with relay(server) as passage:
            project = replace(project, token=passage.token)
            assert "the PIN is wrong" in project.fail(3, "sign", "dist", HSM_PIN=WRONG_PIN)
            assert (passage.logins, passage.signatures) == (1, 0)
            project.succeed("sign", "dist")
            assert (passage.logins, passage.signatures) == (2, 2 * ARTIFACTS)


def test_verifying_and_planning_ask_for_no_login(tmp_path: Path) -> None:
    with remote_server() as server:
        project = make_token_project(tmp_path / "project", server.token, artifacts=2)
        project.succeed("sign", "dist")
        with relay(server) as passage:
            project = replace(project, token=passage.token)
            project.succeed("verify", "dist")
            project.succeed("sign", "dist", "--dry-run")
            project.succeed("config", "check")
            assert passage.logins == 0


@pytest.fixture
def at_the_last_try(tmp_path: Path) -> Iterator[TokenProject]:
    """Return a project whose token, openCryptoki's, has taken two wrong PINs, and locks at the third."""
    with start_token(TokenName.OPENCRYPTOKI) as token:
        project = make_token_project(tmp_path / "project", token, artifacts=2)
        assert "only one try is left" not in project.fail(3, "sign", "dist", HSM_PIN=WRONG_PIN)
        assert "only one try is left" in project.fail(3, "sign", "dist", HSM_PIN=WRONG_PIN)
        assert wrong_tries(token) == 2
        yield project


@pytest.mark.parametrize("pin", [WRONG_PIN, None], ids=["wrong", "right"])
def test_the_last_try_is_not_spent_unasked(at_the_last_try: TokenProject, pin: str | None) -> None:
    project, given = at_the_last_try, {"HSM_PIN": pin} if pin else {}
    assert project.token is not None
    assert "repeat with --spend-final-try" in project.fail(3, "sign", "dist", **given)
    assert wrong_tries(project.token) == 2


def test_the_last_try_spent_well(at_the_last_try: TokenProject) -> None:
    assert at_the_last_try.token is not None
    at_the_last_try.succeed("sign", "dist", "--spend-final-try")
    assert wrong_tries(at_the_last_try.token) == 0


def test_the_last_try_spent_badly(at_the_last_try: TokenProject) -> None:
    assert at_the_last_try.token is not None
    failed = at_the_last_try.fail(3, "sign", "dist", "--spend-final-try", HSM_PIN=WRONG_PIN)
    assert "the token is locked now" in failed
    assert wrong_tries(at_the_last_try.token) == 3
    assert "the PIN is locked" in at_the_last_try.fail(3, "sign", "dist", "--spend-final-try")


def test_a_tpm_locks_without_a_warning_and_says_so(tmp_path: Path) -> None:
    with start_token(TokenName.TPM) as token:
        project = make_token_project(tmp_path / "project", token, artifacts=2)
        for number in (1, 2, 3):
            assert "the PIN is wrong" in project.fail(3, "sign", "dist", HSM_PIN=WRONG_PIN)
            assert wrong_tries(token) == number
        assert "the PIN is locked" in project.fail(3, "sign", "dist")


# --- where the PIN goes -----------------------------------------------------------------------------------------------

TRACED = "execve,read,pread64,write,pwrite64,writev,sendto,sendmsg"


@pytest.mark.parametrize("pin", [None, WRONG_PIN], ids=["right", "wrong"])
def test_the_pin_is_read_and_given_to_nobody(tmp_path: Path, pin: str | None) -> None:
    """SoftHSM works inside the process: every way out of it is watched, command lines and environments included."""
    if shutil.which("strace") is None:
        skip_or_fail("strace is not installed: run 'bash tests/peers/install.sh tokens'")
    with start_token(TokenName.SOFTHSM) as token:
        project = make_token_project(tmp_path / "project", token, artifacts=2)
        secret = pin or token.pin
        (tmp_path / "pin").write_text(secret)
        (tmp_path / "pin").chmod(0o600)
        trace = tmp_path / "trace"
        strace = ("strace", "-f", "-v", "-s", "65536", "-e", f"trace={TRACED}", "-o", str(trace))
        watched = replace(project, token=replace(token, entrance=strace), environ={**project.environ, "HSM_PIN": ""})
        reference = token.reference(KEY, **{"pin-source": f"file:{tmp_path}/pin"})
        ran = watched.run("sign", "dist", "--key", reference)
    assert ran.code == (3 if pin else 0), ran.output
    assert secret not in ran.output
    seen = [line for line in trace.read_text(errors="replace").splitlines() if secret in line]
    assert seen, "the trace shows nothing at all"
    assert {line.split("(")[0].split()[-1] for line in seen} == {"read"}


def test_the_pin_is_in_no_file(token: RealToken, tmp_path: Path) -> None:
    project = make_token_project(tmp_path / "project", token, artifacts=2)
    project.succeed("sign", "dist", HATCH_SIGN_DEBUG="1")
    assert project.audited
    written = [path for path in project.folder.rglob("*") if path.is_file()]
    assert written
    assert [path for path in written if token.pin.encode() in path.read_bytes()] == []
