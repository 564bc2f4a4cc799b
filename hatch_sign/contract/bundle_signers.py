"""The port of a bundle signer: one that answers with whole Sigstore bundles, its key hidden inside.

Keyless signing is of this kind: the key lives for one run, and what is trusted is the identity in its certificate.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from hatch_sign.contract.formats import RunFacts

if TYPE_CHECKING:
    from hatch_sign.contract.backends import BackendContext
    from hatch_sign.values.artifacts import Subject
    from hatch_sign.values.protection import Protection

LogVersion = Literal["any", "v1"]
"""The transparency log that a bundle is entered in: ``v1`` where a format has no place for the timestamps of newer ones."""


class BundleSigner(Protocol):
    """An identity that is ready to sign; live between entering and leaving what :meth:`BundleBackend.open` returned.

    Called from any thread, at most `concurrency` calls at once. Every bundle that it returns has been verified by it, under
    its own identity and trust root. Failures of the identity provider or the certificate authority are CustodyErrors, those
    of logs and timestamp authorities WitnessErrors, all raised ``from None``: a foreign exception may carry the token.
    """

    @property
    def identity(self) -> str:
        """Who signs, as the certificates name it: the subject alternative name."""
        ...

    @property
    def issuer(self) -> str:
        """Who vouches for the identity: the address of the OpenID Connect issuer."""
        ...

    @property
    def protection(self) -> Protection:
        """How the key is kept, and who says so."""
        ...

    @property
    def concurrency(self) -> int:
        """How many calls may be under way at once, at least 1."""
        ...

    def sign_artifact(self, digest: bytes) -> bytes:
        """Return the JSON of a bundle with a message signature over an artifact of this SHA-256 digest."""
        ...

    def sign_statement(self, statement: bytes, *, log: LogVersion = "any") -> bytes:
        """Return the JSON of a bundle with a DSSE envelope round `statement`, an encoded in-toto Statement v1."""
        ...

    def has_signed(self, bundle: bytes, digest: bytes | None = None) -> bool:
        """Return whether `bundle` verifies and is by this identity, in this run or an earlier one. Never raises.

        `digest` is the SHA-256 of the artifact of a message signature; a statement's subjects are compared by the caller.
        """
        ...


class BundleBackend(Protocol):
    """What a plugin registers: opens references to identities; one entry point ``bundle-signer.SCHEME`` for each scheme."""

    @property
    def name(self) -> str:
        """Its name, as ``hatch-sign plugins`` lists it."""
        ...

    @property
    def uri_schemes(self) -> Sequence[str]:
        """The schemes of the references that it opens, in lower case, without the colon."""
        ...

    def open(self, reference: str, context: BackendContext) -> AbstractContextManager[BundleSigner]:
        """Return what proves the identity when it is entered; nothing happens before.

        Raises ConfigurationError for a reference that is not well-formed, CustodyError for everything else.
        """
        ...


class BundleSeal(RunFacts, Protocol):
    """All that a producer may know of a run whose bundles another makes, and its only way to them."""

    def sign_artifact(self, digest: bytes) -> bytes:
        """Return a bundle as :meth:`BundleSigner.sign_artifact` does."""
        ...

    def sign_statement(self, statement: bytes, *, log: LogVersion = "any") -> bytes:
        """Return a bundle as :meth:`BundleSigner.sign_statement` does."""
        ...


@runtime_checkable
class SignsByBundle(Protocol):
    """A producer of sidecars or aggregates that can leave the signature to a bundle signer.

    A producer that only can (of keyless formats) says so by no schemes for any key.
    """

    def sign_by_bundle(self, subjects: Sequence[Subject], seal: BundleSeal) -> bytes:
        """Return the file's bytes over `subjects`, one for a sidecar, which hold their SHA-256 digests.

        Raises UnsupportedError for what the format cannot say.
        """
        ...

    def bundle_in(self, data: bytes) -> bytes:
        """Return the bundle in such a file, or what it holds put as one. Raises MalformedError."""
        ...


@runtime_checkable
class TakesSomeArtifacts(Protocol):
    """A producer of sidecars that :class:`SignsByBundle`, and only for artifacts of some names."""

    def require_artifact(self, name: str) -> None:
        """Raise UnsupportedError, saying why, for an artifact or a list of this base name that it makes nothing for.

        It is asked for each before any identity is proven: what a log has entered stays there.
        """
        ...
