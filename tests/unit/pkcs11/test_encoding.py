"""Keys and signatures in the forms of PKCS#11, held against those of cryptography."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import example, given
from hypothesis import strategies as st

from hatch_sign.testing.seals import private_key
from hatch_sign.values.algorithms import DIGEST_SIZES, KeyAlgorithm
from hatch_sign.values.public_keys import as_public_key, encode_public_key, hash_algorithm
from hatch_sign_pkcs11.encoding import (
    CURVE_PARAMETERS,
    ED25519_BY_NAME,
    curve_public_key,
    digest_info,
    ecdsa_signature,
    rsa_public_key,
)

if TYPE_CHECKING:
    from collections.abc import Callable

CURVES: dict[KeyAlgorithm, ec.EllipticCurve] = {
    KeyAlgorithm.ECDSA_P256: ec.SECP256R1(),
    KeyAlgorithm.ECDSA_P384: ec.SECP384R1(),
    KeyAlgorithm.ECDSA_P521: ec.SECP521R1(),
}
SIZES = {KeyAlgorithm.ECDSA_P256: 32, KeyAlgorithm.ECDSA_P384: 48, KeyAlgorithm.ECDSA_P521: 66}
ALL_CURVES = (*CURVES, KeyAlgorithm.ED25519)


def _octet_string(content: bytes) -> bytes:
    length = bytes([len(content)]) if len(content) < 128 else bytes([0x81, len(content)])
    return b"\x04" + length + content


def _public(algorithm: KeyAlgorithm) -> ec.EllipticCurvePublicKey:
    key = private_key(algorithm).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return key


def _point(algorithm: KeyAlgorithm) -> bytes:
    """Return the bare public key of a curve: uncompressed, or the 32 bytes of Ed25519."""
    key = private_key(algorithm).public_key()
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key.public_bytes_raw()
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


# --- curves -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ALL_CURVES)
def test_a_curve_is_named_by_its_object_identifier(algorithm: KeyAlgorithm) -> None:
    """In a SubjectPublicKeyInfo it ends the AlgorithmIdentifier, before the BIT STRING with the point."""
    encoded = encode_public_key(as_public_key(private_key(algorithm).public_key(), subject="the key of the test"))
    identifier = encoded[: -len(_point(algorithm)) - 1]
    bit_string_header = 3 if algorithm is KeyAlgorithm.ECDSA_P521 else 2
    assert identifier[:-bit_string_header].endswith(CURVE_PARAMETERS[algorithm])


def test_ed25519_has_a_second_name() -> None:
    printable = b"\x13\x0cedwards25519"
    assert printable == ED25519_BY_NAME
    assert curve_public_key(ED25519_BY_NAME, _point(KeyAlgorithm.ED25519)) == private_key(KeyAlgorithm.ED25519).public_key()


@pytest.mark.parametrize("form", [_octet_string, bytes], ids=["wrapped", "bare"])
@pytest.mark.parametrize("algorithm", ALL_CURVES)
def test_a_point_is_read_in_both_forms(algorithm: KeyAlgorithm, form: Callable[[bytes], bytes]) -> None:
    key = curve_public_key(CURVE_PARAMETERS[algorithm], form(_point(algorithm)))
    assert key == private_key(algorithm).public_key()


@pytest.mark.parametrize("algorithm", CURVES)
@given(st.data())
def test_every_key_of_a_curve_is_read_in_both_forms(algorithm: KeyAlgorithm, data: st.DataObject) -> None:
    scalar = data.draw(st.integers(1, 2**255))
    expected = ec.derive_private_key(scalar, CURVES[algorithm]).public_key()
    point = expected.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    for form in (point, _octet_string(point)):
        assert curve_public_key(CURVE_PARAMETERS[algorithm], form) == expected


@given(st.binary(min_size=32, max_size=32))
@example(b"\x04" + bytes(31))
@example(b"\x04\x20" + bytes(30))
def test_every_ed25519_key_is_read_in_both_forms(raw: bytes) -> None:
    for form in (raw, _octet_string(raw)):
        key = curve_public_key(CURVE_PARAMETERS[KeyAlgorithm.ED25519], form)
        assert isinstance(key, ed25519.Ed25519PublicKey)
        assert key.public_bytes_raw() == raw


@pytest.mark.parametrize(
    "parameters",
    [
        bytes.fromhex("06052b8104000a"),  # secp256k1
        bytes.fromhex("06032b6571"),  # Ed448
        bytes.fromhex("06032b656e"),  # X25519
        bytes.fromhex("06092b2403030208010107"),  # brainpoolP256r1
        b"\x13\x0aedwards448",
        bytes.fromhex("0500"),  # that of the issuer (implicitCA)
        CURVE_PARAMETERS[KeyAlgorithm.ECDSA_P256] + b"\0",
        CURVE_PARAMETERS[KeyAlgorithm.ECDSA_P256][:-1],
        b"",
    ],
)
def test_another_curve_is_refused_and_named(parameters: bytes) -> None:
    with pytest.raises(ValueError, match=f"^the curve {parameters.hex()}$"):
        curve_public_key(parameters, _octet_string(_point(KeyAlgorithm.ECDSA_P256)))


# --- points that are none ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ALL_CURVES)
def test_a_header_that_is_not_that_of_an_octet_string_is_refused(algorithm: KeyAlgorithm) -> None:
    wrapped = _octet_string(_point(algorithm))
    header = len(wrapped) - len(_point(algorithm))
    for position in range(header):
        for bit in range(8):
            spoiled = bytearray(wrapped)
            spoiled[position] ^= 1 << bit
            with pytest.raises(ValueError, match=f"^a point of {len(wrapped)} bytes$"):
                curve_public_key(CURVE_PARAMETERS[algorithm], bytes(spoiled))


@pytest.mark.parametrize("algorithm", ALL_CURVES)
def test_a_point_of_another_length_is_refused(algorithm: KeyAlgorithm) -> None:
    point = _point(algorithm)
    wrapped = _octet_string(point)
    bit_string = b"\x03" + _octet_string(b"\0" + point)[1:]
    others = (b"", point[:-1], point + b"\0", wrapped[:-1], wrapped + b"\0", _octet_string(wrapped), bit_string)
    for other in others:
        with pytest.raises(ValueError, match=f"^a point of {len(other)} bytes$"):
            curve_public_key(CURVE_PARAMETERS[algorithm], other)


@pytest.mark.parametrize("algorithm", CURVES)
def test_a_point_in_another_form_or_off_the_curve_is_refused(algorithm: KeyAlgorithm) -> None:
    point = _point(algorithm)
    compressed = _public(algorithm).public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    hybrid = bytes([6 | point[-1] & 1]) + point[1:]
    off_the_curve = point[:-1] + bytes([point[-1] ^ 1])
    zero = b"\x04" + bytes(len(point) - 1)
    infinity = b"\0"
    padded = compressed.ljust(len(point), b"\0")
    for other in (compressed, hybrid, off_the_curve, zero, infinity, padded):
        for form in (other, _octet_string(other)):
            with pytest.raises(ValueError):  # noqa: PT011 - by cryptography, in its words, or by us
                curve_public_key(CURVE_PARAMETERS[algorithm], form)


@given(st.sampled_from(ALL_CURVES), st.sampled_from(ALL_CURVES), st.data())
def test_what_a_token_shows_is_a_key_or_refused(curve: KeyAlgorithm, other: KeyAlgorithm, data: st.DataObject) -> None:
    """Whatever the bytes are, they are either the key's own encoding in one of two forms, or a ValueError."""
    shown = bytearray(data.draw(st.sampled_from([_point(other), _octet_string(_point(other))])))
    position = data.draw(st.integers(0, len(shown) - 1))
    shown[position] = data.draw(st.integers(0, 255))
    try:
        key = curve_public_key(CURVE_PARAMETERS[curve], bytes(shown))
    except ValueError:
        return
    if isinstance(key, ec.EllipticCurvePublicKey):
        own = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    else:
        own = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    assert bytes(shown) in {own, _octet_string(own)}


