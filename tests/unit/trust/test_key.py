"""The rule that names a public key."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hatch_sign.trust.key import KeyKind, KeyRule, hatch_sign_register_trust
from hatch_sign.values.errors import ConfigurationError, MalformedError, UnsupportedError
from hatch_sign.values.outcomes import Verdict
from hatch_sign.values.public_keys import encode_public_key_pem, key_hint

from . import authorities


def pem(key: Any) -> str:  # noqa: ANN401 - a private key of any kind
    return encode_public_key_pem(key.public_key()).decode()


def parse(text: str, **settings: object) -> KeyRule:
    def read(name: str) -> bytes:
        assert name == "release.pub"
        return text.encode()

    return KeyKind().parse({"public-key": "release.pub", **settings}, read)


def never(name: str) -> bytes:
    pytest.fail(f"read {name}")


def test_registers_under_its_name() -> None:
    kind = hatch_sign_register_trust()
    assert (kind.name, kind.selector) == ("key", {"public-key"})
    assert kind.selector < set(kind.settings)


def test_vouches_for_its_key_and_for_no_other() -> None:
    key, other = authorities.p256(), authorities.p256()
    rule = parse(pem(key))
    trusted = rule.evaluate(authorities.material(key=key))
    assert trusted.verdict is Verdict.TRUSTED
    assert trusted.signer == f"key {key_hint(key.public_key())} (ecdsa-p256)"
    refused = rule.evaluate(authorities.material(key=other))
    assert (refused.verdict, refused.signer) == (Verdict.UNTRUSTED, None)
    assert refused.detail == "it was made by another ecdsa-p256 key"


def test_a_key_may_stand_in_the_configuration_itself() -> None:
    key = authorities.p256()
    assert KeyKind().parse({"public-key": pem(key)}, never).keys == (key.public_key(),)


def test_a_small_rsa_key_is_refused_unless_the_rule_says_otherwise() -> None:
    small = authorities.rsa_key(2048)
    refused = parse(pem(small)).evaluate(authorities.material(key=small))
    assert refused.verdict is Verdict.UNTRUSTED
    assert refused.detail == "the RSA key has 2048 bits, expected at least 3072"
    accepted = parse(pem(small), **{"minimum-rsa-bits": 2048}).evaluate(authorities.material(key=small))
    assert accepted.verdict is Verdict.TRUSTED


@pytest.mark.parametrize("bits", [2047, 0, -1, 16385])
def test_no_rule_goes_below_what_can_be_factored(bits: int) -> None:
    with pytest.raises(ConfigurationError, match=f"`minimum-rsa-bits` is {bits}, expected 2048 to 16384"):
        parse(pem(authorities.p256()), **{"minimum-rsa-bits": bits})


def test_a_private_key_is_refused_and_not_shown() -> None:
    private = authorities.p256().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with pytest.raises(MalformedError, match=r"release\.pub: holds a private key") as caught:
        parse(private)
    assert private.splitlines()[1] not in str(caught.value)


def test_two_keys_in_one_file_are_refused() -> None:
    with pytest.raises(MalformedError, match=r"release\.pub: holds 2 PEM blocks, expected one public key"):
        parse(pem(authorities.p256()) + pem(authorities.p256()))


def test_what_is_no_key_is_refused() -> None:
    with pytest.raises(MalformedError, match=r"release\.pub: not a PEM public key"):
        parse("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
    with pytest.raises(MalformedError, match=r"release\.pub: not a PEM public key"):
        parse("")
    with pytest.raises(ConfigurationError, match="`public-key` is empty"):
        KeyKind().parse({"public-key": " "}, never)


def test_ed25519_is_a_key_and_a_stranger_curve_is_not() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    assert parse(pem(key)).keys == (key.public_key(),)
    with pytest.raises(UnsupportedError, match="secp256k1 is not supported"):
        parse(pem(ec.generate_private_key(ec.SECP256K1())))
