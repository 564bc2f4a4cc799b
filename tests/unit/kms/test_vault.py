"""Vault and OpenBao at the border of their client: a server on loopback answers as they are documented to."""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING, Any, Literal

import pytest
import requests

from hatch_sign.contract.backends import Symptom
from hatch_sign.custody.context import RunContext
from hatch_sign.remote import NetworkLimits
from hatch_sign.testing.observed import ObservedContext, assert_presentable
from hatch_sign.testing.seals import private_key
from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.errors import (
    ConfigurationError,
    CustodyError,
    KeyNotFoundError,
    SecretRejectedError,
    SecretUnavailableError,
    UnsupportedError,
)
from hatch_sign.values.protection import ProtectionLevel
from hatch_sign.values.public_keys import encode_public_key_pem
from hatch_sign_kms.vault import VaultBackend, connection
from hatch_sign_kms.vault.keeping import describe_keeping
from hatch_sign_kms.vault.translate import EXCEPTIONS, NoAnswer, classify
from tests.peers.kms.faults import Fault, Proxy, proxied

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "vault-token-of-the-test"  # noqa: S105 - what no error may show
KEYS, SIGN, LOOK = "GET /v1/transit/keys/release", "POST /v1/transit/sign/release", "GET /v1/auth/token/lookup-self"
DIGEST = bytes(32)
PEM = encode_public_key_pem(private_key(KeyAlgorithm.ECDSA_P256).public_key()).decode()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """Lend a server that knows only the answers that a test gives it, and is not waited for between attempts."""
    monkeypatch.setattr(connection, "LIMITS", NetworkLimits(first_pause=0.0, longest_pause=0.0))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")  # requests reads it in the environment of the process
    with proxied("http://127.0.0.1:9") as proxy:
        yield proxy


def answer(server: Proxy, matches: str, status: int, content: object, times: int = 99, **headers: str) -> None:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    headers = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    server.faults.append(Fault(status=status, body=body, headers=headers, matches=matches, times=times))


def refusal(*texts: str) -> dict[str, list[str]]:
    return {"errors": [*texts]}


def key(**changes: object) -> dict[str, Any]:
    versions = {"1": {"public_key": PEM, "creation_time": "2026-01-02T03:04:05Z"}}
    described = {"type": "ecdsa-p256", "latest_version": 1, "keys": versions, "supports_signing": True, "derived": False}
    return {"data": {**described, "exportable": False, "allow_plaintext_backup": False, "imported_key": False, **changes}}


def signature(value: object) -> dict[str, Any]:
    return {"data": {"signature": value}}


def context_of(server: Proxy, **environ: str) -> ObservedContext:
    settings = {"VAULT_ADDR": server.url, "VAULT_TOKEN": TOKEN, **environ}
    return ObservedContext(RunContext(settings, on_warning=pytest.fail))


def describe(server: Proxy, **environ: str) -> Any:  # noqa: ANN401 - a signer, its protection read as well
    with VaultBackend().open("hashivault://release", context_of(server, **environ)) as signer:
        return signer, signer.protection


def sign(server: Proxy, *, scheme: Scheme = Scheme.ECDSA_SHA256) -> bytes:
    with VaultBackend().open("hashivault://release", context_of(server)) as signer:
        return signer.sign_digest(DIGEST, scheme)


# --- failures -----------------------------------------------------------------------------------------------------------

DENIED = "1 error occurred:\n\t* permission denied\n\n"
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


# --- one key ------------------------------------------------------------------------------------------------------------