# --- RSA --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("padding_bytes", [0, 1, 8])
def test_an_rsa_key_is_read_with_and_without_leading_zeros(padding_bytes: int) -> None:
    expected = private_key(KeyAlgorithm.RSA_3072).public_key()
    assert isinstance(expected, rsa.RSAPublicKey)
    numbers = expected.public_numbers()
    zeros = bytes(padding_bytes)
    assert rsa_public_key(zeros + numbers.n.to_bytes(384, "big"), zeros + numbers.e.to_bytes(3, "big")) == expected


@pytest.mark.parametrize(
    ("modulus", "exponent"),
    [
        (b"", b"\x01\0\x01"),
        (b"\xff" * 384, b""),
        (b"\xff" * 384, b"\x01"),
        (b"\xff" * 384, b"\x02"),
        (b"\xff" * 384, b"\x01\0\0"),
        (b"\xff" * 384, b"\xff" * 385),
    ],
    ids=["no modulus", "no exponent", "exponent of 1", "exponent of 2", "even exponent", "exponent above modulus"],
)
def test_numbers_that_are_no_rsa_key_are_refused(modulus: bytes, exponent: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - by cryptography, in its words
        rsa_public_key(modulus, exponent)


# --- signatures -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", CURVES)
@given(st.data())
def test_r_and_s_come_out_as_they_went_in(algorithm: KeyAlgorithm, data: st.DataObject) -> None:
    size = SIZES[algorithm]
    numbers = st.one_of(st.integers(0, 256**size - 1), st.sampled_from([0, 1, 127, 128, 256**size - 1]))
    r, s = data.draw(numbers), data.draw(numbers)
    encoded = ecdsa_signature(r.to_bytes(size, "big") + s.to_bytes(size, "big"), _public(algorithm))
    assert utils.decode_dss_signature(encoded) == (r, s)


@pytest.mark.parametrize("algorithm", CURVES)
def test_a_signature_verifies_after_it_was_encoded(algorithm: KeyAlgorithm) -> None:
    key, size = private_key(algorithm), SIZES[algorithm]
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    digest = hashlib.sha256(b"what is signed").digest()
    prehashed = ec.ECDSA(utils.Prehashed(hash_algorithm("sha256")))
    r, s = utils.decode_dss_signature(key.sign(digest, prehashed))
    raw, swapped = (a.to_bytes(size, "big") + b.to_bytes(size, "big") for a, b in ((r, s), (s, r)))
    key.public_key().verify(ecdsa_signature(raw, key.public_key()), digest, prehashed)
    with pytest.raises(InvalidSignature):
        key.public_key().verify(ecdsa_signature(swapped, key.public_key()), digest, prehashed)


@pytest.mark.parametrize("algorithm", CURVES)
def test_a_signature_of_another_length_is_refused(algorithm: KeyAlgorithm) -> None:
    size = SIZES[algorithm]
    others = {0, 1, size, 2 * size - 2, 2 * size - 1, 2 * size + 1, 2 * size + 2, 4 * size}
    for other in others | {2 * each for each in SIZES.values()} - {2 * size}:
        with pytest.raises(ValueError, match=f"^an ECDSA signature of {other} bytes$"):
            ecdsa_signature(b"\x01" * other, _public(algorithm))


# --- DigestInfo -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hash_name", DIGEST_SIZES)
def test_a_digest_info_is_what_cryptography_finds_in_its_own_signature(hash_name: str) -> None:
    key = private_key(KeyAlgorithm.RSA_3072)
    assert isinstance(key, rsa.RSAPrivateKey)
    digest = hashlib.new(hash_name, b"what is signed").digest()
    signature = key.sign(digest, padding.PKCS1v15(), utils.Prehashed(hash_algorithm(hash_name)))
    recovered = key.public_key().recover_data_from_signature(signature, padding.PKCS1v15(), None)
    assert digest_info(digest, hash_name) == recovered
    assert digest_info(hashlib.new(hash_name, b"another").digest(), hash_name) != recovered


@pytest.mark.parametrize("hash_name", DIGEST_SIZES)
def test_a_digest_info_that_is_padded_and_signed_verifies_under_its_hash_only(hash_name: str) -> None:
    """What a token does by CKM_RSA_PKCS, done here with the numbers of the key (RFC 8017, section 8.2.1)."""
    key = private_key(KeyAlgorithm.RSA_3072)
    assert isinstance(key, rsa.RSAPrivateKey)
    digest = hashlib.new(hash_name, b"what is signed").digest()
    content = digest_info(digest, hash_name)
    padded = b"\0\x01" + b"\xff" * (384 - 3 - len(content)) + b"\0" + content
    numbers = key.private_numbers()
    signature = pow(int.from_bytes(padded, "big"), numbers.d, numbers.public_numbers.n).to_bytes(384, "big")
    public = key.public_key()
    public.verify(signature, digest, padding.PKCS1v15(), utils.Prehashed(hash_algorithm(hash_name)))
    for other in DIGEST_SIZES.keys() - {hash_name}:
        foreign = utils.Prehashed(hash_algorithm(other))
        with pytest.raises(InvalidSignature):
            public.verify(signature, hashlib.new(other, b"what is signed").digest(), padding.PKCS1v15(), foreign)
