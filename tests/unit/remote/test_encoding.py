"""Answers of services, and what is no answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from hatch_sign.remote import encode_ecdsa_signature, parse_public_key_der, parse_public_key_pem
from hatch_sign.testing.seals import private_key
from hatch_sign.values.algorithms import KeyAlgorithm
from hatch_sign.values.errors import CustodyError, UnsupportedError
from hatch_sign.values.public_keys import encode_public_key, encode_public_key_pem

from .services import Time, make_caller

if TYPE_CHECKING:
    from collections.abc import Callable

    from hatch_sign.remote import ServiceCaller
    from hatch_sign.values.public_keys import PublicKey

CALLER = make_caller(Time())
FOREIGN = ec.generate_private_key(ec.SECP256K1()).public_key()


@pytest.mark.parametrize("algorithm", list(KeyAlgorithm), ids=lambda algorithm: algorithm.value)
def test_public_keys_of_the_table_are_read(algorithm: KeyAlgorithm) -> None:
    key = private_key(algorithm).public_key()
    assert parse_public_key_der(encode_public_key(key), CALLER) == key
    assert parse_public_key_pem(encode_public_key_pem(key), CALLER) == key


@pytest.mark.parametrize(
    ("parse", "encode"), [(parse_public_key_der, encode_public_key), (parse_public_key_pem, encode_public_key_pem)]
)
def test_others_are_not(parse: Callable[[bytes, ServiceCaller], PublicKey], encode: Callable[[object], bytes]) -> None:
    with pytest.raises(UnsupportedError, match="example:release: a key on curve secp256k1 is not supported"):
        parse(encode(FOREIGN), CALLER)
    for rubbish in (b"", b"<html>", encode(FOREIGN)[:-7]):
        with pytest.raises(CustodyError, match="Example KMS sent a public key that cannot be read"):
            parse(rubbish, CALLER)


@given(st.integers(0, 2**521 - 1), st.integers(0, 2**521 - 1))
def test_r_and_s_become_der(r: int, s: int) -> None:
    raw = r.to_bytes(66) + s.to_bytes(66)
    assert decode_dss_signature(encode_ecdsa_signature(raw, CALLER)) == (r, s)


@pytest.mark.parametrize("raw", [b"", b"\1", bytes(63)])
def test_halves_that_are_not_equal_are_refused(raw: bytes) -> None:
    with pytest.raises(CustodyError, match="sent a signature of an impossible length"):
        encode_ecdsa_signature(raw, CALLER)
