"""By which mechanism a scheme is signed: the token's offer, the key's restrictions, and what PKCS#11 means by them."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from hypothesis import given
from hypothesis import strategies as st
from pkcs11 import Mechanism

from hatch_sign.testing.seals import private_key
from hatch_sign.values.algorithms import DIGEST_SIZES, KeyAlgorithm, Scheme
from hatch_sign.values.errors import UnsupportedError
from hatch_sign.values.public_keys import PublicKey, as_public_key, hash_algorithm, schemes_of_key, verify_digest
from hatch_sign_pkcs11.encoding import digest_info
from hatch_sign_pkcs11.mechanisms import (
    Recipe,
    encode_signature,
    name_mechanism,
    recipes_for,
    signing_mechanisms,
)

P256, P384, P521 = KeyAlgorithm.ECDSA_P256, KeyAlgorithm.ECDSA_P384, KeyAlgorithm.ECDSA_P521
RSA, ED25519 = KeyAlgorithm.RSA_3072, KeyAlgorithm.ED25519

OF_DIGESTS = {"ecdsa": 0x1041, "rsa-pkcs1": 0x1, "rsa-pss": 0xD}
OF_MESSAGES = {
    Scheme.ECDSA_SHA256: 0x1044,
    Scheme.ECDSA_SHA384: 0x1045,
    Scheme.ECDSA_SHA512: 0x1046,
    Scheme.RSA_PKCS1_SHA256: 0x40,
    Scheme.RSA_PKCS1_SHA384: 0x41,
    Scheme.RSA_PKCS1_SHA512: 0x42,
    Scheme.RSA_PSS_SHA256: 0x43,
    Scheme.RSA_PSS_SHA384: 0x44,
    Scheme.RSA_PSS_SHA512: 0x45,
    Scheme.ED25519: 0x1057,
}
"""The numbers of the mechanisms, from the header of PKCS#11 v3.0 (pkcs11t.h)."""

FOREIGN = {0x0, 0x1040, 0x250, 0x1087, 0x80001234}
"""Making RSA and EC keys, SHA-256, AES-GCM, and a vendor's own."""


def _key(algorithm: KeyAlgorithm) -> PublicKey:
    return as_public_key(private_key(algorithm).public_key(), subject="the key of the test")


def _offer(*numbers: int) -> set[Mechanism | int]:
    """Return mechanisms as python-pkcs11 lists them: those that it has no name for as numbers."""
    return {Mechanism(number) if number in Mechanism._value2member_map_ else number for number in numbers}


def _recipes(algorithm: KeyAlgorithm, *offered: int, allowed: tuple[int, ...] = ()) -> list[tuple[str, int, str]]:
    found = recipes_for(_key(algorithm), _offer(*offered), frozenset(allowed), subject="pkcs11:token=t")
    assert all(recipe.scheme is scheme for scheme, recipe in found.items())
    return [(scheme.label, int(recipe.mechanism), recipe.takes) for scheme, recipe in found.items()]


# --- what is chosen ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("algorithm", "offered", "allowed", "expected"),
    [
        (P256, (0x1041,), (), [("ecdsa-sha256", 0x1041, "digest")]),
        (P256, (0x1044,), (), [("ecdsa-sha256", 0x1044, "message")]),
        (P256, (0x1041, 0x1044), (), [("ecdsa-sha256", 0x1041, "digest")]),
        (P256, (0x1041, 0x1044), (0x1044,), [("ecdsa-sha256", 0x1044, "message")]),
        (P256, (0x1044, 0x1045, 0x1046), (), [("ecdsa-sha256", 0x1044, "message")]),
        (P384, (0x1041, 0x1045), (), [("ecdsa-sha384", 0x1041, "digest"), ("ecdsa-sha256", 0x1041, "digest")]),
        (P384, (0x1044, 0x1045), (), [("ecdsa-sha384", 0x1045, "message"), ("ecdsa-sha256", 0x1044, "message")]),
        (P384, (0x1044,), (), [("ecdsa-sha256", 0x1044, "message")]),
        (P521, (0x1044, 0x1046), (), [("ecdsa-sha512", 0x1046, "message"), ("ecdsa-sha256", 0x1044, "message")]),
        (
            RSA,
            (0x1,),
            (),
            [(f"rsa-pkcs1-{name}", 0x1, "digest") for name in ("sha256", "sha384", "sha512")],
        ),
        (RSA, (0xD,), (), [(f"rsa-pss-{name}", 0xD, "digest") for name in ("sha256", "sha384", "sha512")]),
        (RSA, (0x1, 0x40), (0x40,), [("rsa-pkcs1-sha256", 0x40, "message")]),
        (RSA, (0x40, 0x44), (), [("rsa-pkcs1-sha256", 0x40, "message"), ("rsa-pss-sha384", 0x44, "message")]),
        (
            RSA,
            (0x40, 0xD),
            (),
            [
                *((f"rsa-pss-{name}", 0xD, "digest") for name in ("sha256", "sha384", "sha512")),
                ("rsa-pkcs1-sha256", 0x40, "message"),
            ],
        ),
        (ED25519, (0x1057,), (), [("ed25519", 0x1057, "message")]),
        (ED25519, (0x1057, *FOREIGN), (0x1057, 0x80001234), [("ed25519", 0x1057, "message")]),
    ],
)
def test_a_scheme_is_signed_by(
    algorithm: KeyAlgorithm, offered: tuple[int, ...], allowed: tuple[int, ...], expected: list[tuple[str, int, str]]
) -> None:
    assert _recipes(algorithm, *offered, allowed=allowed) == expected
    assert _recipes(algorithm, *offered, *FOREIGN, allowed=allowed) == expected


