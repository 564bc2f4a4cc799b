"""What a key must be, before anything is signed by it."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from hatch_sign.custody.checked_signer import CheckedSigner
from hatch_sign.signing.credentials import choose_scheme, require_protection, require_strength
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.errors import RejectedError, UnsupportedError
from hatch_sign.values.protection import Protection, ProtectionLevel


class SmallSigner:
    """An RSA key of 2048 bits, as an old token may hold."""

    public_key = rsa.generate_private_key(65537, 2048).public_key()
    certificates = ()
    schemes = (Scheme.RSA_PKCS1_SHA256,)
    protection = Protection(ProtectionLevel.SELF_ASSERTED, "an old token")
    concurrency = 1
    max_message = 0

    def sign_digest(self, digest: bytes, scheme: Scheme) -> bytes:
        raise AssertionError((digest, scheme))

    def sign_message(self, message: bytes) -> bytes:
        raise AssertionError(message)


SIGNER = CheckedSigner(SmallSigner(), reference="old:token")


def test_a_small_rsa_key_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="old:token: an RSA key of 2048 bits, expected at least 3072"):
        require_strength(SIGNER)


def test_the_first_scheme_that_both_know_is_chosen() -> None:
    wanted = (Scheme.RSA_PSS_SHA256, Scheme.RSA_PKCS1_SHA256)
    assert choose_scheme("x", wanted, SIGNER) is Scheme.RSA_PKCS1_SHA256


@pytest.mark.parametrize(("wanted", "expected"), [((Scheme.ED25519,), "ed25519"), ((), "no such key")])
def test_a_format_that_the_key_cannot_make_names_both_sides(wanted: tuple[Scheme, ...], expected: str) -> None:
    reason = f"format x cannot be made by old:token .rsa-2048.: the key offers rsa-pkcs1-sha256, the format takes {expected}"
    with pytest.raises(UnsupportedError, match=reason):
        choose_scheme("x", wanted, SIGNER)


def test_protection_is_held_against_what_is_demanded() -> None:
    assert require_protection(SIGNER, None).level is ProtectionLevel.SELF_ASSERTED
    assert require_protection(SIGNER, ProtectionLevel.SOFTWARE).level is ProtectionLevel.SELF_ASSERTED
    with pytest.raises(RejectedError, match=r"self-asserted .an old token., expected at least attested"):
        require_protection(SIGNER, ProtectionLevel.ATTESTED)
