"""A sketch of a token with four sessions, as PKCS#11 has them: a fifth call at once is an error of the vendor's."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from hatch_sign.contract.backends import SecretRequest
from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.errors import CustodyError, SecretRejectedError, UnsupportedError
from hatch_sign.values.protection import Protection, ProtectionLevel
from hatch_sign.values.public_keys import PublicKey, schemes_of_key

from .software_keys import PrivateKey, algorithm_of, sign_digest, sign_message, software_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from cryptography.x509 import Certificate

    from hatch_sign.contract.backends import BackendContext, Signer

SESSIONS = 4
PIN = "pooled-pin"
_REQUEST = SecretRequest("pin", "pooled token", "pooled:", variables=("POOLED_PIN",))


class VendorError(Exception):
    """What the vendor's library raises; its text holds the credential, as some do."""


class PooledSigner:
    """A key behind a pool of sessions. It declares the first two schemes of its key only: a mechanism was left out."""

    concurrency = SESSIONS
    certificates: Sequence[Certificate] = ()
    protection = Protection(ProtectionLevel.SELF_ASSERTED, "a sketch")

    def __init__(self, key: PrivateKey) -> None:
        self._key: PrivateKey | None = key
        self._public_key = key.public_key()
        self._lock = threading.Lock()
        self._free = SESSIONS
        self.most_at_once = 0

    @property
    def public_key(self) -> PublicKey:
        return self._public_key

    @property
    def schemes(self) -> Sequence[Scheme]:
        return schemes_of_key(self._public_key)[:2]

    @property
    def max_message(self) -> int:
        return 4096 if Scheme.ED25519 in self.schemes else 0

    def sign_digest(self, digest: bytes, scheme: Scheme) -> bytes:
        if scheme not in self.schemes:
            message = f"pooled: no mechanism for {scheme.label}"
            raise UnsupportedError(message)
        return self._in_session(lambda key: sign_digest(key, digest, scheme))

    def sign_message(self, message: bytes) -> bytes:
        return self._in_session(lambda key: sign_message(key, message))

    def log_out(self) -> None:
        self._key = None

    def __reduce__(self) -> NoReturn:
        message = "a session cannot be copied"
        raise TypeError(message)

    def _in_session(self, operation: Callable[[PrivateKey], bytes]) -> bytes:
        with self._lock:
            if self._free == 0:
                message = f"CKR_SESSION_COUNT pin={PIN}"
                raise VendorError(message)
            self._free -= 1
            self.most_at_once = max(self.most_at_once, SESSIONS - self._free)
        try:
            if self._key is None:
                message = "pooled: logged out"
                raise CustodyError(message)
            return operation(self._key)
        finally:
            with self._lock:
                self._free += 1


class PooledBackend:
    """Opens ``pooled:ALGORITHM``."""

    name = "pooled"
    uri_schemes = ("pooled",)

    def open(self, reference: str, context: BackendContext) -> AbstractContextManager[Signer]:
        return _log_in(algorithm_of(reference), context)


@contextmanager
def _log_in(algorithm: KeyAlgorithm, context: BackendContext) -> Iterator[PooledSigner]:
    if context.secret(_REQUEST) != PIN:
        context.rejected(_REQUEST)
        message = "pooled: the PIN is wrong"
        raise SecretRejectedError(message)
    signer = PooledSigner(software_key(algorithm))
    try:
        yield signer
    finally:
        signer.log_out()
