"""Encryption of the token: its key under the PINs, and private keys under its key.

AES-256-GCM throughout, with a random 96-bit nonce; PINs go through scrypt (RFC 7914). What is encrypted is bound to what
it belongs to, so that rows cannot be exchanged within a token or between tokens.
"""

from __future__ import annotations

import os
import unicodedata
from dataclasses import dataclass

from hatch_sign.values.errors import ConfigurationError

NONCE_SIZE = 12
KEY_SIZE = 32
SALT_SIZE = 16
SHORTEST_PIN = 4
LONGEST_PIN = 64
_COST, _BLOCK, _LANES = 2**15, 8, 1
# A file that asks for more would let whoever wrote it exhaust the memory of whoever opens it.
_HIGHEST_COST, _HIGHEST_BLOCK, _HIGHEST_LANES = 2**17, 16, 4


class WrongPin(Exception):  # noqa: N818 (a fact of the lock, told apart from every error that leaves the backend)
    """The PIN does not open the lock, or the lock was tampered with: the two cannot be told apart."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """Something encrypted with AES-GCM; the ciphertext ends in the tag."""

    nonce: bytes
    ciphertext: bytes


@dataclass(frozen=True, slots=True)
class PinLock:
    """The token key, encrypted under a PIN; scrypt's parameters are N, r, p and a salt."""

    salt: bytes
    cost: int
    block: int
    lanes: int
    sealed: Sealed

    def __post_init__(self) -> None:
        """Raise ValueError for parameters that scrypt does not take, or that would exhaust memory."""
        power_of_two = self.cost >= 2 and self.cost & (self.cost - 1) == 0  # noqa: PLR2004 (RFC 7914 §2: N > 1)
        bounded = self.cost <= _HIGHEST_COST and 1 <= self.block <= _HIGHEST_BLOCK and 1 <= self.lanes <= _HIGHEST_LANES
        if not power_of_two or not bounded or len(self.salt) != SALT_SIZE:
            message = "parameters of scrypt"
            raise ValueError(message)


def check_pin(pin: str, *, subject: str) -> str:
    """Return `pin` as it is used, in Unicode's NFC. Raises ConfigurationError unless it has 4 to 64 characters of UTF-8."""
    normal = unicodedata.normalize("NFC", pin)
    if SHORTEST_PIN <= len(normal) <= LONGEST_PIN and not any("\ud800" <= character <= "\udfff" for character in normal):
        return normal
    message = f"{subject}: a PIN has {SHORTEST_PIN} to {LONGEST_PIN} characters of valid text, and this one has not"
    raise ConfigurationError(message)


def make_lock(token_key: bytes, pin: str, bound_to: bytes) -> PinLock:
    """Encrypt `token_key` under `pin`."""
    salt = os.urandom(SALT_SIZE)
    wrapping_key = _derive(pin, salt, _COST, _BLOCK, _LANES)
    return PinLock(salt, _COST, _BLOCK, _LANES, seal(wrapping_key, token_key, bound_to))


def open_lock(lock: PinLock, pin: str, bound_to: bytes) -> bytes:
    """Return the token key. Raises WrongPin."""
    wrapping_key = _derive(pin, lock.salt, lock.cost, lock.block, lock.lanes)
    try:
        token_key = unseal(wrapping_key, lock.sealed, bound_to)
    except ValueError:
        raise WrongPin from None
    return token_key


def seal(key: bytes, plaintext: bytes, bound_to: bytes) -> Sealed:
    """Encrypt `plaintext`, bound to what it belongs to."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 (needed to log in only)

    nonce = os.urandom(NONCE_SIZE)
    return Sealed(nonce, AESGCM(key).encrypt(nonce, plaintext, bound_to))


def unseal(key: bytes, sealed: Sealed, bound_to: bytes) -> bytes:
    """Return the plaintext. Raises ValueError if it was made under another key, or belongs elsewhere."""
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 (as above)
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 (as above)

    try:
        return AESGCM(key).decrypt(sealed.nonce, sealed.ciphertext, bound_to)
    except InvalidTag:
        message = "ciphertext that does not belong here"
    raise ValueError(message)


def _derive(pin: str, salt: bytes, cost: int, block: int, lanes: int) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt  # noqa: PLC0415 (as above)

    return Scrypt(salt=salt, length=KEY_SIZE, n=cost, r=block, p=lanes).derive(pin.encode("utf-8"))
