"""Artifact Signing: what each of its refusals and faults becomes."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from hatch_sign.testing.observed import assert_presentable
from hatch_sign.values.errors import CustodyError, HatchSignError, KeyNotFoundError, SecretRejectedError
from hatch_sign.values.public_keys import verify_digest
from hatch_sign_services.artifact_signing.answers import parse_operation
from tests.unit.remote.services import Time

from .artifact_signing_failing import DIGEST, SCHEME, failure
from .fake_artifact_signing import TOKEN
from .helpers import IMPATIENT, artifact_signing_key
from .https_server import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import ArtifactSigningRig


# --- what it refuses --------------------------------------------------------------------------------------------------

REFUSALS: list[tuple[dict[str, Any], type[HatchSignError], str]] = [
    ({"token": "another"}, SecretRejectedError, "did not accept the credential: it is wrong, or has expired (401); log in"),
    ({"account": "others"}, KeyNotFoundError, "has no such account or certificate profile in this region (404)"),
    ({"profile": "private-trust"}, KeyNotFoundError, "has no such account or certificate profile in this region (404)"),
    (
        {"has_role": False},
        CustodyError,
        "refused (403); the permission Microsoft.CodeSigning/certificateProfiles/Sign/action is missing; assign the role",
    ),
]


@pytest.mark.parametrize(("changes", "expected", "reason"), REFUSALS, ids=lambda value: str(value)[:40])
def test_what_the_service_refuses_is_told(
    artifact_signing: ArtifactSigningRig, changes: dict[str, object], expected: type[HatchSignError], reason: str
) -> None:
    reference = artifact_signing.reference
    for name, value in changes.items():
        setattr(artifact_signing.fake, name, value)
    error = failure(artifact_signing, reference)
    assert type(error) is expected
    assert f"{reference}: Azure Artifact Signing {reason}" in str(error)
    assert len(artifact_signing.service.requests) == 1


def test_a_version_that_is_not_spoken_any_more_is_told(
    artifact_signing: ArtifactSigningRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hatch_sign_services.artifact_signing.key.API_VERSION", "2020-01-01")
    assert "cannot do this with the key (400)" in failure(artifact_signing).message


# A status, the error that it becomes, what it says, and how often the service is asked.
STATUSES = [
    (400, CustodyError, "cannot do this with the key (400)", 1),
    (401, SecretRejectedError, "(401)", 1),
    (403, CustodyError, "refused (403); the permission Microsoft.CodeSigning", 1),
    (404, KeyNotFoundError, "has no such account or certificate profile", 1),
    (405, CustodyError, "(405)", 1),
    (409, CustodyError, "(409)", 1),
    (429, CustodyError, "asked for fewer calls 3 times (429)", 3),
    (500, CustodyError, "failed inside, and may have made the signature; it is not asked for it again (500)", 1),
    (503, CustodyError, "failed inside, and may have made the signature; it is not asked for it again (503)", 1),
    (504, CustodyError, "failed inside, and may have made the signature; it is not asked for it again (504)", 1),
    (302, CustodyError, "answered with a redirection, which is not followed", 1),
]

ERRORS = [
    {"errorDetail": {"code": "InternalError", "message": f"of Bearer {TOKEN}\nmore", "target": None}},
    {"status": 1, "title": f"Bearer {TOKEN}", "errors": {"digest": ["The digest is invalid."]}},
]


@pytest.mark.parametrize("body", ERRORS, ids=["detail", "problem"])
@pytest.mark.parametrize(("status", "expected", "reason", "asked"), STATUSES)
def test_every_status_is_one_error(  # noqa: PLR0917 - a table
    artifact_signing: ArtifactSigningRig,
    status: int,
    expected: type[HatchSignError],
    reason: str,
    asked: int,
    body: dict[str, object],
) -> None:
    with artifact_signing_key(artifact_signing, Time(chance=0.0)) as key:
        key.describe()
        artifact_signing.service.scripted += [Answer.of(status, body, Location="https://127.0.0.1:1/elsewhere")] * 3
        with pytest.raises(HatchSignError) as caught:
            key.sign_digest(DIGEST, SCHEME)
    assert type(caught.value) is expected
    assert reason in caught.value.message
    assert_presentable(caught.value, [TOKEN])
    assert len(artifact_signing.service.requests) == 1 + asked


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_passes_is_asked_again_without_another_signature(artifact_signing: ArtifactSigningRig, status: int) -> None:
    time = Time(chance=0.0)
    with artifact_signing_key(artifact_signing, time) as key:
        key.describe()
        submit = artifact_signing.service.respond

        def throttled_once(request: Any) -> Answer:  # noqa: ANN401 - as the service has it
            if request.method == "GET":
                artifact_signing.service.respond = submit
                return Answer.of(status, {}, Retry_After="7")
            return submit(request)

        artifact_signing.service.respond = throttled_once
        assert verify_digest(artifact_signing.fake.leaf.key.public_key(), key.sign_digest(DIGEST, SCHEME), DIGEST, SCHEME)
    assert 7.0 in time.slept
    assert len(artifact_signing.fake.operations) == 1


@pytest.mark.parametrize("fault", ["vanish", "cut", "stall", "drip"])
def test_a_connection_that_fails_is_one_error(artifact_signing: ArtifactSigningRig, fault: str) -> None:
    with artifact_signing_key(artifact_signing, Time(chance=0.0), limits=IMPATIENT) as key:
        key.describe()
        answer = Answer(200, b"{" + b" " * 100, fault=fault)
        artifact_signing.service.scripted += [answer]
        with pytest.raises(CustodyError, match=r"(broke the connection off|did not answer in time), and may have made the"):
            key.sign_digest(DIGEST, SCHEME)
        artifact_signing.service.scripted += [answer] * 2
        with pytest.raises(CustodyError, match=r"(broke the connection off|did not answer in time) 2 times"):
            key.describe()
        assert key.sign_digest(DIGEST, SCHEME)


@pytest.mark.parametrize("body", [b"", b"no certificates", b"\x30\x03\x02\x01\x00"])
def test_a_chain_that_is_none_is_refused(artifact_signing: ArtifactSigningRig, body: bytes) -> None:
    artifact_signing.service.scripted += [Answer(200, body)]
    assert "sent no chain of certificates" in failure(artifact_signing).message


def test_a_chain_of_two_is_refused(artifact_signing: ArtifactSigningRig) -> None:
    fake = artifact_signing.fake
    fake.turn()
    both = [leaf.certificate for leaf in fake.leaves]
    artifact_signing.service.scripted += [Answer(200, pkcs7.serialize_certificates(both, Encoding.DER))]
    assert "2 certificates that are not one chain" in failure(artifact_signing).message


# --- answers ----------------------------------------------------------------------------------------------------------


def finished(rig: ArtifactSigningRig) -> dict[str, object]:
    """Return what a finished operation says."""
    inner = base64.encodebytes(rig.fake.chain(rig.fake.leaf)).replace(b"\n", b"\r\n")
    signature = base64.b64encode(bytes(384)).decode()
    return {"status": "Succeeded", "signature": signature, "signingCertificate": base64.b64encode(inner).decode()}


def test_a_certificate_is_decoded_twice(artifact_signing: ArtifactSigningRig) -> None:
    operation = parse_operation(json.dumps(finished(artifact_signing)).encode())
    assert operation.signed is not None
    assert operation.signed.signature == bytes(384)
    assert operation.signed.chain[0] == artifact_signing.fake.leaf.certificate


def test_the_nested_form_of_later_versions_is_read(artifact_signing: ArtifactSigningRig) -> None:
    flat = finished(artifact_signing)
    nested = {"id": "1", "status": flat.pop("status"), "result": flat}
    assert parse_operation(json.dumps(nested).encode()).signed is not None


MALFORMED: dict[str, Callable[[dict[str, object]], object]] = {
    "no object": lambda _: [],
    "no status": lambda content: {**content, "status": None},
    "status is no text": lambda content: {**content, "status": 1},
    "no identifier": lambda _: {"status": "Running"},
    "an identifier that is a path": lambda _: {"status": "Running", "operationId": "../../certchain"},
    "no signature": lambda content: {**content, "signature": None},
    "an empty signature": lambda content: {**content, "signature": ""},
    "no certificate": lambda content: {**content, "signingCertificate": None},
    "a certificate encoded once": lambda content: {
        **content,
        "signingCertificate": base64.b64decode(str(content["signingCertificate"])).decode().replace("\r\n", ""),
    },
    "a certificate that is none": lambda content: {**content, "signingCertificate": base64.b64encode(b"QUJD").decode()},
    "a certificate that is no text": lambda content: {**content, "signingCertificate": base64.b64encode(b"\xff").decode()},
}


@pytest.mark.parametrize("fault", MALFORMED)
def test_an_answer_that_is_none_is_refused(artifact_signing: ArtifactSigningRig, fault: str) -> None:
    with artifact_signing_key(artifact_signing, Time(chance=0.0)) as key:
        key.describe()
        artifact_signing.service.scripted += [Answer.of(200, MALFORMED[fault](finished(artifact_signing)))]
        with pytest.raises(CustodyError, match=r"gave no answer of its interface|does not say how to ask") as caught:
            key.sign_digest(DIGEST, SCHEME)
    assert_presentable(caught.value, [])
    assert len(artifact_signing.service.requests) == 2
