"""What a token says of itself and of its keys, which is no proof of anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pkcs11 import Attribute, Mechanism

from hatch_sign.values.protection import Protection, ProtectionLevel
from hatch_sign_pkcs11.mechanisms import name_mechanism

if TYPE_CHECKING:
    from hatch_sign_pkcs11.keys import TokenKey
    from hatch_sign_pkcs11.slots import PresentToken

_UNAVAILABLE = {2**32 - 1, 2**64 - 1}
"""CK_UNAVAILABLE_INFORMATION, as wide as the machine's unsigned long: the key was not generated here."""


def describe_protection(token: PresentToken, key: TokenKey) -> Protection:
    """Return how the key is kept, as the token has it.

    A key that may be taken out of the token is as safe as a file: that is all that can be said of it.
    """
    facts = token.facts
    leaves = key.claims[Attribute.EXTRACTABLE] is True or key.claims[Attribute.SENSITIVE] is False
    device = " ".join(filter(None, (facts.manufacturer, facts.model))) or "an unnamed token"
    said = "the token says that the key can be taken out" if leaves else "the token says that the key cannot be taken out"
    return Protection(
        ProtectionLevel.SOFTWARE if leaves else ProtectionLevel.SELF_ASSERTED,
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


def _say(value: Any) -> str:  # noqa: ANN401 - whatever an attribute holds
    if value is None:
        return "not said"
    if isinstance(value, bool):
        return "true" if value else "false"
    if value in _UNAVAILABLE:
        return "none"
    return name_mechanism(Mechanism(value) if value in Mechanism._value2member_map_ else value)
