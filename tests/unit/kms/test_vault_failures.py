"""Vault and OpenBao: what each of their refusals and faults becomes."""

from __future__ import annotations

import gzip
import json
from typing import Literal

import pytest
import requests

from hatch_sign.contract.backends import Symptom
from hatch_sign.custody.context import RunContext
from hatch_sign.remote import NetworkLimits
from hatch_sign.testing.observed import assert_presentable
from hatch_sign.values.errors import CustodyError, KeyNotFoundError, SecretRejectedError
from hatch_sign_kms.vault import VaultBackend, connection
from hatch_sign_kms.vault.translate import EXCEPTIONS, NoAnswer, classify
from tests.peers.kms.faults import Fault, Proxy, proxied

from .vault_rig import DENIED, KEYS, LOOK, SIGN, TOKEN, answer, context_of, describe, key, refusal, sign

READING: list[tuple[int, object, type[CustodyError], str]] = [
    (400, refusal(f"bad {TOKEN}"), CustodyError, r"cannot do this with the key \(400\)"),
    (400, refusal("encryption key not found"), KeyNotFoundError, r"has no such key \(400\)"),
    (
        400,
        refusal("requested version for signing is higher than the latest key version"),
        KeyNotFoundError,
        "no such version",
    ),
    (500, refusal("requested version is less than the minimum encryption key version"), CustodyError, "so old a version"),
    (401, refusal(), SecretRejectedError, "did not accept the credential"),
    (403, refusal(DENIED), CustodyError, "the permission read on transit/keys/release is missing"),
    (404, refusal(), KeyNotFoundError, r"has no such key \(404\)"),
    (404, refusal('no handler for route "transit/keys/release"'), KeyNotFoundError, "check TRANSIT_SECRET_ENGINE_PATH"),
    (404, refusal("1 error occurred:\n\t* unsupported path\n\n"), CustodyError, "does not offer this in its version"),
    (405, refusal("unsupported operation"), CustodyError, "does not offer this in its version"),
    (412, refusal("required index state not present"), CustodyError, "has not caught up with its cluster 7 times"),
    (429, refusal("request path: rate limit quota exceeded"), CustodyError, "asked for fewer calls 7 times"),
    (472, refusal(), CustodyError, r"\(472\)"),
    (500, refusal(f"internal error: {TOKEN}"), CustodyError, "did not answer, or failed 7 times"),
    (502, b"<html>bad gateway</html>", CustodyError, "did not answer, or failed 7 times"),
    (503, refusal("Vault is sealed"), CustodyError, "is sealed 7 times .*have it unsealed"),
    (503, b"", CustodyError, "did not answer, or failed 7 times"),
    (307, b"", CustodyError, "is a standby that sends its callers elsewhere"),
    (200, b"<html>login</html>", CustodyError, "gave an answer that is not one of this service"),
    (200, [], CustodyError, "gave an answer that is not one of this service"),
    (200, {}, CustodyError, "sent no key"),
    (200, {"data": []}, CustodyError, "sent no key"),
    (204, b"", CustodyError, "sent no key"),
]


@pytest.mark.parametrize(("status", "content", "expected", "phrase"), READING)
def test_every_status_is_one_clear_error(
    server: Proxy, status: int, content: object, expected: type[CustodyError], phrase: str
) -> None:
    answer(server, KEYS, status, content, Location="http://127.0.0.1:9/v1/transit/keys/release")
    answer(server, LOOK, 200, {"data": {}})
    with pytest.raises(CustodyError, match=rf"hashivault://release: HashiCorp Vault .*{phrase}") as caught:
        describe(server)
    assert type(caught.value) is expected
    assert caught.value.remedy
    assert server.count(KEYS) == (7 if "7 times" in phrase else 1)
    assert_presentable(caught.value, [TOKEN])


def test_a_wrong_token_is_told_from_a_missing_permission(server: Proxy) -> None:
    for path in (KEYS, LOOK):
        answer(server, path, 403, refusal("permission denied"))
    context = context_of(server)
    for phrase in ("did not accept the credential: it is wrong, or has expired", "it was refused earlier in this run"):
        with pytest.raises(SecretRejectedError, match=phrase) as caught:
            VaultBackend().open("hashivault://release", context).__enter__()
        assert_presentable(caught.value, [TOKEN])
    assert len(context.rejections) == 1
    assert server.count(KEYS) == 1


def test_a_token_without_the_policy_default_is_told_of_what_it_may_lack(server: Proxy) -> None:
    for path in (SIGN, LOOK):
        answer(server, path, 403, refusal(DENIED))
    answer(server, KEYS, 200, key())
    with pytest.raises(SecretRejectedError, match="or the token lacks update on transit/sign/release") as caught:
        sign(server)
    assert_presentable(caught.value, [TOKEN])


