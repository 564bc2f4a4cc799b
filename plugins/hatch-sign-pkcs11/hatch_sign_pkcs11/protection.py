"""What a token says of itself and of its keys, which is no proof of anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pkcs11 import Attribute, Mechanism

from hatch_sign.values.protection import Protection, ProtectionLevel
from hatch_sign_pkcs11.mechanisms import name_mechanism

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hatch_sign_pkcs11.keys import TokenKey
    from hatch_sign_pkcs11.slots import PresentToken

_UNAVAILABLE = {2**32 - 1, 2**64 - 1}
"""CK_UNAVAILABLE_INFORMATION, as wide as the machine's unsigned long: the key was not generated here."""


def describe_protection(token: PresentToken, key: TokenKey) -> Protection:
    """Return how the key is kept, as the token has it.

    A key that may be taken out of the token is as safe as a file: that is all that can be said of it.
    """
    facts = token.facts
    device = " ".join(filter(None, (facts.manufacturer, facts.model))) or "an unnamed token"
    level, said = _judge(key.claims)
    return Protection(
        level,
        f"{device}: {said}",
        {
            "token": facts.label,
            "manufacturer": facts.manufacturer,
            "model": facts.model,
            "serial": facts.serial,
            "firmware": token.firmware,
            **{f"CKA_{attribute.name}": _say(value) for attribute, value in key.claims.items()},
        },
    )


def _judge(claims: Mapping[Attribute, Any]) -> tuple[ProtectionLevel, str]:
    if claims[Attribute.EXTRACTABLE] is True or claims[Attribute.SENSITIVE] is False:
        return ProtectionLevel.SOFTWARE, "the token says that the key can be taken out"
    if claims[Attribute.EXTRACTABLE] is False or claims[Attribute.NEVER_EXTRACTABLE] is True:
        said = "the token says that the key cannot be taken out"
        if claims[Attribute.LOCAL] is False or claims[Attribute.NEVER_EXTRACTABLE] is False:
            said += " now, and that it was not made there or could be taken out once: there may be a copy"
        return ProtectionLevel.SELF_ASSERTED, said
    return ProtectionLevel.SOFTWARE, "the token does not say whether the key can be taken out"


def _say(value: Any) -> str:  # noqa: ANN401 - whatever an attribute holds
    if value is None:
        return "not said"
    if isinstance(value, bool):
        return "true" if value else "false"
    if value in _UNAVAILABLE:
        return "none"
    return name_mechanism(Mechanism(value) if value in Mechanism._value2member_map_ else value)
