"""What is said of the way to a key, before anything is signed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hatch_sign.contract.backends import SecretRequest, Symptom
from hatch_sign.testing.observed import ObservedContext
from hatch_sign_services.artifact_signing import ArtifactSigningBackend
from hatch_sign_services.signserver import SignServerBackend

from .conftest import install_az

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from .authority import Authority
    from .conftest import ArtifactSigningRig, SignServerRig


def told(found: Iterable[Symptom | SecretRequest]) -> list[tuple[str, str]]:
    """Return status and subject of each symptom, and of each secret the variables that may hold it."""
    return [
        ("secret", *each.variables) if isinstance(each, SecretRequest) else (each.status, each.subject)  # type: ignore[misc] # one variable each
        for each in found
    ]


def of_signserver(rig: SignServerRig, **environ: str) -> list[tuple[str, str]]:
    return told(SignServerBackend().diagnose(rig.reference(), ObservedContext(rig.context(**environ))))


WORKER = ("warning", "worker")
KEY = ("ok", "key")


def test_the_way_to_a_worker(signserver: SignServerRig, tls_folder: tuple[Path, Authority]) -> None:
    certificate = ("ok", "client certificate")
    assert of_signserver(signserver) == [certificate, KEY, WORKER]
    locked = {"SIGNSERVER_CLIENT_CERTIFICATE": f"{tls_folder[0]}/locked.pem"}
    assert of_signserver(signserver, **locked) == [("secret", "SIGNSERVER_CLIENT_KEY_PASSWORD"), certificate, KEY, WORKER]
    basic = {"SIGNSERVER_CLIENT_CERTIFICATE": "", "SIGNSERVER_USERNAME": "engineer"}
    assert of_signserver(signserver, **basic) == [("ok", "login"), ("secret", "SIGNSERVER_PASSWORD"), KEY, WORKER]
    assert of_signserver(signserver, SIGNSERVER_CLIENT_CERTIFICATE="") == [("warning", "login"), KEY, WORKER]
    assert signserver.service.requests == []


def test_what_is_in_the_way_to_a_worker(signserver: SignServerRig) -> None:
    assert of_signserver(signserver, SIGNSERVER_CLIENT_CERTIFICATE="/nowhere") == [("failure", "login")]
    assert of_signserver(signserver, SIGNSERVER_CA_BUNDLE="/nowhere") == [("failure", "login")]
    unnamed = {"SIGNSERVER_USERNAME": "engineer", "SIGNSERVER_PASSWORD": "open sesame"}
    assert of_signserver(signserver, **unnamed) == [("failure", "login")]
    (signserver.folder / "ecdsa-p256.pem").unlink()
    assert of_signserver(signserver) == [("ok", "client certificate"), ("failure", "key")]


def of_artifact_signing(rig: ArtifactSigningRig, **environ: str) -> list[Symptom]:
    return list(ArtifactSigningBackend().diagnose(rig.reference, ObservedContext(rig.context(**environ))))


def test_the_way_to_a_profile(artifact_signing: ArtifactSigningRig) -> None:
    found = of_artifact_signing(artifact_signing)
    assert told(found) == [("ok", "address"), ("ok", "profile"), ("ok", "certificate")]
    assert found[-1].found.startswith("CN=Example Ltd, until 20")
    assert artifact_signing.fake.operations == {}


@pytest.mark.parametrize("fault", ["role", "login"])
def test_what_is_in_the_way_to_a_profile(artifact_signing: ArtifactSigningRig, fault: str) -> None:
    if fault == "role":
        artifact_signing.fake.has_role = False
    else:
        install_az(artifact_signing.folder, status=1)
    found = of_artifact_signing(artifact_signing)
    assert told(found) == [("ok", "address"), ("failure", "profile")]
    assert found[-1].remedy
