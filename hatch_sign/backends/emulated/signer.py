"""A key of an emulated token that is ready to sign."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, utils

from hatch_sign.backends.emulated.keys import PROTECTION, read_keys, select, unseal_key
from hatch_sign.backends.emulated.labels import parse_emulated_reference
from hatch_sign.backends.emulated.login import log_in, secret_request
from hatch_sign.backends.emulated.tokens import token_path
from hatch_sign.values.errors import CustodyError, UnsupportedError
from hatch_sign.values.public_keys import hash_algorithm, rsa_padding, schemes_of_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from cryptography.x509 import Certificate

    from hatch_sign.backends.emulated.keys import PrivateKey, StoredKey
    from hatch_sign.backends.emulated.labels import EmulatedReference
    from hatch_sign.contract.backends import BackendContext, Signer
    from hatch_sign.values.algorithms import Scheme
    from hatch_sign.values.protection import Protection
    from hatch_sign.values.public_keys import PublicKey

MAX_MESSAGE = 2**20
"""Bytes of the longest message for Ed25519: several statements of 1,024 artifacts, and far from holding an artifact."""


class EmulatedSigner:
    """The live handle of one key.

    It holds the key alone: no file, no lock, no connection. A child that inherits it by a fork has a handle of its own,
    and whatever it does to it leaves the parent's as it was.
    """

    __slots__ = ("_concurrency", "_private", "_stored", "_subject")

    def __init__(self, stored: StoredKey, private: PrivateKey, *, subject: str, concurrency: int) -> None:
        """Hold `private`, the decrypted half of `stored`; `subject` is the reference as messages name it."""
        self._stored = stored
        self._private: PrivateKey | None = private
        self._subject = subject
        self._concurrency = concurrency

    @property
    def public_key(self) -> PublicKey:
        """The public half of the key."""
        return self._stored.public_key

    @property
    def certificates(self) -> Sequence[Certificate]:
        """The chain that was imported for the key, leaf first."""
        return self._stored.certificates

    @property
    def schemes(self) -> Sequence[Scheme]:
        """Every scheme of such a key."""
        return schemes_of_key(self._stored.public_key)

    @property
    def protection(self) -> Protection:
        """Software, and nothing better."""
        return PROTECTION

    @property
    def concurrency(self) -> int:
        """One call for each processor: cryptography signs outside the interpreter's lock."""
        return self._concurrency

    @property
    def max_message(self) -> int:
        """1 MiB for Ed25519, which signs messages; 0 for keys that sign digests."""
        return MAX_MESSAGE if isinstance(self._stored.public_key, ed25519.Ed25519PublicKey) else 0

    def sign_digest(self, digest: bytes, scheme: Scheme) -> bytes:
        """Return the signature over `digest`. Raises UnsupportedError for what the key cannot do; CustodyError if closed."""
        private = self._require_open()
        if scheme.hash is None or scheme not in self.schemes:
            message = f"{self._subject}: the key does not sign digests by {scheme.label}"
            raise UnsupportedError(message)
        algorithm = hash_algorithm(scheme.hash)
        if len(digest) != algorithm.digest_size:
            message = f"{self._subject}: {scheme.label} signs {algorithm.digest_size} bytes, and {len(digest)} were given"
            raise UnsupportedError(message)
        if isinstance(private, rsa.RSAPrivateKey):
            return private.sign(digest, rsa_padding(scheme), utils.Prehashed(algorithm))
        if isinstance(private, ec.EllipticCurvePrivateKey):
            return private.sign(digest, ec.ECDSA(utils.Prehashed(algorithm)))
        return self._refuse(f"the key does not sign digests by {scheme.label}")

    def sign_message(self, message: bytes) -> bytes:
        """Return the Ed25519 signature over `message`. Raises as `sign_digest`, and for more than 1 MiB."""
        private = self._require_open()
        if not isinstance(private, ed25519.Ed25519PrivateKey):
            return self._refuse("the key signs digests, not messages")
        if len(message) > MAX_MESSAGE:
            return self._refuse(f"messages have at most {MAX_MESSAGE} bytes, and {len(message)} were given")
        return private.sign(message)

    def close(self) -> None:
        """Forget the key: everything is refused from now on."""
        self._private = None

    def __reduce__(self) -> NoReturn:
        """Refuse to be copied or pickled."""
        self._refuse("the handle of a key cannot be copied")

    def _require_open(self) -> PrivateKey:
        private = self._private
        if private is None:
            message = f"{self._subject}: the key was closed"
            raise CustodyError(message, remedy="open it again")
        return private

    def _refuse(self, reason: str) -> NoReturn:
        message = f"{self._subject}: {reason}"
        raise UnsupportedError(message)


def open_key(reference: str, context: BackendContext) -> AbstractContextManager[Signer]:
    """Return what logs in when it is entered, and forgets the key when it is left. Raises ConfigurationError."""
    return _open(parse_emulated_reference(reference), context)


@contextmanager
def _open(reference: EmulatedReference, context: BackendContext) -> Iterator[EmulatedSigner]:
    signer = _log_in_and_load(reference, context)
    try:
        yield signer
    finally:
        signer.close()


def _log_in_and_load(reference: EmulatedReference, context: BackendContext) -> EmulatedSigner:
    path = token_path(reference.token, context.environ)
    stored = select(reference, read_keys(path))  # Before the login: a wrong label should not cost a question for a PIN.
    session = log_in(path, secret_request(reference.token, "user", pin_source=reference.pin_source), context)
    context.warn(f"{reference.text}: the key is kept in software, which is not for production")
    concurrency = max(1, min(context.max_concurrency, os.cpu_count() or 1))
    return EmulatedSigner(stored, unseal_key(session, stored), subject=reference.text, concurrency=concurrency)