@pytest.mark.parametrize(
    ("algorithm", "offered", "allowed", "names"),
    [
        (P256, (), (), "none that signs"),
        (P256, tuple(FOREIGN), (), "none that signs"),
        (P256, (0x1045, 0x1, 0x1040), (), "CKM_ECDSA_SHA384, CKM_RSA_PKCS"),
        (P256, (0x1041,), (0x1044,), "none that signs"),
        (P256, (0x1041, 0x1), (0x1, 0x1044), "CKM_RSA_PKCS"),
        (P384, (0x1046,), (), "CKM_ECDSA_SHA512"),
        (RSA, (0x1041, 0x1057), (), "CKM_ECDSA, CKM_EDDSA"),
        (RSA, (0x1, 0xD), (0x80001234,), "none that signs"),
        (ED25519, (0x1041, 0xD), (), "CKM_ECDSA, CKM_RSA_PKCS_PSS"),
    ],
)
def test_where_nothing_fits_it_says_what_there_is(
    algorithm: KeyAlgorithm, offered: tuple[int, ...], allowed: tuple[int, ...], names: str
) -> None:
    with pytest.raises(UnsupportedError) as caught:
        _recipes(algorithm, *offered, allowed=allowed)
    assert caught.value.message == (
        f"pkcs11:token=t: the token has no mechanism to sign with its {algorithm.value} key; it offers: {names}"
    )
    assert caught.value.remedy


_ANY_MECHANISMS = st.sets(st.sampled_from(sorted({*OF_DIGESTS.values(), *OF_MESSAGES.values(), *FOREIGN})))


@given(st.sampled_from([P256, P384, P521, RSA, ED25519]), _ANY_MECHANISMS, _ANY_MECHANISMS)
def test_a_scheme_is_signed_whenever_one_of_its_mechanisms_is_offered_and_allowed(
    algorithm: KeyAlgorithm, offered: set[int], allowed: set[int]
) -> None:
    usable = offered & allowed if allowed else offered
    expected = {}
    for scheme in schemes_of_key(_key(algorithm)):
        if OF_DIGESTS.get(scheme.family) in usable:
            expected[scheme.label] = (OF_DIGESTS[scheme.family], "digest")
        elif OF_MESSAGES[scheme] in usable:
            expected[scheme.label] = (OF_MESSAGES[scheme], "message")
    if not expected:
        with pytest.raises(UnsupportedError):
            _recipes(algorithm, *offered, allowed=tuple(allowed))
        return
    found = _recipes(algorithm, *offered, allowed=tuple(allowed))
    assert {label: (mechanism, takes) for label, mechanism, takes in found} == expected
    forms = [takes for _, _, takes in found]
    assert forms == sorted(forms), "those that take digests come first"
    for form in ("digest", "message"):
        labels = [label for label, _, takes in found if takes == form]
        best_first = [scheme.label for scheme in schemes_of_key(_key(algorithm))]
        assert labels == [label for label in best_first if label in labels]


def test_the_mechanisms_that_sign_are_told_from_those_that_do_not() -> None:
    signing = {*OF_DIGESTS.values(), *OF_MESSAGES.values()}
    assert {int(each) for each in signing_mechanisms(_offer(*signing, *FOREIGN))} == signing
    assert signing_mechanisms(_offer(*FOREIGN)) == set()


@pytest.mark.parametrize(
    ("mechanism", "name"),
    [
        (Mechanism.ECDSA, "CKM_ECDSA"),
        (Mechanism.SHA256_RSA_PKCS_PSS, "CKM_SHA256_RSA_PKCS_PSS"),
        (Mechanism(0x101), "CKM_RC2_ECB"),  # The library marks with an underscore what it cannot do.
        (0x80001234, "0x80001234"),
        (0xABCD, "0xABCD"),
    ],
)
def test_a_mechanism_is_named_as_pkcs11_names_it(mechanism: object, name: str) -> None:
    assert name_mechanism(mechanism) == name


