"""Every answer of a vault, every broken connection and every login that fails becomes one error a person can act on."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Literal

import azure.core.exceptions as core
import pytest
from azure.identity import AuthenticationRequiredError, CredentialUnavailableError

from hatch_sign.custody.context import RunContext
from hatch_sign.remote import FailureKind, NetworkLimits
from hatch_sign.testing.observed import assert_presentable
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.errors import CustodyError, KeyNotFoundError, SecretRejectedError, SecretUnavailableError
from hatch_sign_kms.azure import AzureBackend
from hatch_sign_kms.azure.connection import connect, make_caller
from hatch_sign_kms.azure.references import parse_azure_reference
from hatch_sign_kms.azure.translate import classify

from ...peers.kms.authority import make_loopback_certificate
from ...peers.kms.azure.rig import Fault, Reply
from ...peers.kms.faults import Fault as ServerFault
from ...peers.kms.faults import proxied
from .azure_rig import Rig, make_service, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...peers.kms.authority import LoopbackCertificate

ALONE = {"AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
DIGEST = hashlib.sha256(b"artifact").digest()

Expected = tuple[int, str, str, type[CustodyError], str]
ANSWERS: list[Expected] = [
    (400, "BadParameter", "", CustodyError, "cannot do this with the key (BadParameter)"),
    (401, "Unauthorized", "", SecretRejectedError, "did not accept the credential: it is wrong, or has expired"),
    (403, "Forbidden", "ForbiddenByRbac", CustodyError, "refused (ForbiddenByRbac); the permission keys/sign is missing"),
    (403, "Forbidden", "ForbiddenByPolicy", CustodyError, "the permission keys/sign is missing"),
    (403, "Forbidden", "AccessDenied", CustodyError, "the permission keys/sign is missing"),
    (403, "Forbidden", "ForbiddenByFirewall", CustodyError, "does not let this machine in (ForbiddenByFirewall)"),
    (403, "Forbidden", "ForbiddenByConnection", CustodyError, "does not let this machine in (ForbiddenByConnection)"),
    (403, "Forbidden", "KeyDisabled", CustodyError, "cannot use the key: it is disabled (KeyDisabled)"),
    (403, "Forbidden", "KeyExpired", CustodyError, "cannot use the key: it has expired (KeyExpired)"),
    (403, "Forbidden", "KeyNotYetValid", CustodyError, "cannot use the key: it is not valid yet (KeyNotYetValid)"),
    (403, "Forbidden", "KeyOperationForbidden", CustodyError, "does not let this key sign (KeyOperationForbidden)"),
    (404, "KeyNotFound", "", KeyNotFoundError, "has no such key (KeyNotFound)"),
    (405, "MethodNotAllowed", "", CustodyError, "cannot do this with the key (MethodNotAllowed)"),
    (407, "", "", CustodyError, "could not be reached: the proxy wants a login (407)"),
    (409, "Conflict", "ObjectIsDeletedButRecoverable", CustodyError, "keeps a deleted key of this name"),
    (409, "Conflict", "ObjectIsBeingDeleted", CustodyError, "is deleting a key of this name"),
    (501, "NotImplemented", "", CustodyError, "not one of this service"),
]
PASSING = [(408, ""), (429, "Throttled"), (500, "InternalServerError"), (502, ""), (503, ""), (504, "")]


@pytest.fixture
def rig(certificate: LoopbackCertificate, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    with opened(make_service(), certificate, monkeypatch) as rig:
        rig.key.describe()
        rig.service.calls.clear()
        yield rig


def sign(rig: Rig) -> bytes:
    return rig.key.sign_digest(DIGEST, Scheme.ECDSA_SHA256)


@pytest.mark.parametrize("expected", ANSWERS, ids=lambda expected: f"{expected[0]}-{expected[2] or expected[1]}")
def test_every_answer_is_one_error(rig: Rig, expected: Expected) -> None:
    status, code, inner, kind, found = expected
    rig.service.fail("sign", status, code, inner, times=99)
    with pytest.raises(CustodyError) as caught:
        sign(rig)
    assert type(caught.value) is kind
    assert str(caught.value).startswith(f"{rig.caller.key}: Azure Key Vault ")
    assert found in str(caught.value)
    assert caught.value.remedy
    assert_presentable(caught.value, (rig.service.token, rig.service.identity, "The stand-in's words"))
    assert rig.service.calls == ["sign"]


@pytest.mark.parametrize(("status", "code"), PASSING)
def test_what_passes_is_tried_again_by_one_policy(rig: Rig, status: int, code: str) -> None:
    rig.service.fail("sign", status, code, times=2)
    assert sign(rig)
    assert rig.service.calls == ["sign"] * 3
    assert rig.time.slept == [0.25, 0.5]


@pytest.mark.parametrize(("status", "code"), PASSING)
def test_what_does_not_pass_ends(rig: Rig, status: int, code: str) -> None:
    rig.service.fail("sign", status, code, times=99)
    with pytest.raises(CustodyError, match=rf"7 times \({code or status}\)"):
        sign(rig)
    assert rig.service.calls == ["sign"] * 7


def test_retry_after_comes_on_top(rig: Rig) -> None:
    rig.service.fail("sign", 429, "Throttled", wait="7")
    assert sign(rig)
    assert rig.time.slept == [7.25]


@pytest.mark.parametrize(
    ("reply", "found", "calls"),
    [
        (Reply(200, b"<html>not JSON</html>", {"Content-Type": "text/html"}), "not one of this service", 1),
        (Reply(200, b"{", {"Content-Type": "application/json"}), "not one of this service", 1),
        (Reply(200, b"[]", {"Content-Type": "application/json"}), "not one of this service", 1),
        (Reply(403, b"<html>", {"Content-Type": "text/html"}), "refused (403)", 1),
        (Reply(302, b"", {"Location": "https://evil.example/"}), "not one of this service (302)", 1),
        (
            Reply(200, json.dumps({"value": "A" * 400}).encode(), {"Content-Type": "application/json"}, cut=True),
            "broke off in the middle of an answer 7 times",
            7,
        ),
    ],
)
def test_rubbish(rig: Rig, reply: Reply, found: str, calls: int) -> None:
    rig.service.faults.append(Fault("sign", reply, times=99))
    with pytest.raises(CustodyError) as caught:
        sign(rig)
    assert found in str(caught.value)
    assert "evil" not in str(caught.value)
    assert_presentable(caught.value, (rig.service.token, rig.service.identity))
    assert rig.service.calls == ["sign"] * calls


@pytest.mark.parametrize(
    ("body", "headers"), [(b"{}", {"Content-Encoding": "gzip"}), (b" " * 2**20 + b"{}", {})], ids=["packed", "large"]
)
def test_an_answer_that_is_large_or_packed_is_not_read(rig: Rig, body: bytes, headers: dict[str, str]) -> None:
    rig.service.faults.append(Fault("sign", Reply(200, body, {"Content-Type": "application/json", **headers})))
    with pytest.raises(CustodyError, match="not one of this service"):
        sign(rig)
    assert rig.service.calls == ["sign"]
    assert sign(rig)


def test_silence_ends(certificate: LoopbackCertificate, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(make_service(), certificate, monkeypatch, read=0.2) as rig:
        rig.key.describe()
        rig.service.delay = 1.0
        with pytest.raises(CustodyError, match="did not answer, or failed 7 times"):
            sign(rig)


def test_nobody_is_there(rig: Rig) -> None:
    rig.server.stop()
    with pytest.raises(CustodyError, match="did not answer, or failed 7 times") as caught:
        sign(rig)
    assert_presentable(caught.value, (rig.service.token, rig.service.identity))


def test_a_vault_that_cannot_be_trusted(
    certificate: LoopbackCertificate, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = make_loopback_certificate(tmp_path_factory.mktemp("other"))
    with opened(make_service(), certificate, monkeypatch) as rig:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other.roots))
        with pytest.raises(CustodyError, match=r"showed a TLS certificate that is not trusted; .*, set REQUESTS_CA_BUNDLE"):
            rig.key.describe()
        assert rig.time.slept == []
        assert rig.service.tokens_given == 0


def test_a_host_that_wants_the_token_of_another_is_given_none(
    certificate: LoopbackCertificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(make_service(), certificate, monkeypatch) as rig:
        rig.service.resource = "https://vault.azure.net"
        with pytest.raises(CustodyError, match="not one of this service"):
            rig.key.describe()
        assert rig.service.tokens_given == 0
        assert rig.service.calls == []


@pytest.mark.parametrize(("operation", "permission"), [("describe", "keys/get"), ("sign", "keys/sign")])
def test_the_missing_permission_is_named(
    operation: str, permission: str, certificate: LoopbackCertificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(make_service(), certificate, monkeypatch) as rig:
        rig.service.denied = {permission}
        if operation == "sign":
            rig.key.describe()
        with pytest.raises(CustodyError, match=f"the permission {permission} is missing; allow"):
            sign(rig) if operation == "sign" else rig.key.describe()


# --- the login -------------------------------------------------------------------------------------------------------


def test_an_identity_that_is_refused(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_HEADER", "s3cr3t-header")
    context = RunContext({}, on_warning=list[str]().append)
    with pytest.raises(CustodyError) as caught, AzureBackend().open(f"azurekms://{rig.server.host}/signing", context):
        pass
    assert "az login" in str(caught.value)
    assert_presentable(caught.value, ("s3cr3t-header", rig.service.token))
    assert isinstance(caught.value, SecretUnavailableError | SecretRejectedError)


@pytest.mark.parametrize("kind", ["answer", "stall"])
def test_a_login_has_the_limits_of_every_call(kind: Literal["answer", "stall"], monkeypatch: pytest.MonkeyPatch) -> None:
    reference = parse_azure_reference("azurekms://release.vault.azure.net/signing")
    limits = NetworkLimits(connect=60.0, read=2.0 if kind == "answer" else 0.5)
    caller = make_caller(reference, RunContext({}, on_warning=pytest.fail), limits=limits)
    with proxied("http://127.0.0.1:9") as identity:
        identity.faults.append(ServerFault(kind, status=500, body=b"{}", times=99))
        for name, value in {"IDENTITY_ENDPOINT": identity.url, "IDENTITY_HEADER": "s3cr3t", **ALONE}.items():
            monkeypatch.setenv(name, value)
        with connect(reference, caller, connections=1) as vault, pytest.raises(core.AzureError):
            vault.credential.get_token("https://vault.azure.net/.default")
        assert len(identity.requests) == 1


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (CredentialUnavailableError("nothing is set"), FailureKind.NO_CREDENTIAL),
        (core.ClientAuthenticationError("none of the credentials could be used"), FailureKind.NO_CREDENTIAL),
        (core.ClientAuthenticationError("AADSTS7000215: Invalid client secret s3cr3t"), FailureKind.UNAUTHENTICATED),
        (AuthenticationRequiredError(["scope"]), FailureKind.NO_CREDENTIAL),
        (core.ServiceRequestError("no route"), FailureKind.UNAVAILABLE),
        (core.ServiceRequestTimeoutError("too slow"), FailureKind.UNAVAILABLE),
        (core.ServiceResponseError("cut"), FailureKind.UNAVAILABLE),
        (core.ServiceResponseTimeoutError("too slow"), FailureKind.UNAVAILABLE),
        (core.IncompleteReadError("half"), FailureKind.UNAVAILABLE),
        (core.DecodeError("no JSON"), FailureKind.MALFORMED),
        (core.TooManyRedirectsError([]), FailureKind.MALFORMED),
        (ValueError("The challenge resource does not match"), FailureKind.MALFORMED),
    ],
)
def test_what_the_libraries_raise(error: Exception, kind: FailureKind) -> None:
    failure = classify(error)
    assert failure is not None
    assert failure.kind is kind
    assert "s3cr3t" not in failure.found + failure.remedy + failure.code


def test_every_exception_of_the_library_is_known() -> None:
    bases = (core.HttpResponseError, core.ServiceRequestError, core.ServiceResponseError)
    known = {kind for base in bases for kind in {base, *_below(base)} if kind.__module__ == core.__name__}
    known.remove(core.ODataV4Error)  # It is made of an answer only, and is an HttpResponseError like any other.
    assert len(known) > 10
    assert [kind for kind in known if classify(kind("text")) is None] == []


def test_another_exception_is_not_theirs() -> None:
    assert classify(RuntimeError("s3cr3t")) is None


def _below(kind: type[Exception]) -> set[type[Exception]]:
    found = set(kind.__subclasses__())
    return found.union(*map(_below, found))
