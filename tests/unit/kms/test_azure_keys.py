"""Making and listing keys of a vault."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from hatch_sign.contract.backends import Symptom
from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.custody.context import RunContext
from hatch_sign.testing.observed import assert_presentable
from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.errors import ConfigurationError, CustodyError, KeyNotFoundError, PluginError
from hatch_sign.values.protection import ProtectionLevel
from hatch_sign_kms.azure import AzureBackend

from .azure_rig import Rig, make_service, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...peers.kms.authority import LoopbackCertificate

_NO_WARNING = list[str]().append


@pytest.fixture
def rig(certificate: LoopbackCertificate, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    with opened(make_service(), certificate, monkeypatch) as rig:
        yield rig


@pytest.fixture
def context() -> RunContext:
    return RunContext({}, on_warning=_NO_WARNING)


def test_a_key_is_made_in_an_hsm_and_named_by_its_version(rig: Rig, context: RunContext) -> None:
    made = AzureBackend().generate_key(f"azurekms://{rig.server.host}/new", KeyAlgorithm.ECDSA_P384, context)
    (key,) = rig.service.keys["new"]
    assert (made.reference, made.label, made.id) == (f"azurekms://{rig.server.host}/new/{key.version}", "new", key.version)
    assert (key.kty, key.key_ops) == ("EC-HSM", ["sign", "verify"])
    assert made.protection.level is ProtectionLevel.PROVIDER_ASSERTED


def test_a_name_that_is_taken_gets_no_second_version(rig: Rig, context: RunContext) -> None:
    with pytest.raises(CustodyError, match="there is a key of this name already"):
        AzureBackend().generate_key(f"azurekms://{rig.server.host}/signing", KeyAlgorithm.ECDSA_P256, context)
    assert len(rig.service.keys["signing"]) == 1
    assert rig.service.calls == ["get"]


def test_a_name_of_a_deleted_key(rig: Rig, context: RunContext) -> None:
    rig.service.deleted.add("gone")
    with pytest.raises(CustodyError, match=r"keeps a deleted key of this name \(ObjectIsDeletedButRecoverable\)"):
        AzureBackend().generate_key(f"azurekms://{rig.server.host}/gone", KeyAlgorithm.ECDSA_P256, context)


def test_a_vault_without_hsms(rig: Rig, context: RunContext) -> None:
    rig.service.premium = False
    with pytest.raises(CustodyError, match=r"does not make such a key in an HSM .*; use a vault of the tier Premium"):
        AzureBackend().generate_key(f"azurekms://{rig.server.host}/new", KeyAlgorithm.RSA_3072, context)


def test_a_version_cannot_be_made_by_its_name(rig: Rig, context: RunContext) -> None:
    with pytest.raises(ConfigurationError, match="versions are named by the service"):
        AzureBackend().generate_key(f"azurekms://{rig.server.host}/new/{'0' * 32}", KeyAlgorithm.ECDSA_P256, context)
    assert rig.service.calls == []


def test_making_is_not_repeated(rig: Rig, context: RunContext) -> None:
    rig.service.fail("create", 503, times=9)
    with pytest.raises(CustodyError, match=r"did not answer, or failed \(503\)"):
        AzureBackend().generate_key(f"azurekms://{rig.server.host}/new", KeyAlgorithm.ECDSA_P256, context)
    assert rig.service.calls == ["get", "create"]


def test_one_key_is_listed_with_its_newest_version(rig: Rig, context: RunContext) -> None:
    newest = rig.service.add_key("signing")
    (found,) = AzureBackend().list_keys(f"azurekms://{rig.server.host}/signing", context)
    assert found.reference == f"azurekms://{rig.server.host}/signing/{newest.version}"


def test_a_vault_lists_what_signs(rig: Rig, context: RunContext) -> None:
    rig.service.page_size = 2
    for name in ("a", "b", "c"):
        rig.service.add_key(name)
    rig.service.add_key("foreign", "EC", "P-256K")
    rig.service.add_key("off", enabled=False)
    found = AzureBackend().list_keys(f"azurekms://{rig.server.host}", context)
    assert [key.label for key in found] == ["a", "b", "c", "signing"]
    assert rig.service.calls.count("list") == 3


def test_a_key_that_is_not_there(rig: Rig, context: RunContext) -> None:
    with pytest.raises(KeyNotFoundError, match="has no such key"):
        AzureBackend().list_keys(f"azurekms://{rig.server.host}/nothing", context)


def test_without_the_sdk(rig: Rig, context: RunContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    reference = f"azurekms://{rig.server.host}/signing"
    with pytest.raises(PluginError, match=r'pip install "hatch-sign-kms\[azure\]"') as caught:
        AzureBackend().list_keys(reference, context)
    assert_presentable(caught.value, ())
    (symptom,) = AzureBackend().diagnose(reference, context)
    assert isinstance(symptom, Symptom)
    assert (symptom.status, symptom.subject) == ("failure", "client")


def test_calls_overlap(rig: Rig, context: RunContext) -> None:
    rig.service.delay = 0.05
    reference = f"azurekms://{rig.server.host}/signing"
    with open_signer(AzureBackend(), reference, context) as signer, ThreadPoolExecutor(32) as pool:
        assert all(pool.map(lambda number: signer.sign(b"%d" % number, Scheme.ECDSA_SHA256), range(32)))
        assert rig.service.most_at_once == signer.concurrency == context.max_concurrency
