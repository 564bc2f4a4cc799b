"""What a module says of a token, and the pattern in a reference that a token must fit (RFC 7512 §2.5); pure."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from urllib.parse import quote

_PADDING = " \0"
"""Fields of fixed width are padded with spaces (PKCS#11 v2.40, §3.1); some modules end them with a NUL instead."""


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """One token in its slot, as CK_SLOT_INFO, CK_TOKEN_INFO and CK_INFO describe it; texts with or without padding."""

    slot_id: int
    label: str = ""
    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    slot_description: str = ""
    slot_manufacturer: str = ""
    library_manufacturer: str = ""
    library_description: str = ""
    library_version: tuple[int, int] = (0, 0)

    def describe(self) -> str:
        """Return the token as a reference that selects it, fit for messages: what is not plain is percent-encoded."""
        texts = {"token": self.label, "manufacturer": self.manufacturer, "model": self.model, "serial": self.serial}
        said = [f"{name}={encode_text(without_padding(text))}" for name, text in texts.items() if without_padding(text)]
        return f"pkcs11:{';'.join([*said, f'slot-id={self.slot_id}'])}"


@dataclass(frozen=True, slots=True)
class TokenPattern:
    """What a reference says of the token. None was not said, and everything fits it; an empty text fits empty only."""

    label: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    serial: str | None = None
    slot_id: int | None = None
    slot_description: str | None = None
    slot_manufacturer: str | None = None
    library_manufacturer: str | None = None
    library_description: str | None = None
    library_version: tuple[int, int] | None = None

    def matches(self, facts: TokenFacts) -> bool:
        """Whether the token fits everything that was said; case counts, padding does not (RFC 7512 §2.6)."""
        numbers = ((self.slot_id, facts.slot_id), (self.library_version, facts.library_version))
        texts = (
            (self.label, facts.label),
            (self.manufacturer, facts.manufacturer),
            (self.model, facts.model),
            (self.serial, facts.serial),
            (self.slot_description, facts.slot_description),
            (self.slot_manufacturer, facts.slot_manufacturer),
            (self.library_manufacturer, facts.library_manufacturer),
            (self.library_description, facts.library_description),
        )
        return all(said is None or said == found for said, found in numbers) and all(
            said is None or same_text(without_padding(said), without_padding(found)) for said, found in texts
        )


def without_padding(text: str) -> str:
    """Return the text of a field of fixed width."""
    return text.rstrip(_PADDING)


def same_text(one: str, other: str) -> bool:
    """Whether two texts are the same characters, however Unicode composes them (RFC 7512 §2.5)."""
    return unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)


def encode_text(text: str, *, safe: str = "") -> str:
    """Percent-encode all of `text` (UTF-8) but letters, digits, ``-._~`` and `safe`.

    RFC 7512 §2.3 would leave more as it is. But cosign reads ``+`` as a space and ``&`` as a separator, and shells have
    their own ideas of ``!``, ``$``, ``(`` and ``*``; encoded, every reader sees the same.
    """
    # A surrogate comes from a token that does not write UTF-8; encoded as it is, no reader takes it for anything else.
    return quote(text, safe=safe, errors="surrogatepass")
