"""Vault and OpenBao: one key, keys that are made and listed, and what is believed of them."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from hatch_sign.custody.context import RunContext
from hatch_sign.testing.seals import private_key
from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.errors import ConfigurationError, CustodyError, UnsupportedError
from hatch_sign.values.protection import ProtectionLevel
from hatch_sign.values.public_keys import encode_public_key_pem
from hatch_sign_kms.vault import VaultBackend
from hatch_sign_kms.vault.keeping import describe_keeping

from .vault_rig import DIGEST, KEYS, PEM, SIGN, answer, context_of, describe, key, refusal, sign, signature

if TYPE_CHECKING:
    from tests.peers.kms.faults import Proxy

# --- one key ----------------------------------------------------------------------------------------------------------


RSA = encode_public_key_pem(private_key(KeyAlgorithm.RSA_3072).public_key()).decode()


@pytest.mark.parametrize(
    ("pem", "scheme", "expected"),
    [
        (PEM, Scheme.ECDSA_SHA256, {"hash_algorithm": "sha2-256", "marshaling_algorithm": "asn1"}),
        (RSA, Scheme.RSA_PKCS1_SHA256, {"hash_algorithm": "sha2-256", "signature_algorithm": "pkcs1v15"}),
        (RSA, Scheme.RSA_PSS_SHA256, {"hash_algorithm": "sha2-256", "signature_algorithm": "pss", "salt_length": "hash"}),
    ],
)
def test_a_digest_is_signed_as_it_is(server: Proxy, pem: str, scheme: Scheme, expected: dict[str, str]) -> None:
    answer(server, KEYS, 200, key(keys={"1": {"public_key": pem}}))
    answer(server, SIGN, 200, signature("vault:v1:c2lnbmF0dXJl"))
    assert sign(server, scheme=scheme) == b"signature"
    content = {"input": base64.b64encode(DIGEST).decode(), "key_version": 1, "prehashed": True, **expected}
    (body,) = [body for request, body in zip(server.requests, server.bodies, strict=True) if "/sign/release" in request]
    assert json.loads(body) == content


@pytest.mark.parametrize(
    ("value", "phrase"),
    [
        (None, "sent no signature"),
        ("", "sent no signature"),
        ("c2lnbmF0dXJl", "sent no signature"),
        ("vault:c2lnbmF0dXJl", "sent no signature"),
        ("vault:v1:c2ln bmF0dXJl", "sent no signature"),
        ("vault:v1:c2lnbmF0dXJl\n", "sent no signature"),
        ("vault:v2:c2lnbmF0dXJl", "signed with another version of the key"),
        ("vault:v0:c2lnbmF0dXJl", "signed with another version of the key"),
        ("vault:v1:c2lnbmF0dXJ", "not base64"),
        (["vault:v1:c2lnbmF0dXJl"], "sent no signature"),
    ],
)
def test_a_signature_that_is_none_is_refused(server: Proxy, value: object, phrase: str) -> None:
    answer(server, KEYS, 200, key())
    answer(server, SIGN, 200, signature(value))
    with pytest.raises(CustodyError, match=phrase):
        sign(server)


@pytest.mark.parametrize(
    ("changes", "phrase"),
    [
        ({"supports_signing": None}, "sent no key"),
        ({"latest_version": None}, "sent no version"),
        ({"latest_version": True}, "sent no version"),
        ({"latest_version": 0}, "sent no version"),
        ({"latest_version": 2}, "has no version 2"),
        ({"keys": {"1": 1700000000}}, "has no version 1"),
        ({"keys": {"1": {}}}, "sent no public key"),
        ({"keys": {"1": {"public_key": "-----BEGIN"}}}, "a public key that cannot be read"),
        ({"keys": {"1": {"public_key": "AAAA"}}}, "a public key that cannot be read"),
        ({"keys": {"1": {"public_key": "!"}}}, "a public key that cannot be read"),
        ({"keys": {"1": {"public_key": "\u00e9"}}}, "a public key that cannot be read"),
        ({"keys": {"1": {"public_key": "-----BEGIN \ud800"}}}, "a public key that cannot be read"),
        ({"keys": {"1": {"public_key": PEM, "certificate_chain": "x"}}}, "a certificate chain that cannot be read"),
    ],
)
def test_a_key_that_is_none_is_refused(server: Proxy, changes: dict[str, object], phrase: str) -> None:
    answer(server, KEYS, 200, key(**changes))
    with pytest.raises(CustodyError, match=phrase):
        describe(server)


@pytest.mark.parametrize("changes", [{"supports_signing": False}, {"derived": True}])
def test_a_key_that_does_not_sign_is_refused(server: Proxy, changes: dict[str, object]) -> None:
    answer(server, KEYS, 200, key(**changes))
    with pytest.raises(UnsupportedError, match="the key is not one that signs releases"):
        describe(server)


@pytest.mark.parametrize(
    ("changes", "level", "summary"),
    [
        ({}, ProtectionLevel.PROVIDER_ASSERTED, "in software, not exportable; OpenBao says so"),
        ({"type": "managed_key"}, ProtectionLevel.PROVIDER_ASSERTED, "in an HSM or a KMS behind it, not exportable; Open"),
        ({"exportable": True}, ProtectionLevel.SOFTWARE, "in software; it may be exported"),
        ({"allow_plaintext_backup": True}, ProtectionLevel.SOFTWARE, "in software; it may be backed up in clear"),
        ({"imported_key": True}, ProtectionLevel.SOFTWARE, "in software; it was imported, and nobody vouches for the"),
        ({"exportable": None}, ProtectionLevel.SOFTWARE, "in software; the service does not say whether it may leave"),
        ({"allow_plaintext_backup": "no"}, ProtectionLevel.SOFTWARE, "in software; it may be backed up in clear"),
    ],
)
def test_protection_is_what_the_server_is_worth(changes: dict[str, object], level: ProtectionLevel, summary: str) -> None:
    described = key(**changes)["data"]
    protection = describe_keeping(described, 1, service="OpenBao", plain_channel=False)
    assert protection.level is level
    assert protection.summary.startswith(summary)
    assert protection.claims["created"] == "2026-01-02T03:04:05Z"
    assert describe_keeping(described, 1, service="OpenBao", plain_channel=True).level is ProtectionLevel.SOFTWARE


def test_a_server_without_tls_vouches_for_nothing(server: Proxy) -> None:
    answer(server, KEYS, 200, key())
    _, protection = describe(server)
    assert protection.level is ProtectionLevel.SOFTWARE
    assert protection.summary == "in software, says whatever answers for HashiCorp Vault over a plain channel (http)"
    assert protection.claims["exportable"] == "false"


# --- many keys --------------------------------------------------------------------------------------------------------


def test_a_new_key_has_no_version() -> None:
    with pytest.raises(ConfigurationError, match="a new key begins with version 1"):
        VaultBackend().generate_key("openbao://x?version=2", KeyAlgorithm.ECDSA_P256, RunContext({}, on_warning=pytest.fail))


def test_an_engine_without_keys_lists_none(server: Proxy) -> None:
    answer(server, "LIST /v1/transit/keys", 404, refusal())
    assert VaultBackend().list_keys("hashivault://", context_of(server)) == []


def test_names_that_are_none_are_not_asked_for(server: Proxy) -> None:
    names = ["../../sys/seal", 7, "release", "a/b"]
    answer(server, "LIST /v1/transit/keys", 200, {"data": {"keys": names}})
    answer(server, KEYS, 200, key())
    assert [each.label for each in VaultBackend().list_keys("hashivault://", context_of(server))] == ["release"]
    assert [line.split()[1] for line in server.requests] == ["/v1/transit/keys", "/v1/transit/keys/release"]


def test_making_a_key_is_not_repeated_where_it_may_have_happened(server: Proxy) -> None:
    answer(server, KEYS, 404, refusal())
    answer(server, "POST /v1/transit/keys/release", 500, refusal("x"))
    with pytest.raises(CustodyError, match=r"did not answer, or failed \(500\)"):
        VaultBackend().generate_key("hashivault://release", KeyAlgorithm.ECDSA_P256, context_of(server))
    assert server.count("POST /v1/transit/keys/release") == 1
