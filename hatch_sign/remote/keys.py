"""The port of a provider: one key of one service, its version pinned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from hatch_sign.values.algorithms import Scheme
    from hatch_sign.values.protection import Protection
    from hatch_sign.values.public_keys import PublicKey

CONCURRENCY = 16
"""Calls to one service that are under way at once, at most: the connections that an SDK has to pool."""


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What a service says of one version of a key, read once when the key is opened.

    `schemes` are those that the version and its policy allow, best first; `max_message` is in bytes, and 0 for keys that
    sign digests. `certificates` are the leaf and its issuers, where the service holds them; `needs_timestamp` says that they
    live for days only.
    """

    public_key: PublicKey
    schemes: tuple[Scheme, ...]
    max_message: int = 0
    certificates: tuple[Certificate, ...] = ()
    needs_timestamp: bool = False


class RemoteKey(Protocol):
    """One key of a service, over its SDK; asked from any thread, each call through a ServiceCaller of the provider's.

    It pins the key's version when it is described: what was described is what signs, whatever is rotated meanwhile.
    Every method raises HatchSignError only.
    """

    def describe(self) -> KeyFacts:
        """Return the facts of the key, and pin its version; called once, before anything else.

        Called again after a signature raised CredentialRotatedError, to announce what the service signs with now.
        """
        ...

    def protection(self) -> Protection:
        """Return how the key is kept, as the service says; called at most once, and only where it is shown."""
        ...

    def sign_digest(self, digest: bytes, scheme: Scheme) -> bytes:
        """Return the signature over `digest`, DER for ECDSA; scheme and length were checked."""
        ...

    def sign_message(self, message: bytes) -> bytes:
        """Return the Ed25519 signature over `message`; kind of key and length were checked."""
        ...
