"""What versions of each algorithm sign by, and the checksum of what goes to and fro."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils
from google.cloud.kms_v1 import CryptoKeyVersion
from hypothesis import given
from hypothesis import strategies as st

from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.errors import UnsupportedError
from hatch_sign.values.public_keys import hash_algorithm
from hatch_sign_kms.google.algorithms import algorithm_to_generate, digest_info, schemes_of, signs_raw
from hatch_sign_kms.google.checksum import crc32c

from ...peers.kms.google import material

CURVES = {"EC_SIGN_P256_SHA256", "EC_SIGN_P384_SHA384", "EC_SIGN_ED25519"}
ALGORITHMS = list(CryptoKeyVersion.CryptoKeyVersionAlgorithm.__members__)


@pytest.mark.parametrize(
    ("algorithm", "schemes"),
    [
        ("EC_SIGN_P256_SHA256", ["ecdsa-sha256"]),
        ("EC_SIGN_P384_SHA384", ["ecdsa-sha384"]),
        ("EC_SIGN_ED25519", ["ed25519"]),
        ("RSA_SIGN_PKCS1_2048_SHA256", ["rsa-pkcs1-sha256"]),
        ("RSA_SIGN_PKCS1_4096_SHA512", ["rsa-pkcs1-sha512"]),
        ("RSA_SIGN_PSS_3072_SHA256", ["rsa-pss-sha256"]),
        ("RSA_SIGN_PSS_4096_SHA512", ["rsa-pss-sha512"]),
        ("RSA_SIGN_RAW_PKCS1_3072", ["rsa-pkcs1-sha256", "rsa-pkcs1-sha384", "rsa-pkcs1-sha512"]),
    ],
)
def test_each_algorithm_signs_by_its_own_schemes(algorithm: str, schemes: list[str]) -> None:
    assert [scheme.label for scheme in schemes_of(algorithm)] == schemes


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_is_no_signature_of_ours_has_no_scheme(algorithm: str) -> None:
    """The SDK's own list: an algorithm that it learns later is refused until somebody has thought of it."""
    ours = algorithm.startswith("RSA_SIGN_") or algorithm in {
        "EC_SIGN_P256_SHA256",
        "EC_SIGN_P384_SHA384",
        "EC_SIGN_ED25519",
    }
    assert bool(schemes_of(algorithm)) == ours


def test_every_kind_that_is_made_signs() -> None:
    made = [kind for kind in KeyAlgorithm if kind is not KeyAlgorithm.ECDSA_P521]
    for kind in made:
        name = algorithm_to_generate(kind, subject="key")
        assert name in ALGORITHMS
        assert set(schemes_of(name)) <= set(kind.schemes)
    with pytest.raises(UnsupportedError, match="key: Google Cloud KMS makes no ecdsa-p521 keys"):
        algorithm_to_generate(KeyAlgorithm.ECDSA_P521, subject="key")


@pytest.mark.parametrize("scheme", [scheme for scheme in Scheme if scheme.family == "rsa-pkcs1"])
def test_the_digest_info_makes_the_signature_that_cryptography_makes(scheme: Scheme) -> None:
    private = rsa.generate_private_key(65537, 2048)
    digest = hashlib.new(scheme.hash or "", b"message").digest()
    raw = material.Material("RSA_SIGN_RAW_PKCS1_2048", private).sign(digest_info(digest, scheme), prehashed=False)
    assert raw == private.sign(digest, padding.PKCS1v15(), utils.Prehashed(hash_algorithm(scheme.hash or "")))


def test_raw_versions() -> None:
    assert signs_raw("RSA_SIGN_RAW_PKCS1_4096")
    assert not signs_raw("RSA_SIGN_PKCS1_4096_SHA256")


def test_the_checksum_of_the_standard() -> None:
    assert crc32c(b"") == 0
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA  # RFC 3720 appendix B.4


@given(st.binary(max_size=300))
def test_the_checksum_is_that_of_the_slow_way(data: bytes) -> None:
    assert crc32c(data) == material.crc32c(data)
