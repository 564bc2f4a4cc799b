"""The table is closed: what is in it, and nothing else, is signed and verified with."""

from __future__ import annotations

import hashlib

import pytest

from hatch_sign.values.algorithms import DIGEST_SIZES, KeyAlgorithm, Scheme, schemes_of_family


def test_the_table() -> None:
    assert {algorithm.value: [scheme.label for scheme in algorithm.schemes] for algorithm in KeyAlgorithm} == {
        "ecdsa-p256": ["ecdsa-sha256"],
        "ecdsa-p384": ["ecdsa-sha384", "ecdsa-sha256"],
        "ecdsa-p521": ["ecdsa-sha512", "ecdsa-sha384", "ecdsa-sha256"],
        "rsa-3072": [f"rsa-{padding}-sha{bits}" for padding in ("pkcs1", "pss") for bits in (256, 384, 512)],
        "rsa-4096": [f"rsa-{padding}-sha{bits}" for padding in ("pkcs1", "pss") for bits in (256, 384, 512)],
        "ed25519": ["ed25519"],
    }


def test_every_scheme_belongs_to_a_key() -> None:
    assert {scheme for algorithm in KeyAlgorithm for scheme in algorithm.schemes} == set(Scheme)


@pytest.mark.parametrize("scheme", list(Scheme), ids=lambda scheme: scheme.label)
def test_hashes_are_as_hashlib_has_them(scheme: Scheme) -> None:
    if scheme.hash is None:
        assert scheme is Scheme.ED25519
    else:
        assert DIGEST_SIZES[scheme.hash] == hashlib.new(scheme.hash).digest_size


@pytest.mark.parametrize("name", ["dsa", "rsa-1024", "ed448", "ECDSA-P256", ""])
def test_a_kind_outside_the_table_has_no_schemes(name: str) -> None:
    with pytest.raises(KeyError):
        schemes_of_family(name)
