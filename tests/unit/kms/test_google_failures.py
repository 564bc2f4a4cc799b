"""Every status of Google Cloud KMS, and every exception of a login, becomes one error that a person can act on."""

from __future__ import annotations

import hashlib
import socketserver
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import grpc
import pytest
from google.api_core import exceptions as api
from google.auth import exceptions as auth
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped] # it comes without types
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped] # as above

from hatch_sign.remote import FailureKind
from hatch_sign.testing.observed import assert_presentable
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.errors import (
    CustodyError,
    KeyNotFoundError,
    SecretRejectedError,
)
from hatch_sign_kms.google.translate import classify

from .google_rig import Rig, make_service, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

DIGEST = hashlib.sha256(b"artifact").digest()
SECRET = "ya29.s3cr3t-credential"  # noqa: S105 - what no error may show
STATUSES = [status.name for status in grpc.StatusCode if status is not grpc.StatusCode.OK]
REPEATED = {"RESOURCE_EXHAUSTED", "UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL", "UNKNOWN", "ABORTED", "CANCELLED"}

EXPECTED: dict[str, tuple[type[CustodyError], str]] = {
    "UNAUTHENTICATED": (SecretRejectedError, "did not accept the credential: it is wrong, or has expired"),
    "PERMISSION_DENIED": (CustodyError, "the permission cloudkms.cryptoKeyVersions.useToSign is missing"),
    "NOT_FOUND": (KeyNotFoundError, "has no such key"),
    "ALREADY_EXISTS": (CustodyError, "has a key of this name already"),
    "FAILED_PRECONDITION": (CustodyError, "cannot use this version of the key: it is disabled"),
    "INVALID_ARGUMENT": (CustodyError, "cannot do this with the key"),
    "OUT_OF_RANGE": (CustodyError, "cannot do this with the key"),
    "UNIMPLEMENTED": (CustodyError, "does not know this call"),
    "RESOURCE_EXHAUSTED": (CustodyError, "asked for fewer calls 7 times"),
    "UNAVAILABLE": (CustodyError, "did not answer, or failed 7 times"),
    "DEADLINE_EXCEEDED": (CustodyError, "did not answer in time 7 times"),
    "INTERNAL": (CustodyError, "failed inside 7 times"),
    "UNKNOWN": (CustodyError, "failed inside 7 times"),
    "ABORTED": (CustodyError, "did not answer, or failed 7 times"),
    "CANCELLED": (CustodyError, "did not answer, or failed 7 times"),
    "DATA_LOSS": (CustodyError, "lost data on the way"),
}


@pytest.fixture
def rig() -> Iterator[Rig]:
    with opened(make_service(), version="1") as rig:
        rig.key.describe()
        rig.service.calls.clear()
        yield rig


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_is_one_error(rig: Rig, status: str) -> None:
    rig.service.fail("AsymmetricSign", status, f"Bearer {SECRET} said no", times=99)
    kind, found = EXPECTED[status]
    with pytest.raises(CustodyError) as caught:
        rig.key.sign_digest(DIGEST, Scheme.ECDSA_SHA256)
    assert type(caught.value) is kind
    assert str(caught.value).startswith(f"{rig.caller.key}: Google Cloud KMS ")
    assert found in str(caught.value)
    assert f"({status})" in str(caught.value)
    assert caught.value.remedy
    assert_presentable(caught.value, (SECRET,))
    assert len(rig.service.calls) == (7 if status in REPEATED else 1)


@pytest.mark.parametrize("status", sorted(REPEATED))
def test_what_passes_is_tried_again(rig: Rig, status: str) -> None:
    rig.service.fail("AsymmetricSign", status, times=2)
    assert rig.key.sign_digest(DIGEST, Scheme.ECDSA_SHA256)
    assert rig.service.calls == ["AsymmetricSign"] * 3
    assert rig.time.slept == [0.25, 0.5]


def test_the_delay_that_the_service_asks_for_comes_on_top(rig: Rig) -> None:
    details = Any()
    details.Pack(RetryInfo(retry_delay=Duration(seconds=3, nanos=500_000_000)))
    status = Status(code=grpc.StatusCode.RESOURCE_EXHAUSTED.value[0], message="quota", details=[details])
    trailing = (("grpc-status-details-bin", status.SerializeToString()),)
    rig.service.fail("AsymmetricSign", "RESOURCE_EXHAUSTED", "quota", trailing=trailing)
    assert rig.key.sign_digest(DIGEST, Scheme.ECDSA_SHA256)
    assert rig.time.slept == [3.75]


def test_silence_ends() -> None:
    with opened(make_service(), version="1", read=0.05) as rig:
        rig.service.delay = 0.5
        with pytest.raises(CustodyError, match=r"did not answer in time 7 times \(DEADLINE_EXCEEDED\)"):
            rig.key.describe()


