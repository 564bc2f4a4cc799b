"""Artifact Signing: where the token goes, and where it comes from."""

from __future__ import annotations

import logging
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import azure.core.exceptions
import azure.identity
import pytest

from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.remote import FailureKind
from hatch_sign.values.errors import ConfigurationError, PluginError, SecretRejectedError, SecretUnavailableError
from hatch_sign_services.artifact_signing import ArtifactSigningBackend
from hatch_sign_services.artifact_signing.references import parse_artifact_signing_reference
from hatch_sign_services.artifact_signing.tokens import SCOPE, Tokens
from hatch_sign_services.artifact_signing.translate import classify

from .artifact_signing_failing import DIGEST, SCHEME, failure
from .conftest import install_az
from .fake_artifact_signing import TOKEN

if TYPE_CHECKING:
    from .conftest import ArtifactSigningRig


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
