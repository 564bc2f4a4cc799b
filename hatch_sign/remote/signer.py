"""The signer over a key of a service."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from hatch_sign.remote.keys import CONCURRENCY
from hatch_sign.values.algorithms import DIGEST_SIZES, Scheme
from hatch_sign.values.errors import CredentialRotatedError, CustodyError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from cryptography.x509 import Certificate

    from hatch_sign.contract.backends import BackendContext, Signer
    from hatch_sign.remote.keys import KeyFacts, RemoteKey
    from hatch_sign.values.protection import Protection
    from hatch_sign.values.public_keys import PublicKey


class RemoteSigner:
    """A key of a service that is ready to sign: holds what was described, and refuses what the key cannot do.

    Nothing that is wrong with a request costs a call. Calls overlap; the core lets in as many as `concurrency`.
    """

    __slots__ = ("_concurrency", "_facts", "_key", "_lock", "_protection", "_subject")

    def __init__(self, key: RemoteKey, facts: KeyFacts, *, subject: str, concurrency: int) -> None:
        """Lend `key`, of which `facts` were described; `subject` is the reference as messages name it."""
        self._key: RemoteKey | None = key
        self._facts = facts
        self._subject = subject
        self._concurrency = concurrency
        self._lock = threading.Lock()
        self._protection: Protection | None = None

    @property
    def public_key(self) -> PublicKey:
        """The public half of the version that was pinned."""
        return self._facts.public_key

    @property
    def certificates(self) -> Sequence[Certificate]:
        """The chain that the service holds for the key, leaf first."""
        return self._facts.certificates

    @property
    def schemes(self) -> Sequence[Scheme]:
        """What the version and its policy allow."""
        return self._facts.schemes

    @property
    def protection(self) -> Protection:
        """How the key is kept, as the service says; asked for once, where it is read."""
        with self._lock:
            if self._protection is None:
                self._protection = self._require_open().protection()
            return self._protection

    @property
    def concurrency(self) -> int:
        """As many calls as the service's connections are pooled for."""
        return self._concurrency

    @property
    def max_message(self) -> int:
        """What the service takes in one call for Ed25519; 0 for keys that sign digests."""
        return self._facts.max_message

    @property
    def needs_timestamp(self) -> bool:
        """Whether the certificates live for days only."""
        return self._facts.needs_timestamp

    def sign_digest(self, digest: bytes, scheme: Scheme) -> bytes:
        """Return the signature over `digest`. Raises UnsupportedError for what the key cannot do, CustodyError.

        After CredentialRotatedError, what is announced is what the service signs with now.
        """
        key = self._require_open()
        if scheme.hash is None or scheme not in self.schemes:
            self._refuse(f"the key does not sign digests by {scheme.label}")
        expected = DIGEST_SIZES[scheme.hash]
        if len(digest) != expected:
            self._refuse(f"{scheme.label} signs {expected} bytes, and {len(digest)} were given")
        try:
            return key.sign_digest(digest, scheme)
        except CredentialRotatedError as error:
            rotated = error
        self._facts = key.describe()
        raise rotated

    def sign_message(self, message: bytes) -> bytes:
        """Return the Ed25519 signature over `message`. Raises as `sign_digest`, and for more than `max_message`."""
        key = self._require_open()
        if Scheme.ED25519 not in self.schemes:
            self._refuse("the key signs digests, not messages")
        if len(message) > self.max_message:
            self._refuse(f"messages have at most {self.max_message} bytes, and {len(message)} were given")
        return key.sign_message(message)

    def close(self) -> None:
        """Refuse everything from now on."""
        self._key = None

    def __reduce__(self) -> NoReturn:
        """Refuse to be copied or pickled: the connection belongs to this run."""
        self._refuse("the handle of a key cannot be copied")

    def _require_open(self) -> RemoteKey:
        key = self._key
        if key is None:
            message = f"{self._subject}: the key was closed"
            raise CustodyError(message, remedy="open it again")
        return key

    def _refuse(self, reason: str) -> NoReturn:
        message = f"{self._subject}: {reason}"
        raise UnsupportedError(message)


@contextmanager
def open_remote_key(
    connect: Callable[[], AbstractContextManager[RemoteKey]], *, subject: str, context: BackendContext
) -> Iterator[Signer]:
    """Lend a signer over the key that `connect` reaches; nothing is connected before this is entered.

    What `connect` returns logs in when it is entered, out when it is left. Pool as many connections as
    :func:`pool_size` says.
    """
    with connect() as key:
        signer = RemoteSigner(key, key.describe(), subject=subject, concurrency=pool_size(context))
        try:
            yield signer
        finally:
            signer.close()


def pool_size(context: BackendContext) -> int:
    """Return how many connections to one service a run can use at once."""
    return max(1, min(context.max_concurrency, CONCURRENCY))