# --- how it is called -------------------------------------------------------------------------------------------------

HASHES_OF_PSS = {"sha256": (0x250, 0x2), "sha384": (0x260, 0x3), "sha512": (0x270, 0x4)}
"""CKM_SHAxxx and CKG_MGF1_SHAxxx."""


def _recipe(scheme: Scheme, number: int, takes: str = "digest") -> Recipe:
    return Recipe(scheme, Mechanism(number), takes)  # type: ignore[arg-type] # one of two words


@pytest.mark.parametrize("number", [0xD, 0x43])
def test_pss_is_mgf1_with_the_same_hash_and_a_salt_as_long_as_the_digest(number: int) -> None:
    for scheme in (Scheme.RSA_PSS_SHA256, Scheme.RSA_PSS_SHA384, Scheme.RSA_PSS_SHA512):
        assert scheme.hash is not None
        parameters = _recipe(scheme, number).parameters
        assert parameters == (*HASHES_OF_PSS[scheme.hash], hashlib.new(scheme.hash).digest_size)


def test_nothing_else_has_parameters() -> None:
    for scheme in set(Scheme) - {Scheme.RSA_PSS_SHA256, Scheme.RSA_PSS_SHA384, Scheme.RSA_PSS_SHA512}:
        assert _recipe(scheme, OF_MESSAGES[scheme]).parameters is None


@pytest.mark.parametrize("hash_name", DIGEST_SIZES)
def test_raw_rsa_takes_a_digest_info_and_everything_else_what_it_is_given(hash_name: str) -> None:
    digest = hashlib.new(hash_name, b"what is signed").digest()
    of_hash = [scheme for scheme in Scheme if scheme.hash == hash_name]
    for scheme in of_hash:
        raw = _recipe(scheme, OF_DIGESTS[scheme.family]).prepare(digest)
        assert raw == (digest_info(digest, hash_name) if scheme.family == "rsa-pkcs1" else digest)
        assert _recipe(scheme, OF_MESSAGES[scheme], "message").prepare(b"a message") == b"a message"
    assert {scheme.family for scheme in of_hash} == set(OF_DIGESTS)


def test_ed25519_takes_the_message() -> None:
    assert _recipe(Scheme.ED25519, OF_MESSAGES[Scheme.ED25519], "message").prepare(b"a message") == b"a message"


# --- what comes back --------------------------------------------------------------------------------------------------


def test_an_ecdsa_signature_becomes_der() -> None:
    key, digest = private_key(P256), hashlib.sha256(b"what is signed").digest()
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    made = key.sign(digest, ec.ECDSA(utils.Prehashed(hash_algorithm("sha256"))))
    r, s = utils.decode_dss_signature(made)
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    assert encode_signature(raw, _key(P256)) == made
    with pytest.raises(ValueError, match="an ECDSA signature of 63 bytes"):
        encode_signature(raw[:-1], _key(P256))


@pytest.mark.parametrize("missing", [0, 1, 3])
def test_an_rsa_signature_is_as_long_as_the_modulus(missing: int) -> None:
    raw = b"\x5a" * (384 - missing)
    assert encode_signature(raw, _key(RSA)) == bytes(missing) + raw


def test_an_rsa_modulus_that_is_no_whole_number_of_bytes_is_rounded_up() -> None:
    numbers = rsa.RSAPublicNumbers(65537, 2**3066 + 1)
    assert len(encode_signature(b"\x01", numbers.public_key())) == 384


def test_an_rsa_signature_that_lost_its_leading_zero_verifies_again() -> None:
    key = private_key(RSA)
    assert isinstance(key, rsa.RSAPrivateKey)
    for number in range(10_000):
        digest = hashlib.sha256(b"%d" % number).digest()
        made = key.sign(digest, padding.PKCS1v15(), utils.Prehashed(hash_algorithm("sha256")))
        if made[0] == 0:
            break
    stripped = made.lstrip(b"\0")
    assert len(stripped) < 384
    assert not verify_digest(_key(RSA), stripped, digest, Scheme.RSA_PKCS1_SHA256)
    assert verify_digest(_key(RSA), encode_signature(stripped, _key(RSA)), digest, Scheme.RSA_PKCS1_SHA256)


def test_an_ed25519_signature_is_left_as_it_is() -> None:
    assert encode_signature(b"\0" + bytes(range(63)), _key(ED25519)) == b"\0" + bytes(range(63))
