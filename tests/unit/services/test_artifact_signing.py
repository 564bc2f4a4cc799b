"""Artifact Signing: what it is sent, how a signature is waited for, and what each of its refusals becomes."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import azure.core.exceptions
import azure.identity
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.remote import FailureKind
from hatch_sign.testing.observed import assert_presentable
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.errors import (
    ConfigurationError,
    CredentialRotatedError,
    CustodyError,
    HatchSignError,
    KeyNotFoundError,
    PluginError,
    SecretRejectedError,
    SecretUnavailableError,
    UnsupportedError,
    WrongSignatureError,
)
from hatch_sign.values.public_keys import verify_digest
from hatch_sign_services.artifact_signing import ArtifactSigningBackend
from hatch_sign_services.artifact_signing.answers import parse_operation
from hatch_sign_services.artifact_signing.references import parse_artifact_signing_reference
from hatch_sign_services.artifact_signing.tokens import SCOPE, Tokens
from hatch_sign_services.artifact_signing.translate import classify
from tests.unit.remote.services import Time

from .conftest import install_az
from .fake_artifact_signing import TOKEN, VERSION
from .helpers import IMPATIENT, artifact_signing_key
from .https_server import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import ArtifactSigningRig

DIGEST = hashlib.sha256(b"a wheel").digest()
SCHEME = Scheme.RSA_PKCS1_SHA256
PROFILE = "/codesigningaccounts/releases/certificateprofiles/public-trust"


def failure(rig: ArtifactSigningRig, reference: str | None = None, **environ: str) -> HatchSignError:
    """Return the error of opening the key and signing once."""
    with (
        pytest.raises(HatchSignError) as caught,
        open_signer(ArtifactSigningBackend(), reference or rig.reference, rig.context(**environ)) as signer,
    ):
        signer.sign_digest(DIGEST, SCHEME)
    assert_presentable(caught.value, [TOKEN])
    return caught.value


# --- the wire ---------------------------------------------------------------------------------------------------------


def test_a_signature_is_submitted_and_asked_for(artifact_signing: ArtifactSigningRig) -> None:
    artifact_signing.fake.rounds = 1
    with open_signer(ArtifactSigningBackend(), artifact_signing.reference, artifact_signing.context()) as signer:
        assert signer.sign_digest(DIGEST, SCHEME)
    (identifier,) = artifact_signing.fake.operations
    chain, submitted, *asked = artifact_signing.service.requests
    assert (chain.method, chain.path) == ("GET", f"{PROFILE}/sign/certchain?api-version={VERSION}")
    assert (submitted.method, submitted.path) == ("POST", f"{PROFILE}/sign?api-version={VERSION}")
    assert json.loads(submitted.body) == {"signatureAlgorithm": "RS256", "digest": base64.b64encode(DIGEST).decode()}
    assert [(each.method, each.path) for each in asked] == [
        ("GET", f"{PROFILE}/sign/{identifier}?api-version={VERSION}")
    ] * 2
    assert all(each.headers["authorization"] == f"Bearer {TOKEN}" for each in artifact_signing.service.requests)


def test_the_chain_costs_no_signature_and_is_put_in_order(artifact_signing: ArtifactSigningRig) -> None:
    fake = artifact_signing.fake
    with open_signer(ArtifactSigningBackend(), artifact_signing.reference, artifact_signing.context()) as signer:
        assert signer.certificates == (fake.leaf.certificate, fake.intermediate.certificate, fake.root.certificate)
    assert fake.operations == {}


@pytest.mark.parametrize("scheme", [scheme for scheme in Scheme if scheme.family.startswith("rsa")])
def test_every_scheme_has_its_name(artifact_signing: ArtifactSigningRig, scheme: Scheme) -> None:
    digest = hashlib.new(str(scheme.hash), b"a wheel").digest()
    with open_signer(ArtifactSigningBackend(), artifact_signing.reference, artifact_signing.context()) as signer:
        assert verify_digest(signer.public_key, signer.sign_digest(digest, scheme), digest, scheme)


def test_it_says_that_signatures_need_a_timestamp(artifact_signing: ArtifactSigningRig) -> None:
    with open_signer(ArtifactSigningBackend(), artifact_signing.reference, artifact_signing.context()) as signer:
        assert signer.needs_timestamp


def test_azure_vouches_for_the_key(artifact_signing: ArtifactSigningRig) -> None:
    with open_signer(ArtifactSigningBackend(), artifact_signing.reference, artifact_signing.context()) as signer:
        assert signer.protection.level.value == "provider-asserted"
        assert signer.protection.claims == {"account": "releases", "certificate-profile": "public-trust"}


# --- waiting ----------------------------------------------------------------------------------------------------------


def test_it_waits_as_long_as_the_service_says(artifact_signing: ArtifactSigningRig) -> None:
    artifact_signing.fake.rounds, artifact_signing.fake.retry_after = 3, "5"
    time = Time(chance=0.0)
    with artifact_signing_key(artifact_signing, time) as key:
        key.describe()
        assert key.sign_digest(DIGEST, SCHEME)
    assert time.slept == [5.0] * 4


def test_where_the_service_says_nothing_it_waits_longer_each_time(artifact_signing: ArtifactSigningRig) -> None:
    artifact_signing.fake.rounds, artifact_signing.fake.retry_after = 6, "soon"
    time = Time(chance=0.0)
    with artifact_signing_key(artifact_signing, time) as key:
        key.describe()
        assert key.sign_digest(DIGEST, SCHEME)
    assert time.slept == [0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0]


@pytest.mark.parametrize("asked", ["0", "Thu, 01 Jan 1970 00:00:00 GMT"])
def test_it_pauses_also_where_the_service_asks_for_no_patience(artifact_signing: ArtifactSigningRig, asked: str) -> None:
    artifact_signing.fake.rounds, artifact_signing.fake.retry_after = 2, asked
    time = Time(chance=0.0)
    with artifact_signing_key(artifact_signing, time) as key:
        key.describe()
        assert key.sign_digest(DIGEST, SCHEME)
    assert time.slept == [0.2, 0.4, 0.8]


def test_it_waits_no_longer_once_the_run_is_given_up(artifact_signing: ArtifactSigningRig) -> None:
    artifact_signing.fake.rounds, artifact_signing.fake.retry_after = 10, "30"
    context = artifact_signing.context()
    respond = artifact_signing.service.respond

    def give_up(request: Any) -> Answer:  # noqa: ANN401 - as the service has it
        if request.method == "POST":
            context.stop()
        return respond(request)

    artifact_signing.service.respond = give_up
    opened = ArtifactSigningBackend().open(artifact_signing.reference, context)
    with opened as signer, pytest.raises(CustodyError, match="had not finished the signature when the run was given up"):
        signer.sign_digest(DIGEST, SCHEME)
    assert [request.method for request in artifact_signing.service.requests] == ["GET", "POST"]


def test_it_does_not_wait_for_ever(artifact_signing: ArtifactSigningRig) -> None:
    artifact_signing.fake.rounds, artifact_signing.fake.retry_after = 20, "9"
    time = Time(chance=0.0)
    with artifact_signing_key(artifact_signing, time) as key:
        key.describe()
        with pytest.raises(CustodyError, match="did not finish the signature in time"):
            key.sign_digest(DIGEST, SCHEME)
    assert sum(time.slept) <= 60


@pytest.mark.parametrize(
    ("final", "reason"),
    [
        ("Failed", r"could not make the signature \(Failed\); see the sign logs of the account"),
        ("TimedOut", r"did not make the signature in its own time \(TimedOut\)"),
        ("NotFound", r"does not know of the signature that it was asked for \(NotFound\)"),
        ("Postponed", "gave the signature a state that is not one of its interface"),
    ],
)
def test_a_signature_that_is_not_made_is_one_error(artifact_signing: ArtifactSigningRig, final: str, reason: str) -> None:
    artifact_signing.fake.final = final
    with artifact_signing_key(artifact_signing, Time(chance=0.0)) as key:
        key.describe()
        with pytest.raises(CustodyError, match=reason):
            key.sign_digest(DIGEST, SCHEME)
    assert len(artifact_signing.fake.operations) == 1


# --- a certificate that changes ---------------------------------------------------------------------------------------


def test_a_leaf_that_changed_is_announced_and_the_signature_repeated(artifact_signing: ArtifactSigningRig) -> None:
    fake = artifact_signing.fake
    with open_signer(ArtifactSigningBackend(), artifact_signing.reference, artifact_signing.context()) as signer:
        assert signer.sign_digest(DIGEST, SCHEME)
        fake.turn()
        with pytest.raises(CredentialRotatedError) as caught:
            signer.sign_digest(DIGEST, SCHEME)
        assert_presentable(caught.value, [TOKEN])
        assert signer.certificates[0] == fake.leaf.certificate
        assert signer.public_key == fake.leaf.key.public_key()
        assert verify_digest(signer.public_key, signer.sign_digest(DIGEST, SCHEME), DIGEST, SCHEME)


def test_a_signature_of_another_key_under_the_announced_leaf_is_caught(artifact_signing: ArtifactSigningRig) -> None:
    artifact_signing.fake.leaf.key = artifact_signing.fake.keys[1]
    assert isinstance(failure(artifact_signing), WrongSignatureError)


def test_a_profile_with_another_kind_of_key_is_refused(artifact_signing: ArtifactSigningRig) -> None:
    fake = artifact_signing.fake
    leaf = fake.intermediate.certify("Example Ltd", ec.generate_private_key(ec.SECP256R1()))
    artifact_signing.service.scripted += [Answer(200, pkcs7.serialize_certificates([leaf], Encoding.DER))]
    error = failure(artifact_signing)
    assert isinstance(error, UnsupportedError)
    assert "a key of kind ecdsa-p256" in error.message


# --- references -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("artifact-signing://weu/releases", "not of the form"),
        ("artifact-signing://weu/releases/public-trust/more", "not of the form"),
        ("artifact-signing:weu/releases/public-trust", "not of the form"),
        ("artifact-signing://weu.evil.example/releases/public-trust", "not of the form"),
        ("artifact-signing://WEU/releases/public-trust", "not of the form"),
        ("artifact-signing://weu/releases/../public-trust", "not of the form"),
        ("artifact-signing://weu/rel%2Feases/public-trust", "not of the form"),
        ("artifact-signing://weu/releases/public-trust?endpoint=x", "`endpoint` is not a setting"),
        ("artifact-signing://weu/releases/public-trust?pin-source=env:PIN", "a pin-source does not take part"),
    ],
)
def test_a_reference_that_cannot_be_is_refused(artifact_signing: ArtifactSigningRig, reference: str, reason: str) -> None:
    error = failure(artifact_signing, reference)
    assert isinstance(error, ConfigurationError)
    assert reason in error.message
    assert artifact_signing.service.requests == []


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://evil.example",
        "http://127.0.0.1:80",
        "https://127.0.0.1:80/x",
        "https://127.0.0.1.evil.example:80",
        "https://x@127.0.0.1:1",
    ],
)
def test_the_token_goes_to_azure_or_stays_on_this_machine(artifact_signing: ArtifactSigningRig, endpoint: str) -> None:
    error = failure(artifact_signing, HATCH_SIGN_ARTIFACT_SIGNING_ENDPOINT=endpoint)
    assert isinstance(error, ConfigurationError)
    assert "not of the form https://127.0.0.1:PORT" in error.message
    assert not (artifact_signing.folder / "az.log").exists()


def test_the_region_is_part_of_the_address() -> None:
    parsed = parse_artifact_signing_reference("artifact-signing://weu/releases/public-trust")
    assert parsed.origin({}) == "https://weu.codesigning.azure.net"


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


# --- the login --------------------------------------------------------------------------------------------------------


def test_one_login_serves_the_run(artifact_signing: ArtifactSigningRig) -> None:
    with open_signer(ArtifactSigningBackend(), artifact_signing.reference, artifact_signing.context()) as signer:
        for _ in range(3):
            signer.sign_digest(DIGEST, SCHEME)
    assert (artifact_signing.folder / "az.log").read_text() == "called\n"


def test_a_token_is_fetched_again_before_it_ends() -> None:
    now, given = [1000.0], []

    def get_token(scope: str) -> SimpleNamespace:
        given.append(scope)
        return SimpleNamespace(token=f"token {len(given)}", expires_on=int(now[0]) + 3600)

    tokens = Tokens(SimpleNamespace(get_token=get_token), clock=lambda: now[0])
    assert tokens.bearer() == tokens.bearer() == "Bearer token 1"
    now[0] += 3600 - 301
    assert tokens.bearer() == "Bearer token 1"
    now[0] += 1
    assert tokens.bearer() == "Bearer token 2"
    assert given == [SCOPE, SCOPE]


def test_nobody_who_is_logged_in_is_told_how_to(artifact_signing: ArtifactSigningRig) -> None:
    install_az(artifact_signing.folder, status=1)
    error = failure(artifact_signing)
    assert isinstance(error, SecretUnavailableError)
    assert "needs a credential, and none was found; log in with `az login`" in str(error)
    assert logging.getLogger("azure.identity").handlers, "what azure-identity logs would be printed beside the error"


def test_an_identity_that_azure_refused_is_told_of(artifact_signing: ArtifactSigningRig) -> None:
    install_az(artifact_signing.folder, status=1, complaint=f"AADSTS700016: no such application {TOKEN}")
    error = failure(artifact_signing)
    assert isinstance(error, SecretRejectedError)
    assert "did not accept the credential" in error.message


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (azure.identity.CredentialUnavailableError(TOKEN), FailureKind.NO_CREDENTIAL),
        (azure.core.exceptions.ClientAuthenticationError(TOKEN), FailureKind.NO_CREDENTIAL),
        (azure.core.exceptions.ClientAuthenticationError(f"AADSTS50034: {TOKEN}"), FailureKind.UNAUTHENTICATED),
        (azure.core.exceptions.ServiceRequestError(TOKEN), FailureKind.UNAVAILABLE),
        (azure.core.exceptions.ServiceResponseError(TOKEN), FailureKind.UNAVAILABLE),
    ],
)
def test_every_failure_of_the_login_is_one_of_ours(error: Exception, kind: FailureKind) -> None:
    failure = classify(error)
    assert failure is not None
    assert failure.kind is kind
    assert TOKEN not in repr(failure)


def test_what_nobody_knows_is_left_to_be_named_by_its_type() -> None:
    assert classify(RuntimeError(TOKEN)) is None


def test_without_the_extra_its_name_is_told(artifact_signing: ArtifactSigningRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    error = failure(artifact_signing)
    assert isinstance(error, PluginError)
    assert 'pip install "hatch-sign-services[azure]"' in error.remedy
