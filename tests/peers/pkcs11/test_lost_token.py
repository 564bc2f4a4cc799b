"""A token that goes away in the middle of a release: comes it back, the release is whole; else what is done stays done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from .token_project import TokenProject, make_token_project
from .tokens.relay import Relay, relay
from .tokens.remoting import RemoteServer, remote_server

ARTIFACTS = 200
LOST_AFTER = [1, 100, 199]
"""Signatures that have reached hatch-sign when the server is killed, exactly."""


@pytest.fixture
def server() -> Iterator[RemoteServer]:
    with remote_server() as server:
        yield server


@pytest.fixture
def project(server: RemoteServer, tmp_path: Path) -> TokenProject:
    return make_token_project(tmp_path / "project", server.token, artifacts=ARTIFACTS)


def lose_after(number: int, *, comes_back: bool) -> Callable[[Relay], None]:
    """Return what kills the server once so many signatures have come through, and may start it again."""

    def on_signature(passage: Relay) -> None:
        if passage.signatures != number:
            return
        passage.server.kill()
        passage.cut()
        if comes_back:
            passage.server.start()
            passage.listen()

    return on_signature


@pytest.mark.parametrize("number", LOST_AFTER)
def test_a_server_that_comes_back_finishes_the_release(server: RemoteServer, project: TokenProject, number: int) -> None:
    with relay(server, on_signature=lose_after(number, comes_back=True)) as passage:
        project = replace(project, token=passage.token)
        project.succeed("sign", "dist", HATCH_SIGN_PKCS11_RECONNECT_SECONDS="10")
    assert (passage.signatures, passage.logins) == (ARTIFACTS, 2)
    assert len(project.sidecars) == ARTIFACTS
    assert sorted(project.audited) == sorted({name.removesuffix(".sigstore.json") for name in project.sidecars})
    project.succeed("verify", "dist")


@pytest.mark.parametrize("number", LOST_AFTER)
def test_without_one_the_next_run_does_the_rest(server: RemoteServer, project: TokenProject, number: int) -> None:
    with relay(server, on_signature=lose_after(number, comes_back=False)) as passage:
        project = replace(project, token=passage.token)
        failed = project.fail(3, "sign", "dist", HATCH_SIGN_PKCS11_RECONNECT_SECONDS="0.5")
    assert "did not come back within 0.5 s" in failed
    assert f"{number} artifact{' is' if number == 1 else 's are'} signed, run again for the rest" in failed
    done = project.sidecars
    assert len(done) == number
    assert len(project.audited) == number

    server.start()
    with relay(server) as passage:
        project.succeed("sign", "dist")
    assert passage.signatures == ARTIFACTS - number
    assert project.sidecars.items() >= done.items()
    assert len(project.sidecars) == ARTIFACTS
    assert len(set(project.audited)) == len(project.audited) == ARTIFACTS
    project.succeed("verify", "dist")


def test_a_server_that_is_never_there_signs_nothing(server: RemoteServer, project: TokenProject) -> None:
    server.kill()
    failed = project.fail(3, "sign", "dist", HATCH_SIGN_PKCS11_RECONNECT_SECONDS="0.5")
    assert "pkcs11:" in failed
    assert project.sidecars == {}
