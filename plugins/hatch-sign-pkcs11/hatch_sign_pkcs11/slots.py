"""The tokens that a module shows, and the one that a reference means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pkcs11
from pkcs11 import TokenFlag

from hatch_sign.values.display import display
from hatch_sign.values.errors import KeyNotFoundError
from hatch_sign_pkcs11.token_facts import TokenFacts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkcs11 import Token

    from hatch_sign_pkcs11.loaded import LoadedModule
    from hatch_sign_pkcs11.references import Pkcs11Reference


@dataclass(frozen=True, slots=True)
class PresentToken:
    """A token that is in a slot now: what it says of itself, and the library's handle of it."""

    facts: TokenFacts
    handle: Token

    @property
    def flags(self) -> TokenFlag:
        """The flags as they are now; reading them asks the token. Raises PKCS11Error."""
        return self.handle.slot.get_token().flags

    @property
    def firmware(self) -> str:
        """The version of its firmware, ``MAJOR.MINOR``."""
        major, minor = self.handle.firmware_version
        return f"{major}.{minor}"


def read_tokens(module: LoadedModule) -> Sequence[PresentToken]:
    """Return the initialised tokens of `module`, in the order of its slots. Raises PKCS11Error."""
    found = []
    for slot in module.library.get_slots(token_present=True):
        try:
            token = slot.get_token()
        except (pkcs11.TokenNotPresent, pkcs11.TokenNotRecognised):
            continue  # It was pulled out a moment ago, or is a card of another kind.
        if token.flags & TokenFlag.TOKEN_INITIALIZED:
            found.append(PresentToken(_read_facts(module, token), token))
    return found


def select_token(reference: Pkcs11Reference, module: LoadedModule) -> PresentToken:
    """Return the one token that answers to `reference`.

    Raises KeyNotFoundError where none or several do, listing what is there; PKCS11Error.
    """
    present = read_tokens(module)
    chosen = [token for token in present if reference.token.matches(token.facts)]
    if len(chosen) == 1:
        return chosen[0]
    subject = display(reference.text)
    if chosen:
        message = f"{subject}: {len(chosen)} tokens answer to it: {list_tokens(chosen)}"
        raise KeyNotFoundError(message, remedy="add what tells them apart, such as `serial=` or `slot-id=`")
    message = f"{subject}: no token answers to it; {display(module.path)} shows: {list_tokens(present)}"
    raise KeyNotFoundError(message, remedy="check the reference, and that the token is plugged in or its service runs")


def list_tokens(tokens: Sequence[PresentToken]) -> str:
    """Return the tokens as references that select them, for messages."""
    return ", ".join(display(token.facts.describe()) for token in tokens) or "none"


def _read_facts(module: LoadedModule, token: Token) -> TokenFacts:
    slot, library = token.slot, module.library
    return TokenFacts(
        slot_id=slot.slot_id,
        slot_description=slot.slot_description,
        slot_manufacturer=slot.manufacturer_id,
        label=token.label,
        manufacturer=token.manufacturer_id,
        model=token.model,
        serial=token.serial.decode("ascii", "replace").rstrip("\0"),
        library_manufacturer=library.manufacturer_id,
        library_description=library.library_description,
        library_version=(library.library_version[0], library.library_version[1]),
    )
