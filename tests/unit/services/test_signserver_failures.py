"""SignServer: what each of its refusals and faults becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.testing.observed import assert_presentable
from hatch_sign.values.errors import CustodyError, HatchSignError, KeyNotFoundError, SecretRejectedError, WrongSignatureError
from hatch_sign.values.public_keys import verify_digest
from hatch_sign_services.client import LARGEST
from hatch_sign_services.signserver import SignServerBackend
from tests.unit.remote.services import Time

from .helpers import IMPATIENT, signserver_key
from .https_server import Answer
from .signserver_failing import DIGEST, PASSWORD, SCHEME, alter, failure

if TYPE_CHECKING:
    from .conftest import SignServerRig

REFUSALS = [
    (
        {"client_hashing": False},
        CustodyError,
        "lets clients of this worker send no hashes (400); set ALLOW_CLIENTSIDEHASHING",
    ),
    ({"accepted": ("SHA-512",)}, CustodyError, "does not accept this hash for the worker (400); add it to ACCEPTED_HASH"),
    (
        {"clients": frozenset()},
        SecretRejectedError,
        "does not let this client use the worker (401); check the client certificate",
    ),
    ({"online": False}, CustodyError, "crypto token is offline 3 times (503); activate the token"),
    ({"accepted": ()}, CustodyError, "failed inside, and may have made the signature"),
    ({"algorithm": "SHA256withDSA"}, CustodyError, "failed inside, and may have made the signature"),
]


@pytest.mark.parametrize(("changes", "expected", "reason"), REFUSALS, ids=lambda value: str(value)[:40])
def test_what_the_worker_refuses_is_told(
    signserver: SignServerRig, changes: dict[str, object], expected: type[HatchSignError], reason: str
) -> None:
    alter(signserver, **changes)
    with signserver_key(signserver, Time(chance=0.0)) as key, pytest.raises(HatchSignError) as caught:
        key.sign_digest(DIGEST, SCHEME)
    assert type(caught.value) is expected
    assert reason in str(caught.value)
    assert f"signserver+https://127.0.0.1:{signserver.service.port}/signserver/workers/ecdsa-p256" in caught.value.message
    assert_presentable(caught.value, [])


def test_an_unknown_worker_is_told(signserver: SignServerRig) -> None:
    reference = signserver.reference().replace("/workers/ecdsa-p256", "/workers/99")
    error = failure(signserver, reference)
    assert isinstance(error, KeyNotFoundError)
    assert "has no such worker (404)" in error.message


# A status, the error that it becomes, what it says, and how often the service is asked.
STATUSES = [
    (400, CustodyError, "cannot do this with the key (400)", 1),
    (401, SecretRejectedError, "does not let this client use the worker (401)", 1),
    (403, CustodyError, "refused (403)", 1),
    (404, KeyNotFoundError, "has no such worker (404)", 1),
    (405, CustodyError, "(405)", 1),
    (406, CustodyError, "(406)", 1),
    (413, CustodyError, "(413)", 1),
    (415, CustodyError, "(415)", 1),
    (429, CustodyError, "asked for fewer calls 3 times (429)", 3),
    (500, CustodyError, "failed inside, and may have made the signature; it is not asked for it again (500)", 1),
    (502, CustodyError, "failed inside, and may have made the signature; it is not asked for it again (502)", 1),
    (503, CustodyError, "crypto token is offline 3 times (503)", 3),
    (504, CustodyError, "failed inside, and may have made the signature; it is not asked for it again (504)", 1),
    (301, CustodyError, "answered with a redirection, which is not followed", 1),
    (307, CustodyError, "answered with a redirection, which is not followed", 1),
]


@pytest.mark.parametrize(("status", "expected", "reason", "asked"), STATUSES)
def test_every_status_is_one_error(
    signserver: SignServerRig, status: int, expected: type[HatchSignError], reason: str, asked: int
) -> None:
    body = {"error": f"repeats {PASSWORD} and\nmore"}
    signserver.service.scripted += [Answer.of(status, body, Location="https://127.0.0.1:1/elsewhere")] * 3
    with signserver_key(signserver, Time(chance=0.0)) as key, pytest.raises(HatchSignError) as caught:
        key.sign_digest(DIGEST, SCHEME)
    assert type(caught.value) is expected
    assert reason in caught.value.message
    assert_presentable(caught.value, [PASSWORD, "repeats"])
    assert len(signserver.service.requests) == asked


@pytest.mark.parametrize("status", [429, 503])
def test_what_passes_is_asked_again_when_the_service_says(signserver: SignServerRig, status: int) -> None:
    signserver.service.scripted += [Answer.of(status, {}, Retry_After="7"), Answer.of(status, {})]
    time = Time(chance=0.0)
    with signserver_key(signserver, time) as key:
        signature = key.sign_digest(DIGEST, SCHEME)
    assert verify_digest(signserver.worker.key.public_key(), signature, DIGEST, SCHEME)
    assert time.slept == [7.0, 0.0]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("vanish", "broke the connection off, and may have made the signature"),
        ("cut", "broke the connection off, and may have made the signature"),
        ("stall", "did not answer in time, and may have made the signature"),
        ("drip", "did not answer in time, and may have made the signature"),
    ],
)
def test_a_connection_that_fails_is_one_error(signserver: SignServerRig, fault: str, reason: str) -> None:
    answer = Answer(200, b"{" + b" " * 100, fault=fault)
    signserver.service.scripted += [answer]
    with signserver_key(signserver, Time(chance=0.0), limits=IMPATIENT) as key:
        with pytest.raises(CustodyError, match=reason):
            key.sign_digest(DIGEST, SCHEME)
        assert len(signserver.service.requests) == 1
        assert verify_digest(signserver.worker.key.public_key(), key.sign_digest(DIGEST, SCHEME), DIGEST, SCHEME)


def test_a_service_that_is_not_there_is_one_error(signserver: SignServerRig) -> None:
    reference = signserver.reference().replace(f":{signserver.service.port}/", ":9/")
    opened = signserver_key(signserver, Time(chance=0.0), reference=reference)
    with opened as key, pytest.raises(CustodyError, match="could not be reached 3 times; check the network"):
        key.sign_digest(DIGEST, SCHEME)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "is not JSON"),
        (b"<html>", "is not JSON"),
        (b"[]", "the answer is not an object"),
        (b"{}", "the answer lacks data"),
        (b'{"data": 1}', "the answer.data is not a string"),
        (b'{"data": ""}', "data is not canonical base64"),
        (b'{"data": "AAA"}', "data is not canonical base64"),
        (b'{"data": "AAAA", "data": "AAAA"}', "same member twice"),
        (b'{"data": "AAAA", "signerCertificate": "?"}', "signerCertificate is not canonical base64"),
        (b" " * (LARGEST + 1), "answered with more than 1048576 bytes"),
    ],
)
def test_an_answer_that_is_none_is_refused(signserver: SignServerRig, body: bytes, reason: str) -> None:
    signserver.service.scripted += [Answer(200, body)]
    error = failure(signserver)
    assert type(error) is CustodyError
    assert reason in error.message
    assert len(signserver.service.requests) == 1


def test_a_signature_of_another_key_is_caught(signserver: SignServerRig) -> None:
    signserver.worker.key = ec.generate_private_key(ec.SECP256R1())
    assert isinstance(failure(signserver), WrongSignatureError)


def test_a_certificate_that_was_renewed_is_told_once(signserver: SignServerRig) -> None:
    signserver.worker.certificate = signserver.authority.certify("renewed", signserver.worker.key)
    with open_signer(SignServerBackend(), signserver.reference(), signserver.context()) as signer:
        assert signer.sign_digest(DIGEST, SCHEME)
        assert signer.sign_digest(DIGEST, SCHEME)
    (warning,) = signserver.warnings
    assert f"has another certificate than {signserver.folder}/ecdsa-p256.pem: fetch the new chain" in warning