def test_nobody_is_there(rig: Rig) -> None:
    rig.server.stop()
    with pytest.raises(CustodyError, match=r"did not answer, or failed 7 times \(UNAVAILABLE\)") as caught:
        rig.key.sign_digest(DIGEST, Scheme.ECDSA_SHA256)
    assert_presentable(caught.value, ())


@contextmanager
def listening(answer: bytes) -> Iterator[int]:
    """Listen on a port, and answer whoever comes with the same bytes; with none, say nothing at all."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(4096)
            if answer:
                self.request.sendall(answer)
            else:
                ended.wait(10)

    ended = threading.Event()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads, server.block_on_close = True, False
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            ended.set()
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (b"", "did not answer in time 7 times (DEADLINE_EXCEEDED)"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "7 times"),
        (b"\0" * 64, "7 times"),
    ],
    ids=["silence", "another protocol", "rubbish"],
)
def test_what_is_no_such_service(answer: bytes, found: str) -> None:
    patience = 0.2 if answer else 0.05
    with listening(answer) as port, opened(make_service(), version="1", read=patience, port=port) as rig:
        with pytest.raises(CustodyError) as caught:
            rig.key.describe()
        assert found in str(caught.value)
        assert_presentable(caught.value, ())


@pytest.mark.parametrize(
    ("method", "permission"),
    [
        ("ListCryptoKeyVersions", "cloudkms.cryptoKeyVersions.list"),
        ("GetPublicKey", "cloudkms.cryptoKeyVersions.viewPublicKey"),
        ("AsymmetricSign", "cloudkms.cryptoKeyVersions.useToSign"),
    ],
)
def test_the_missing_permission_is_named(method: str, permission: str) -> None:
    with opened(make_service()) as rig:
        rig.service.denied = {permission}

        def sign() -> None:
            rig.key.describe()
            rig.key.sign_digest(DIGEST, Scheme.ECDSA_SHA256)

        with pytest.raises(CustodyError, match=f"the permission {permission} is missing; allow"):
            sign()
        assert rig.service.calls[-1] == method


# --- the login -------------------------------------------------------------------------------------------------------

LOGINS: dict[type[Exception], FailureKind] = {
    auth.TransportError: FailureKind.UNAVAILABLE,
    auth.TimeoutError: FailureKind.UNAVAILABLE,
    auth.RefreshError: FailureKind.UNAUTHENTICATED,
    auth.DefaultCredentialsError: FailureKind.NO_CREDENTIAL,
    auth.MutualTLSChannelError: FailureKind.NO_CREDENTIAL,
    auth.MalformedError: FailureKind.NO_CREDENTIAL,
    auth.UserAccessTokenError: FailureKind.NO_CREDENTIAL,
    auth.InvalidOperation: FailureKind.NO_CREDENTIAL,
}


@pytest.mark.parametrize("kind", LOGINS, ids=lambda kind: kind.__name__)
def test_a_login_that_fails(kind: type[Exception]) -> None:
    failure = classify(kind(f"refresh_token={SECRET}"))
    assert failure is not None
    assert failure.kind is LOGINS[kind]
    assert SECRET not in failure.found + failure.remedy + failure.code


def test_every_exception_of_the_libraries_is_known() -> None:
    for base, argument in ((auth.GoogleAuthError, "text"), (api.GoogleAPICallError, "text")):
        for kind in {base, *_below(base)}:
            assert classify(_make(kind, argument)) is not None, kind


def test_a_token_service_that_may_answer_later_is_asked_again() -> None:
    failure = classify(auth.RefreshError("later", retryable=True))
    assert failure is not None
    assert failure.kind is FailureKind.UNAVAILABLE


@pytest.mark.parametrize(
    ("details", "kind"),
    [
        ("('invalid_grant: Token has been expired or revoked.', {})", FailureKind.UNAUTHENTICATED),
        ("('Failed to retrieve http://metadata', {})", FailureKind.UNAVAILABLE),
    ],
)
def test_a_renewal_that_fails_inside_a_call(details: str, kind: FailureKind) -> None:
    error = api.ServiceUnavailable(f"Getting metadata from plugin failed with error: {details}")
    failure = classify(error)
    assert failure is not None
    assert failure.kind is kind


def test_another_exception_is_not_theirs() -> None:
    assert classify(RuntimeError(SECRET)) is None


def _below(kind: type[Exception]) -> set[type[Exception]]:
    found = set(kind.__subclasses__())
    return found.union(*map(_below, found))


def _make(kind: type[Exception], argument: str) -> Exception:
    try:
        return kind(argument)
    except TypeError:
        return kind.__new__(kind, argument)