def sent(server: Proxy, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Collect what is asked of the transit engine."""
    collected: list[dict[str, Any]] = []
    whole = connection.Connection.transit

    def observe(self: connection.Connection, method: str, path: str, content: Any = None, **options: Any) -> object:  # noqa: ANN401
        collected.append({"path": path, **(content or {})})
        return whole(self, method, path, content, **options)

    monkeypatch.setattr(connection.Connection, "transit", observe)
    answer(server, SIGN, 200, signature("vault:v1:c2lnbmF0dXJl"))
    return collected


RSA = encode_public_key_pem(private_key(KeyAlgorithm.RSA_3072).public_key()).decode()


@pytest.mark.parametrize(
    ("pem", "scheme", "expected"),
    [
        (PEM, Scheme.ECDSA_SHA256, {"hash_algorithm": "sha2-256", "marshaling_algorithm": "asn1"}),
        (RSA, Scheme.RSA_PKCS1_SHA256, {"hash_algorithm": "sha2-256", "signature_algorithm": "pkcs1v15"}),
        (RSA, Scheme.RSA_PSS_SHA256, {"hash_algorithm": "sha2-256", "signature_algorithm": "pss", "salt_length": "hash"}),
    ],
)
def test_a_digest_is_signed_as_it_is(
    server: Proxy, monkeypatch: pytest.MonkeyPatch, pem: str, scheme: Scheme, expected: dict[str, str]
) -> None:
    asked = sent(server, monkeypatch)
    answer(server, KEYS, 200, key(keys={"1": {"public_key": pem}}))
    assert sign(server, scheme=scheme) == b"signature"
    content = {"input": base64.b64encode(DIGEST).decode(), "key_version": 1, "prehashed": True, **expected}
    assert asked[-1] == {"path": "sign/release", **content}


@pytest.mark.parametrize(
    ("value", "phrase"),
    [
        (None, "sent no signature"),
        ("", "sent no signature"),
        ("c2lnbmF0dXJl", "sent no signature"),
        ("vault:c2lnbmF0dXJl", "sent no signature"),
        ("vault:v1:c2ln bmF0dXJl", "sent no signature"),
        ("vault:v1:c2lnbmF0dXJl\n", "sent no signature"),
        ("vault:v2:c2lnbmF0dXJl", "signed with another version of the key"),
        ("vault:v0:c2lnbmF0dXJl", "signed with another version of the key"),
        ("vault:v1:c2lnbmF0dXJ", "not base64"),
        (["vault:v1:c2lnbmF0dXJl"], "sent no signature"),
    ],
)
def test_a_signature_that_is_none_is_refused(server: Proxy, value: object, phrase: str) -> None:
    answer(server, KEYS, 200, key())
    answer(server, SIGN, 200, signature(value))
    with pytest.raises(CustodyError, match=phrase):
        sign(server)


@pytest.mark.parametrize(
    ("changes", "phrase"),
    [
        ({"supports_signing": None}, "sent no key"),
        ({"latest_version": None}, "sent no version"),
        ({"latest_version": True}, "sent no version"),
        ({"latest_version": 0}, "sent no version"),
        ({"latest_version": 2}, "has no version 2"),
        ({"keys": {"1": 1700000000}}, "has no version 1"),
        ({"keys": {"1": {}}}, "sent no public key"),
        ({"keys": {"1": {"public_key": "-----BEGIN"}}}, "a public key that cannot be read"),
        ({"keys": {"1": {"public_key": "AAAA"}}}, "a public key that cannot be read"),
        ({"keys": {"1": {"public_key": "!"}}}, "a public key that cannot be read"),
        ({"keys": {"1": {"public_key": "\u00e9"}}}, "a public key that cannot be read"),
        ({"keys": {"1": {"public_key": "-----BEGIN \ud800"}}}, "a public key that cannot be read"),
        ({"keys": {"1": {"public_key": PEM, "certificate_chain": "x"}}}, "a certificate chain that cannot be read"),
    ],
)
def test_a_key_that_is_none_is_refused(server: Proxy, changes: dict[str, object], phrase: str) -> None:
    answer(server, KEYS, 200, key(**changes))
    with pytest.raises(CustodyError, match=phrase):
        describe(server)


@pytest.mark.parametrize("changes", [{"supports_signing": False}, {"derived": True}])
def test_a_key_that_does_not_sign_is_refused(server: Proxy, changes: dict[str, object]) -> None:
    answer(server, KEYS, 200, key(**changes))
    with pytest.raises(UnsupportedError, match="the key is not one that signs releases"):
        describe(server)


@pytest.mark.parametrize(
    ("changes", "level", "summary"),
    [
        ({}, ProtectionLevel.PROVIDER_ASSERTED, "in software, not exportable; OpenBao says so"),
        ({"type": "managed_key"}, ProtectionLevel.PROVIDER_ASSERTED, "in an HSM or a KMS behind it, not exportable; Open"),
        ({"exportable": True}, ProtectionLevel.SOFTWARE, "in software; it may be exported"),
        ({"allow_plaintext_backup": True}, ProtectionLevel.SOFTWARE, "in software; it may be backed up in clear"),
        ({"imported_key": True}, ProtectionLevel.SOFTWARE, "in software; it was imported, and nobody vouches for the"),
        ({"exportable": None}, ProtectionLevel.SOFTWARE, "in software; the service does not say whether it may leave"),
        ({"allow_plaintext_backup": "no"}, ProtectionLevel.SOFTWARE, "in software; it may be backed up in clear"),
    ],
)
def test_protection_is_what_the_server_is_worth(changes: dict[str, object], level: ProtectionLevel, summary: str) -> None:
    described = key(**changes)["data"]
    protection = describe_keeping(described, 1, service="OpenBao", plain_channel=False)
    assert protection.level is level
    assert protection.summary.startswith(summary)
    assert protection.claims["created"] == "2026-01-02T03:04:05Z"
    assert describe_keeping(described, 1, service="OpenBao", plain_channel=True).level is ProtectionLevel.SOFTWARE


def test_a_server_without_tls_vouches_for_nothing(server: Proxy) -> None:
    answer(server, KEYS, 200, key())
    _, protection = describe(server)
    assert protection.level is ProtectionLevel.SOFTWARE
    assert protection.summary == "in software, says whatever answers for HashiCorp Vault over a plain channel (http)"
    assert protection.claims["exportable"] == "false"


# --- logins -------------------------------------------------------------------------------------------------------------

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


def test_a_new_key_has_no_version() -> None:
    with pytest.raises(ConfigurationError, match="a new key begins with version 1"):
        VaultBackend().generate_key("openbao://x?version=2", KeyAlgorithm.ECDSA_P256, RunContext({}, on_warning=pytest.fail))


def test_an_engine_without_keys_lists_none(server: Proxy) -> None:
    answer(server, "LIST /v1/transit/keys", 404, refusal())
    assert VaultBackend().list_keys("hashivault://", context_of(server)) == []


def test_names_that_are_none_are_not_asked_for(server: Proxy) -> None:
    names = ["../../sys/seal", 7, "release", "a/b"]
    answer(server, "LIST /v1/transit/keys", 200, {"data": {"keys": names}})
    answer(server, KEYS, 200, key())
    assert [each.label for each in VaultBackend().list_keys("hashivault://", context_of(server))] == ["release"]
    assert [line.split()[1] for line in server.requests] == ["/v1/transit/keys", "/v1/transit/keys/release"]


def test_making_a_key_is_not_repeated_where_it_may_have_happened(server: Proxy) -> None:
    answer(server, KEYS, 404, refusal())
    answer(server, "POST /v1/transit/keys/release", 500, refusal("x"))
    with pytest.raises(CustodyError, match=r"did not answer, or failed \(500\)"):
        VaultBackend().generate_key("hashivault://release", KeyAlgorithm.ECDSA_P256, context_of(server))
    assert server.count("POST /v1/transit/keys/release") == 1
