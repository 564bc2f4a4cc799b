"""AWS KMS: one key, and what is believed of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hatch_sign.testing.seals import private_key
from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.errors import CustodyError, UnsupportedError
from hatch_sign.values.protection import ProtectionLevel
from hatch_sign.values.public_keys import encode_public_key
from hatch_sign_kms.aws.key import AwsKey, read_protection

from .aws_rig import ARN, DIGEST, ID, KEY, OTHER, described_key, metadata, public_key, signature, stubbed


def test_an_alias_is_resolved_once_and_signs_by_its_arn() -> None:
    expected = {"KeyId": ARN, "Message": DIGEST, "MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"}
    with stubbed() as (connection, stubber):
        key = described_key(connection, stubber)
        for _ in range(2):
            stubber.add_response("sign", signature(), expected)
            assert key.sign_digest(DIGEST, Scheme.ECDSA_SHA256) == b"signature"


def test_ed25519_takes_the_message() -> None:
    expected = {"KeyId": ARN, "Message": b"message", "MessageType": "RAW", "SigningAlgorithm": "ED25519_SHA_512"}
    edwards = private_key(KeyAlgorithm.ED25519).public_key()
    offered = ["ED25519_SHA_512", "ED25519_PH_SHA_512"]
    with stubbed() as (connection, stubber):
        answer = public_key(PublicKey=encode_public_key(edwards), SigningAlgorithms=offered)
        stubber.add_response("get_public_key", answer)
        key = AwsKey(connection, "alias/release")
        facts = key.describe()
        assert (facts.schemes, facts.max_message) == ((Scheme.ED25519,), 4096)
        stubber.add_response("sign", signature(SigningAlgorithm="ED25519_SHA_512"), expected)
        assert key.sign_message(b"message") == b"signature"


@pytest.mark.parametrize("name", [ARN, ID])
def test_a_key_that_was_not_asked_for_is_not_described(name: str) -> None:
    with stubbed() as (connection, stubber):
        stubber.add_response("get_public_key", public_key(), {"KeyId": name})
        assert AwsKey(connection, name).describe().public_key == KEY
        stubber.add_response("get_public_key", public_key(KeyId=OTHER), {"KeyId": name})
        with pytest.raises(CustodyError, match="answered for another key than the one that was asked for"):
            AwsKey(connection, name).describe()


@pytest.mark.parametrize(
    "answer",
    [signature(KeyId=OTHER), signature(SigningAlgorithm="ECDSA_SHA_384"), {"Signature": b"x"}],
    ids=["key", "algorithm", "nothing"],
)
def test_an_answer_of_another_key_or_algorithm_is_refused(answer: dict[str, Any]) -> None:
    with stubbed() as (connection, stubber):
        key = described_key(connection, stubber)
        stubber.add_response("sign", answer)
        with pytest.raises(CustodyError, match="signed with another key or algorithm"):
            key.sign_digest(DIGEST, Scheme.ECDSA_SHA256)


@pytest.mark.parametrize("missing", ["KeyId", "PublicKey", "KeyUsage"])
def test_an_answer_without_what_was_asked_for_is_none(missing: str) -> None:
    answer = public_key()
    del answer[missing]
    with stubbed() as (connection, stubber):
        stubber.add_response("get_public_key", answer)
        with pytest.raises(CustodyError, match=f"AWS KMS sent no {missing}"):
            AwsKey(connection, "alias/release").describe()


@pytest.mark.parametrize("usage", ["ENCRYPT_DECRYPT", "KEY_AGREEMENT"])
def test_a_key_that_is_not_for_signing_is_refused(usage: str) -> None:
    with stubbed() as (connection, stubber):
        stubber.add_response("get_public_key", public_key(KeyUsage=usage))
        with pytest.raises(UnsupportedError, match=f"the key is for {usage}, expected one for SIGN_VERIFY"):
            AwsKey(connection, "alias/release").describe()


@pytest.mark.parametrize(
    ("origin", "level"),
    [
        ("AWS_KMS", ProtectionLevel.PROVIDER_ASSERTED),
        ("AWS_CLOUDHSM", ProtectionLevel.PROVIDER_ASSERTED),
        ("EXTERNAL", ProtectionLevel.SOFTWARE),
        ("EXTERNAL_KEY_STORE", ProtectionLevel.SOFTWARE),
        ("SOMETHING_NEW", ProtectionLevel.SOFTWARE),
    ],
)
def test_protection_is_what_the_origin_is_worth(origin: str, level: ProtectionLevel) -> None:
    created = datetime(2026, 1, 2, tzinfo=UTC)
    described = metadata(Origin=origin, CustomKeyStoreId="cks-1", MultiRegion=False, CreationDate=created)["KeyMetadata"]
    protection = read_protection(described, plain_channel=False)
    assert protection.level is level
    assert ("not exportable; AWS KMS says so" in protection.summary) is (level is ProtectionLevel.PROVIDER_ASSERTED)
    assert protection.claims["origin"] == origin
    assert protection.claims["key store"] == "cks-1"
    assert protection.claims["multi-region"] == "false"
    assert read_protection(described, plain_channel=True).level is ProtectionLevel.SOFTWARE


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_endpoint_of_the_users_without_tls_vouches_for_nothing(scheme: str) -> None:
    with stubbed(endpoint_url=f"{scheme}://127.0.0.1:9") as (connection, stubber):
        stubber.add_response("get_public_key", public_key())
        stubber.add_response("describe_key", metadata(Origin="AWS_KMS"))
        key = AwsKey(connection, "alias/release")
        key.describe()
        protection = key.protection()
    plain = scheme == "http"
    assert protection.level is (ProtectionLevel.SOFTWARE if plain else ProtectionLevel.PROVIDER_ASSERTED)
    assert ("over a plain channel (http)" in protection.summary) is plain
