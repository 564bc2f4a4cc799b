"""What is said of how a key is kept is what the token says, no more; a key that may leave is as safe as a file."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from pkcs11 import Attribute

from hatch_sign.testing.seals import private_key
from hatch_sign.values.algorithms import KeyAlgorithm
from hatch_sign.values.protection import ProtectionLevel
from hatch_sign.values.public_keys import as_public_key
from hatch_sign_pkcs11.keys import TokenKey
from hatch_sign_pkcs11.protection import describe_protection
from hatch_sign_pkcs11.slots import PresentToken
from hatch_sign_pkcs11.token_facts import TokenFacts

if TYPE_CHECKING:
    from hatch_sign.values.protection import Protection

FACTS = TokenFacts(slot_id=0, label="release", manufacturer="Example Ltd", model="HSM 1", serial="00:17")
KEPT = {
    Attribute.LOCAL: True,
    Attribute.SENSITIVE: True,
    Attribute.ALWAYS_SENSITIVE: True,
    Attribute.EXTRACTABLE: False,
    Attribute.NEVER_EXTRACTABLE: True,
    Attribute.KEY_GEN_MECHANISM: 0x1040,
}
VALUES = {"true": True, "false": False, "not said": None}
STAYS = "the token says that the key cannot be taken out"
LEAVES = "the token says that the key can be taken out"


def describe(claims: dict[Attribute, Any], facts: TokenFacts = FACTS) -> Protection:
    key = TokenKey(
        label="signing",
        id=b"\x01",
        public_key=as_public_key(private_key(KeyAlgorithm.ECDSA_P256).public_key(), subject="the key of the test"),
        proved=True,
        claims=claims,
        always_authenticate=False,
        allowed=frozenset(),
    )
    handle = SimpleNamespace(firmware_version=(2, 6))  # All that is asked of the library's token.
    return describe_protection(PresentToken(facts, handle), key)


def test_a_key_that_stays_is_kept_as_the_token_says() -> None:
    protection = describe(KEPT)
    assert protection.level is ProtectionLevel.SELF_ASSERTED
    assert protection.summary == f"Example Ltd HSM 1: {STAYS}"
    assert protection.claims == {
        "token": "release",
        "manufacturer": "Example Ltd",
        "model": "HSM 1",
        "serial": "00:17",
        "firmware": "2.6",
        "CKA_LOCAL": "true",
        "CKA_SENSITIVE": "true",
        "CKA_ALWAYS_SENSITIVE": "true",
        "CKA_EXTRACTABLE": "false",
        "CKA_NEVER_EXTRACTABLE": "true",
        "CKA_KEY_GEN_MECHANISM": "CKM_EC_KEY_PAIR_GEN",
    }


@pytest.mark.parametrize(
    ("extractable", "sensitive", "level"),
    [
        ("false", "true", ProtectionLevel.SELF_ASSERTED),
        ("false", "not said", ProtectionLevel.SELF_ASSERTED),
        ("true", "true", ProtectionLevel.SOFTWARE),
        ("true", "false", ProtectionLevel.SOFTWARE),
        ("true", "not said", ProtectionLevel.SOFTWARE),
        ("false", "false", ProtectionLevel.SOFTWARE),
        ("not said", "false", ProtectionLevel.SOFTWARE),
    ],
)
def test_the_level_follows_what_is_said(extractable: str, sensitive: str, level: ProtectionLevel) -> None:
    held = {Attribute.EXTRACTABLE: VALUES[extractable], Attribute.SENSITIVE: VALUES[sensitive]}
    protection = describe(KEPT | held)
    assert protection.level is level
    assert protection.summary.endswith(LEAVES if level is ProtectionLevel.SOFTWARE else STAYS)


def test_a_token_that_says_nothing_is_not_quoted() -> None:
    protection = describe(dict.fromkeys(KEPT))
    assert protection.claims["CKA_EXTRACTABLE"] == protection.claims["CKA_SENSITIVE"] == "not said"
    assert STAYS not in protection.summary


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "not said"),
        (0x0, "CKM_RSA_PKCS_KEY_PAIR_GEN"),
        (0x1, "CKM_RSA_PKCS"),
        (0x1055, "CKM_EC_EDWARDS_KEY_PAIR_GEN"),
        (2**32 - 1, "none"),
        (2**64 - 1, "none"),
        (0x80001234, "0x80001234"),
    ],
)
def test_how_the_key_was_made_is_said_as_pkcs11_names_it(value: int | None, said: str) -> None:
    assert describe(KEPT | {Attribute.KEY_GEN_MECHANISM: value}).claims["CKA_KEY_GEN_MECHANISM"] == said


@pytest.mark.parametrize("said", ["true", "false", "not said"])
def test_a_claim_is_said_as_it_is(said: str) -> None:
    assert describe(KEPT | {Attribute.LOCAL: VALUES[said]}).claims["CKA_LOCAL"] == said


@pytest.mark.parametrize(
    ("manufacturer", "model", "device"),
    [("Example Ltd", "", "Example Ltd"), ("", "HSM 1", "HSM 1"), ("", "", "an unnamed token")],
)
def test_a_token_without_a_name_has_one(manufacturer: str, model: str, device: str) -> None:
    facts = TokenFacts(slot_id=0, manufacturer=manufacturer, model=model)
    assert describe(KEPT, facts).summary == f"{device}: {STAYS}"
