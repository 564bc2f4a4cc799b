"""Vault and OpenBao: tokens that are made for a run, and those of the user."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hatch_sign.custody.context import RunContext
from hatch_sign.testing.observed import assert_presentable
from hatch_sign.values.errors import CustodyError, KeyNotFoundError, SecretRejectedError, SecretUnavailableError
from hatch_sign_kms.vault import VaultBackend

from .vault_rig import DENIED, KEYS, LOOK, TOKEN, answer, context_of, describe, key, refusal

if TYPE_CHECKING:
    from tests.peers.kms.faults import Proxy

APPROLE = "POST /v1/auth/approle/login"
REVOKE = "POST /v1/auth/token/revoke-self"
ROLE = {"VAULT_TOKEN": "", "VAULT_ROLE_ID": "role", "VAULT_SECRET_ID": "secret-id-of-the-test"}


def test_a_token_that_was_made_for_the_run_is_revoked(server: Proxy) -> None:
    answer(server, APPROLE, 200, {"auth": {"client_token": TOKEN}})
    answer(server, KEYS, 200, key())
    answer(server, REVOKE, 204, b"")
    describe(server, **ROLE)
    assert [request.split()[1] for request in server.requests][-1] == "/v1/auth/token/revoke-self"


def test_a_users_own_token_is_not(server: Proxy) -> None:
    answer(server, KEYS, 200, key())
    describe(server)
    assert server.count("revoke-self") == 0


def test_a_token_that_cannot_be_revoked_is_a_warning(server: Proxy) -> None:
    answer(server, APPROLE, 200, {"auth": {"client_token": TOKEN}})
    answer(server, KEYS, 200, key())
    answer(server, REVOKE, 403, refusal(DENIED))
    answer(server, LOOK, 200, {})
    warnings: list[str] = []
    settings = {"VAULT_ADDR": server.url, **ROLE}
    with VaultBackend().open("hashivault://release", RunContext(settings, on_warning=warnings.append)):
        pass
    (warning,) = warnings
    assert "could not be revoked, and ends by itself" in warning
    assert TOKEN not in warning


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_login_that_is_refused_is_tried_once(server: Proxy, status: int) -> None:
    answer(server, APPROLE, status, refusal("invalid role or secret ID"))
    context = context_of(server, **ROLE)
    for _ in range(2):
        with pytest.raises(SecretRejectedError) as caught:
            VaultBackend().open("hashivault://release", context).__enter__()
        assert_presentable(caught.value, [ROLE["VAULT_SECRET_ID"]])
    assert server.count(APPROLE) == 1


@pytest.mark.parametrize("content", [{}, {"auth": None}, {"auth": {}}, {"auth": {"client_token": ""}}, []])
def test_a_login_without_a_token_is_no_answer(server: Proxy, content: object) -> None:
    answer(server, APPROLE, 200, content)
    with pytest.raises(CustodyError, match=r"sent no token|not one of this service"):
        describe(server, **ROLE)


def test_a_login_that_is_not_there_is_said(server: Proxy) -> None:
    answer(server, APPROLE, 404, refusal('no handler for route "auth/approle/login". route entry not found.'))
    with pytest.raises(KeyNotFoundError, match="has no such engine or login"):
        describe(server, **ROLE)


def test_without_a_credential_it_says_which(server: Proxy) -> None:
    with pytest.raises(SecretUnavailableError, match="VAULT_TOKEN"):
        describe(server, VAULT_TOKEN="")
    assert server.requests == []


def test_a_token_in_clear_is_warned_of() -> None:
    warnings: list[str] = []
    settings = {"VAULT_ADDR": "http://vault.invalid", "VAULT_ROLE_ID": "x", "VAULT_AUTH_ROLE": "y"}
    opened = VaultBackend().open("hashivault://release", RunContext(settings, on_warning=warnings.append))
    assert warnings == []
    with pytest.raises(SecretUnavailableError):
        opened.__enter__()
    assert warnings == ["VAULT_ADDR is not https: the token crosses the network in clear"]