def test_nobody_is_asked_about_a_token_that_was_not_sent(server: Proxy) -> None:
    answer(server, "GET /v1/sys/seal-status", 403, refusal(DENIED))
    symptoms = list(VaultBackend().diagnose("hashivault://release", context_of(server)))
    assert any(isinstance(each, Symptom) and each.status == "failure" for each in symptoms)
    assert server.count(LOOK) == 0


@pytest.mark.parametrize("token", ["t\u00f6ken", "two\nlines", "\u2028"])
def test_a_token_that_fits_no_header_is_not_sent(server: Proxy, token: str) -> None:
    context = context_of(server, VAULT_TOKEN=f"s3cr3t{token}s3cr3t")
    with pytest.raises(SecretRejectedError, match="other characters than printable ASCII") as caught:
        VaultBackend().open("hashivault://release", context).__enter__()
    assert len(context.rejections) == 1
    assert server.requests == []
    assert_presentable(caught.value, ["s3cr3t"])


LARGE = b'{"data": "' + b"x" * connection.LARGEST_ANSWER + b'"}'
PACKED = gzip.compress(json.dumps(key()).encode())


@pytest.mark.parametrize(("body", "headers"), [(LARGE, {}), (PACKED, {"Content_Encoding": "gzip"})], ids=["large", "packed"])
def test_an_answer_that_is_large_or_packed_is_none(server: Proxy, body: bytes, headers: dict[str, str]) -> None:
    answer(server, KEYS, 200, body, **headers)
    with pytest.raises(CustodyError, match="gave an answer that is not one of this service"):
        describe(server)
    assert server.count(KEYS) == 1


def test_a_run_that_is_given_up_asks_no_more(server: Proxy) -> None:
    answer(server, KEYS, 503, refusal())
    context = RunContext({"VAULT_ADDR": server.url, "VAULT_TOKEN": TOKEN}, on_warning=pytest.fail)
    context.stop()
    with pytest.raises(CustodyError, match="and the run is being given up"):
        VaultBackend().open("hashivault://release", context).__enter__()
    assert server.count(KEYS) == 1


def test_a_token_is_not_called_wrong_because_nobody_can_say(server: Proxy) -> None:
    answer(server, KEYS, 403, refusal("permission denied"))
    answer(server, LOOK, 503, refusal())
    context = context_of(server)
    with pytest.raises(CustodyError, match="the permission read on transit/keys/release is missing"):
        VaultBackend().open("hashivault://release", context).__enter__()
    assert context.rejections == []


@pytest.mark.parametrize("kind", ["reset", "stall"])
def test_a_connection_that_breaks_is_made_again(
    server: Proxy, kind: Literal["reset", "stall"], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "LIMITS", NetworkLimits(read=1.0, first_pause=0.0, longest_pause=0.0))
    server.faults.append(Fault(kind, matches=KEYS))
    answer(server, KEYS, 200, key())
    signer, _ = describe(server)
    assert signer.public_key
    assert server.count(KEYS) == 2


def test_retry_after_is_read(server: Proxy) -> None:
    answer(server, KEYS, 429, refusal(), Retry_After="3600")
    with pytest.raises(CustodyError, match="and wants 3600 s of patience"):
        describe(server)
    assert server.count(KEYS) == 1


def test_a_redirect_is_not_followed(server: Proxy) -> None:
    with proxied("http://127.0.0.1:9") as elsewhere:
        answer(server, KEYS, 307, b"", Location=f"{elsewhere.url}/v1/transit/keys/release")
        with pytest.raises(CustodyError, match="set the address of the active server"):
            describe(server)
        assert elsewhere.requests == []


@pytest.mark.parametrize(("kind", "expected"), EXCEPTIONS, ids=lambda value: getattr(value, "__name__", ""))
def test_every_exception_of_the_client_has_its_meaning(kind: type[Exception], expected: object) -> None:
    assert classify(NoAnswer() if kind is NoAnswer else kind(TOKEN)) == expected


def test_every_exception_of_requests_is_known() -> None:
    for name, kind in vars(requests.exceptions).items():
        if isinstance(kind, type) and issubclass(kind, requests.exceptions.RequestException):
            failure = classify(kind("x", "x", 0) if name == "JSONDecodeError" else kind(TOKEN))
            assert failure is not None, name
    assert classify(RuntimeError(TOKEN)) is None


@pytest.mark.parametrize("variable", ["VAULT_CACERT", "VAULT_CLIENT_CERT"])
def test_a_file_that_is_not_there_is_no_reason_to_try_again(server: Proxy, variable: str) -> None:
    environ = {variable: "/nowhere.pem", "VAULT_CLIENT_KEY": "/nowhere.key", "VAULT_ADDR": "https://127.0.0.1:9"}
    with pytest.raises(CustodyError, match="could not be asked; check its address, certificates and proxy"):
        describe(server, **environ)
