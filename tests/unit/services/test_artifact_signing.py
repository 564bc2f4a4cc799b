"""Artifact Signing: what it is sent, how a signature is waited for, and under which certificate."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.testing.observed import assert_presentable
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.errors import CredentialRotatedError, CustodyError, UnsupportedError, WrongSignatureError
from hatch_sign.values.public_keys import verify_digest
from hatch_sign_services.artifact_signing import ArtifactSigningBackend
from tests.unit.remote.services import Time

from .artifact_signing_failing import DIGEST, SCHEME, failure
from .fake_artifact_signing import TOKEN, VERSION
from .helpers import artifact_signing_key
from .https_server import Answer

if TYPE_CHECKING:
    from .conftest import ArtifactSigningRig

PROFILE = "/codesigningaccounts/releases/certificateprofiles/public-trust"


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
