"""One key of Google Cloud KMS: its version pinned, its answers checked before they are believed."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from google.cloud.kms_v1 import CryptoKeyVersion
from google.protobuf.wrappers_pb2 import Int64Value

from hatch_sign.testing.observed import assert_presentable
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.errors import CustodyError, KeyNotFoundError, UnsupportedError
from hatch_sign.values.protection import ProtectionLevel
from hatch_sign.values.public_keys import verify_digest, verify_message

from ...peers.kms.google.rig import RING, Algorithm, KeyService, Level
from ...peers.kms.google.service import State
from .google_rig import Rig, make_service, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import proto

DIGEST = hashlib.sha256(b"artifact").digest()
KEY = f"{RING}/cryptoKeys/signing"
ALGORITHM_999 = b"\x50\xe7\x07"
"""Field 10 of a CryptoKeyVersion, 999: a number that no SDK has a name for."""


@pytest.fixture
def rig() -> Iterator[Rig]:
    with opened(make_service()) as rig:
        yield rig


def test_it_signs(rig: Rig) -> None:
    facts = rig.key.describe()
    signature = rig.key.sign_digest(DIGEST, Scheme.ECDSA_SHA256)
    assert verify_digest(facts.public_key, signature, DIGEST, Scheme.ECDSA_SHA256)
    assert not verify_digest(facts.public_key, signature, hashlib.sha256(b"other").digest(), Scheme.ECDSA_SHA256)
    assert rig.service.calls == ["ListCryptoKeyVersions", "GetPublicKey", "AsymmetricSign"]


def test_a_version_that_is_named_is_not_looked_for() -> None:
    service = make_service()
    service.add_version(KEY)
    with opened(service, version="1") as rig:
        rig.key.describe()
        assert rig.key.version.endswith("/cryptoKeyVersions/1")
        assert service.calls == ["GetPublicKey"]


def test_the_newest_enabled_version_signs_whatever_is_rotated_meanwhile(rig: Rig) -> None:
    for _ in range(10):
        rig.service.add_version(KEY)
    rig.service.add_version(KEY, state=State.DISABLED)
    rig.service.page_size = 4
    facts = rig.key.describe()
    assert rig.key.version == f"{KEY}/cryptoKeyVersions/11"  # As text, 9 would come last.
    rig.service.add_version(KEY)
    signature = rig.key.sign_digest(DIGEST, Scheme.ECDSA_SHA256)
    assert verify_digest(facts.public_key, signature, DIGEST, Scheme.ECDSA_SHA256)


def test_a_key_without_an_enabled_version(rig: Rig) -> None:
    rig.service.versions[KEY][0].become(State.DISABLED)
    with pytest.raises(KeyNotFoundError, match="the key has no enabled version; enable one, or make a new one"):
        rig.key.describe()


def test_messages_go_as_they_are() -> None:
    with opened(make_service(Algorithm.EC_SIGN_ED25519)) as rig:
        facts = rig.key.describe()
        message = bytes(facts.max_message)
        assert facts.max_message == 65536
        assert verify_message(facts.public_key, rig.key.sign_message(message), message, Scheme.ED25519)


@pytest.mark.parametrize("algorithm", [Algorithm.EC_SIGN_SECP256K1_SHA256])
def test_another_algorithm_is_refused(algorithm: Algorithm) -> None:
    with opened(make_service(algorithm)) as rig, pytest.raises(UnsupportedError, match=f"the algorithm {algorithm.name}"):
        rig.key.describe()


def test_an_algorithm_newer_than_the_sdk_is_refused(rig: Rig) -> None:
    rig.service.versions[KEY][0].described = CryptoKeyVersion.deserialize(
        CryptoKeyVersion.serialize(rig.service.versions[KEY][0].described) + ALGORITHM_999
    )
    with pytest.warns(UserWarning, match="Unrecognized"), pytest.raises(UnsupportedError, match="the algorithm 999"):
        rig.key.describe()


# --- what comes back -------------------------------------------------------------------------------------------------


def change(**fields: object) -> Callable[[proto.Message], proto.Message]:
    def apply(answer: proto.Message) -> proto.Message:
        for name, value in fields.items():
            setattr(answer, name, value(answer) if callable(value) else value)
        return answer

    return apply


def other(name: str) -> str:
    return name.replace("signing", "other")


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        (change(name=lambda answer: other(answer.name)), "answered for another key than it was asked for"),
        (change(name=lambda answer: answer.name[:-1] + "2"), "answered for another key than it was asked for"),
        (change(pem=lambda answer: answer.pem.replace("M", "N", 1)), "sent a public key that was corrupted on the way"),
        (change(pem_crc32c=None), "sent a public key that was corrupted on the way"),
        (change(pem="", pem_crc32c=Int64Value(value=0)), "sent a public key that cannot be read"),
    ],
)
def test_a_public_key_is_checked(rig: Rig, changed: Callable[[proto.Message], proto.Message], found: str) -> None:
    rig.service.answers["GetPublicKey"] = changed
    with pytest.raises(CustodyError, match=f"Google Cloud KMS {found}") as caught:
        rig.key.describe()
    assert_presentable(caught.value, ())


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        (change(name=lambda answer: other(answer.name)), "answered for another key than it was asked for"),
        (change(signature=lambda answer: answer.signature[:-1] + b"?"), "sent a signature that was corrupted on the way"),
        (change(signature_crc32c=Int64Value(value=1)), "sent a signature that was corrupted on the way"),
        (change(signature_crc32c=None), "sent a signature that was corrupted on the way"),
        (change(verified_digest_crc32c=False), "did not check that it received what was sent"),
        (
            change(verified_digest_crc32c=False, verified_data_crc32c=True),
            "did not check that it received what was sent",
        ),
    ],
)
def test_a_signature_is_checked(rig: Rig, changed: Callable[[proto.Message], proto.Message], found: str) -> None:
    rig.key.describe()
    rig.service.answers["AsymmetricSign"] = changed
    with pytest.raises(CustodyError, match=f"Google Cloud KMS {found}") as caught:
        rig.key.sign_digest(DIGEST, Scheme.ECDSA_SHA256)
    assert_presentable(caught.value, ())
    assert rig.service.calls.count("AsymmetricSign") == 1


# --- how it is kept --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "expected", "summary"),
    [
        (Level.SOFTWARE, ProtectionLevel.PROVIDER_ASSERTED, "in software, not exportable; Google Cloud KMS says so"),
        (Level.HSM, ProtectionLevel.PROVIDER_ASSERTED, "in an HSM, not exportable; Google Cloud KMS says so"),
        (Level.HSM_SINGLE_TENANT, ProtectionLevel.PROVIDER_ASSERTED, "in a single-tenant HSM, not exportable; Google Cloud"),
        (Level.EXTERNAL, ProtectionLevel.SOFTWARE, "outside Google Cloud; a key manager outside keeps it, for which"),
        (Level.EXTERNAL_VPC, ProtectionLevel.SOFTWARE, "outside Google Cloud, in a private network; a key manager outside"),
        (Level.PROTECTION_LEVEL_UNSPECIFIED, ProtectionLevel.SOFTWARE, "in a way that Google does not name; the service"),
    ],
)
def test_how_it_is_kept(level: Level, expected: ProtectionLevel, summary: str) -> None:
    service = KeyService()
    service.add_key(RING, "signing", Algorithm.EC_SIGN_P256_SHA256, level=level)
    with opened(service) as rig:
        rig.key.describe()
        protection = rig.key.protection()
    assert protection.level is expected
    assert protection.summary.startswith(summary)
    assert protection.claims["protectionLevel"] == level.name
    assert protection.claims["algorithm"] == "EC_SIGN_P256_SHA256"


@pytest.mark.parametrize(("level", "place"), [(Level.SOFTWARE, "in software"), (Level.HSM, "in an HSM")])
def test_what_was_imported_was_somewhere_else_before(level: Level, place: str) -> None:
    service = KeyService()
    service.add_key(RING, "signing", Algorithm.EC_SIGN_P256_SHA256, level=level)
    service.versions[KEY][0].described.import_job = f"{RING}/importJobs/once"
    with opened(service) as rig:
        rig.key.describe()
        protection = rig.key.protection()
    assert protection.level is ProtectionLevel.SOFTWARE
    assert protection.summary == f"{place}; it was imported, and nobody vouches for the copies outside"
    assert protection.claims["importJob"] == f"{RING}/importJobs/once"


def test_the_role_for_signing_is_enough_to_sign_and_no_reason_to_boast() -> None:
    service = KeyService()
    service.add_key(RING, "signing", Algorithm.EC_SIGN_P256_SHA256, level=Level.HSM)
    service.denied = {"cloudkms.cryptoKeyVersions.get", "cloudkms.cryptoKeyVersions.list"}
    with opened(service, version="1") as rig:
        rig.key.describe()
        assert rig.key.sign_digest(DIGEST, Scheme.ECDSA_SHA256)
        protection = rig.key.protection()
    assert protection.level is ProtectionLevel.SOFTWARE
    assert protection.summary.endswith("imported could not be read; that needs cloudkms.cryptoKeyVersions.get")
    assert protection.claims == {"protectionLevel": "HSM"}
