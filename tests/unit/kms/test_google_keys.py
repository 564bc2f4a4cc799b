"""Making, listing and looking for keys of Google Cloud KMS."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from google.cloud import kms_v1

from hatch_sign.contract.backends import Symptom
from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.custody.context import RunContext
from hatch_sign.testing.observed import assert_presentable
from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.errors import (
    ConfigurationError,
    CustodyError,
    KeyNotFoundError,
    PluginError,
)
from hatch_sign.values.protection import ProtectionLevel
from hatch_sign_kms.google import GoogleBackend, keys

from ...peers.kms.google.rig import RING, Algorithm, Server, environment, serving
from ...peers.kms.google.service import Purpose, State
from .google_rig import make_service, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = f"gcpkms://{RING}/cryptoKeys/signing"
NEW = f"gcpkms://{RING}/cryptoKeys/new"
_NO_WARNING = list[str]().append


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(make_service()) as server:
        yield server


@pytest.fixture
def context(server: Server) -> RunContext:
    return RunContext(environment(server), on_warning=_NO_WARNING)


def test_a_key_is_made_in_an_hsm_and_named_by_its_version(server: Server, context: RunContext) -> None:
    made = GoogleBackend().generate_key(NEW, KeyAlgorithm.RSA_3072, context)
    assert (made.reference, made.label, made.id) == (f"{NEW}/cryptoKeyVersions/1", "new", "1")
    assert made.protection.claims["protectionLevel"] == "HSM"
    assert server.service.keys[f"{RING}/cryptoKeys/new"].version_template.algorithm == Algorithm.RSA_SIGN_PKCS1_3072_SHA256


def test_nobody_vouches_for_what_comes_over_a_plain_channel(context: RunContext) -> None:
    made = GoogleBackend().generate_key(NEW, KeyAlgorithm.ECDSA_P256, context)
    assert made.protection.level is ProtectionLevel.SOFTWARE
    assert made.protection.summary == "in an HSM, says whatever answers for Google Cloud KMS over a plain channel (http)"


def test_a_name_that_is_taken(context: RunContext) -> None:
    with pytest.raises(CustodyError, match="has a key of this name already"):
        GoogleBackend().generate_key(KEY, KeyAlgorithm.ECDSA_P256, context)


def test_a_version_cannot_be_made_by_its_number(server: Server, context: RunContext) -> None:
    with pytest.raises(ConfigurationError, match="versions are numbered by the service"):
        GoogleBackend().generate_key(f"{NEW}/cryptoKeyVersions/1", KeyAlgorithm.ECDSA_P256, context)
    assert server.service.calls == []


def test_making_is_not_repeated(server: Server, context: RunContext) -> None:
    server.service.fail("CreateCryptoKey", "UNAVAILABLE", times=9)
    with pytest.raises(CustodyError, match=r"did not answer, or failed \(UNAVAILABLE\)"):
        GoogleBackend().generate_key(NEW, KeyAlgorithm.ECDSA_P256, context)
    assert server.service.calls == ["CreateCryptoKey"]


def test_a_key_is_waited_for() -> None:
    service = make_service()
    version = service.add_version(f"{RING}/cryptoKeys/signing", looks=4)
    with opened(service) as rig:
        keys._await_generation(rig.client, version.described.name, rig.caller)
    assert rig.time.slept == [1.0, 1.0, 1.0]
    assert version.described.state == State.ENABLED


def test_the_wait_for_a_key_ends() -> None:
    service = make_service()
    version = service.add_version(f"{RING}/cryptoKeys/signing", looks=99)
    with opened(service) as rig, pytest.raises(CustodyError, match="the key is still being generated after 60 s"):
        keys._await_generation(rig.client, version.described.name, rig.caller)


def test_one_key_is_listed_with_its_newest_version(server: Server, context: RunContext) -> None:
    server.service.add_version(f"{RING}/cryptoKeys/signing")
    (found,) = GoogleBackend().list_keys(KEY, context)
    assert found.reference == f"{KEY}/cryptoKeyVersions/2"


def test_a_ring_lists_what_signs(server: Server, context: RunContext) -> None:
    service = server.service
    service.page_size = 2
    service.add_key(RING, "another", Algorithm.EC_SIGN_ED25519)
    service.add_key(RING, "foreign", Algorithm.EC_SIGN_SECP256K1_SHA256)
    encrypting = service.add_key(RING, "encrypting", Algorithm.EC_SIGN_P256_SHA256)
    service.keys[encrypting] = kms_v1.CryptoKey(name=encrypting, purpose=Purpose.ASYMMETRIC_DECRYPT)
    disabled = service.add_key(RING, "disabled", Algorithm.EC_SIGN_P256_SHA256)
    service.versions[disabled][0].become(State.DISABLED)
    found = GoogleBackend().list_keys(f"gcpkms://{RING}", context)
    assert [key.label for key in found] == ["another", "signing"]


def test_a_key_that_is_not_there(context: RunContext) -> None:
    with pytest.raises(KeyNotFoundError, match="has no such key"):
        GoogleBackend().list_keys(NEW, context)


def test_another_address_is_refused_before_anything_is_sent() -> None:
    context = RunContext({"CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS": "http://kms.example/"}, on_warning=_NO_WARNING)
    with pytest.raises(ConfigurationError, match="nor this machine"), GoogleBackend().open(KEY, context):
        pass


def test_without_the_sdk(context: RunContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.cloud.kms_v1", None)
    with pytest.raises(PluginError, match=r'pip install "hatch-sign-kms\[google\]"') as caught:
        GoogleBackend().list_keys(KEY, context)
    assert_presentable(caught.value, ())
    (symptom,) = GoogleBackend().diagnose(KEY, context)
    assert isinstance(symptom, Symptom)
    assert (symptom.status, symptom.subject) == ("failure", "client")


def test_a_plain_address_is_looked_at_twice(context: RunContext) -> None:
    found = [symptom for symptom in GoogleBackend().diagnose(KEY, context) if isinstance(symptom, Symptom)]
    assert [(symptom.status, symptom.subject) for symptom in found] == [
        ("ok", "client"),
        ("warning", "address"),
        ("ok", "key"),
    ]


def test_calls_overlap(server: Server, context: RunContext) -> None:
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - for this test only

    server.service.delay = 0.05
    with open_signer(GoogleBackend(), KEY, context) as signer, ThreadPoolExecutor(32) as pool:
        assert all(pool.map(lambda number: signer.sign(b"%d" % number, Scheme.ECDSA_SHA256), range(32)))
        assert server.service.most_at_once == signer.concurrency == context.max_concurrency
