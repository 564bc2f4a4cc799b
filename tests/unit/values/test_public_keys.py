"""Public keys of the closed table: read, named, and signatures checked under them, against openssl's own answers."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hatch_sign.testing.seals import private_key
from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.errors import MalformedError, UnsupportedError
from hatch_sign.values.public_keys import (
    as_public_key,
    describe_key,
    encode_public_key,
    encode_public_key_pem,
    key_hint,
    parse_public_key,
    schemes_of_key,
    verify_digest,
    verify_message,
)

MESSAGE = b"what was signed"
KINDS = pytest.mark.parametrize("kind", list(KeyAlgorithm), ids=lambda kind: kind.value)
PAIRS = [(kind, scheme) for kind in KeyAlgorithm for scheme in kind.schemes]
EVERY_PAIR = pytest.mark.parametrize(("kind", "scheme"), PAIRS, ids=[f"{k.value}-{s.label}" for k, s in PAIRS])


def signed(kind: KeyAlgorithm, scheme: Scheme, message: bytes = MESSAGE) -> bytes:
    """Sign with cryptography itself, so that what is checked here does not check itself."""
    key = private_key(kind)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message)
    algorithm = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}[str(scheme.hash)]
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(message, ec.ECDSA(algorithm))
    pss = padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)
    return key.sign(message, pss if scheme.family == "rsa-pss" else padding.PKCS1v15(), algorithm)


@KINDS
def test_a_key_survives_its_encoding(kind: KeyAlgorithm) -> None:
    key = as_public_key(private_key(kind).public_key(), subject="test")
    pem = encode_public_key_pem(key)
    assert pem.startswith(b"-----BEGIN PUBLIC KEY-----\n")
    assert pem.endswith(b"-----END PUBLIC KEY-----\n")
    assert parse_public_key(pem, subject="test") == key
    assert describe_key(key) == kind.value
    assert schemes_of_key(key) == kind.schemes


@KINDS
def test_the_hint_is_what_openssl_and_sha256_make_of_the_key(tmp_path: Path, kind: KeyAlgorithm) -> None:
    key = as_public_key(private_key(kind).public_key(), subject="test")
    file = tmp_path / "key.pub"
    file.write_bytes(encode_public_key_pem(key))
    der = subprocess.run(["openssl", "pkey", "-pubin", "-in", str(file), "-outform", "DER"], capture_output=True, check=True)
    assert der.stdout == encode_public_key(key)
    assert key_hint(key) == base64.b64encode(hashlib.sha256(der.stdout).digest()).decode()


@EVERY_PAIR
def test_a_signature_verifies_over_its_message_only(kind: KeyAlgorithm, scheme: Scheme) -> None:
    key = as_public_key(private_key(kind).public_key(), subject="test")
    signature = signed(kind, scheme)
    assert verify_message(key, signature, MESSAGE, scheme)
    assert not verify_message(key, signature, MESSAGE + b"!", scheme)
    assert not verify_message(key, signature[:-1], MESSAGE, scheme)
    assert not verify_message(key, b"", MESSAGE, scheme)


@EVERY_PAIR
def test_a_signature_verifies_under_its_scheme_only(kind: KeyAlgorithm, scheme: Scheme) -> None:
    key = as_public_key(private_key(kind).public_key(), subject="test")
    signature = signed(kind, scheme)
    assert [other for other in Scheme if verify_message(key, signature, MESSAGE, other)] == [scheme]


@EVERY_PAIR
def test_a_signature_verifies_under_its_key_only(kind: KeyAlgorithm, scheme: Scheme) -> None:
    other = as_public_key(private_key(kind, 1).public_key(), subject="test")
    assert not verify_message(other, signed(kind, scheme), MESSAGE, scheme)


def test_a_digest_of_another_length_is_refused() -> None:
    key = as_public_key(private_key(KeyAlgorithm.ECDSA_P384).public_key(), subject="test")
    digest = hashlib.sha384(MESSAGE).digest()
    signature = signed(KeyAlgorithm.ECDSA_P384, Scheme.ECDSA_SHA384)
    assert verify_digest(key, signature, digest, Scheme.ECDSA_SHA384)
    assert not verify_digest(key, signature, digest[:32], Scheme.ECDSA_SHA256)
    assert not verify_digest(key, signature, digest[:32], Scheme.ECDSA_SHA384)


def test_a_salt_of_another_length_is_refused() -> None:
    """RFC 8017 §9.1 leaves the length open; the table does not."""
    private = private_key(KeyAlgorithm.RSA_3072)
    assert isinstance(private, rsa.RSAPrivateKey)
    longest = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH)
    signature = private.sign(MESSAGE, longest, hashes.SHA256())
    assert not verify_message(private.public_key(), signature, MESSAGE, Scheme.RSA_PSS_SHA256)


def test_ed25519_signs_no_digest() -> None:
    key = as_public_key(private_key(KeyAlgorithm.ED25519).public_key(), subject="test")
    digest = hashlib.sha256(MESSAGE).digest()
    assert not verify_digest(key, signed(KeyAlgorithm.ED25519, Scheme.ED25519, digest), digest, Scheme.ED25519)


FOREIGN: dict[str, Callable[[], Any]] = {
    "secp256k1": lambda: ec.generate_private_key(ec.SECP256K1()),
    "x25519": x25519.X25519PrivateKey.generate,
    "ed448": ed448.Ed448PrivateKey.generate,
    "dsa": lambda: dsa.generate_private_key(2048),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_key_outside_the_table_is_refused(name: str) -> None:
    public = FOREIGN[name]().public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(UnsupportedError, match=r"release\.pub: .* is not supported; use ECDSA P-256"):
        parse_public_key(pem, subject="release.pub")


@pytest.mark.parametrize(
    "pem",
    [b"", b"not a key", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", b"\xff\xfe", b"\x00" * 10_000],
)
def test_what_is_no_key_is_malformed(pem: bytes) -> None:
    with pytest.raises(MalformedError, match=r"release\.pub: not a PEM public key"):
        parse_public_key(pem, subject="release.pub")
