"""How small an RSA key of a signer may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from hatch_sign.values.algorithms import SMALLEST_RSA_BITS
from hatch_sign.values.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from hatch_sign.values.public_keys import PublicKey

SETTING = "minimum-rsa-bits"

SMALLEST_SETTING = 2048
"""Below this, no rule may go: such keys can be factored by those who would pay for it (NIST SP 800-131A)."""
_LARGEST_SETTING = 16384


def minimum_rsa_bits(table: Mapping[str, Any]) -> int:
    """Return the smallest RSA key that a rule accepts, in bits. Raises ConfigurationError below 2048 or above 16384."""
    bits: int = table.get(SETTING, SMALLEST_RSA_BITS)
    if not SMALLEST_SETTING <= bits <= _LARGEST_SETTING:
        message = f"`{SETTING}` is {bits}, expected {SMALLEST_SETTING} to {_LARGEST_SETTING}"
        raise ConfigurationError(message, remedy=f"leave it out for {SMALLEST_RSA_BITS}")
    return bits


def weakness(key: PublicKey, minimum: int) -> str:
    """Return why the key is too weak; empty where it is not. Keys on curves of the closed table never are."""
    if not isinstance(key, RSAPublicKey) or key.key_size >= minimum:
        return ""
    return f"the RSA key has {key.key_size} bits, expected at least {minimum}"
