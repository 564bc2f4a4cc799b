"""The port of a signing backend: where a key lives, and how it is asked to sign."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
    from hatch_sign.values.protection import Protection
    from hatch_sign.values.public_keys import PublicKey


@dataclass(frozen=True, slots=True)
class SecretRequest:
    """What a backend needs to be told before it can log in.

    `label` names the token or account, so that a secret is asked for once in a run. `source` is the reference's own
    ``pin-source`` (``env:NAME``, ``file:PATH``, ``keyring:SERVICE/USER``), `variables` the environment variables that
    this kind of backend honours after ``HATCH_SIGN_PIN``. `final_try` says that one more wrong try locks the token.
    `at_token` says that it is entered at the token's own keypad: nothing is looked for, and the answer is empty; what is
    asked is whether a try may be made.
    """

    kind: Literal["pin", "so-pin", "token"]
    label: str
    reference: str
    source: str | None = None
    variables: tuple[str, ...] = ()
    final_try: bool = False
    at_token: bool = False


class BackendContext(Protocol):
    """What a run lends to its backends. One per run and shared, so that a wrong PIN is tried once for two keys."""

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment as the run began."""
        ...

    @property
    def max_concurrency(self) -> int:
        """The most calls that the run will ever have under way at once: no session pool need be larger."""
        ...

    @property
    def stopped(self) -> bool:
        """Whether the run is being given up: who waits for something waits no longer."""
        ...

    def secret(self, request: SecretRequest) -> str:
        """Return the secret, remembered per kind and label; callable from any thread, at any time.

        Raises SecretUnavailableError where no source holds one, and SecretRejectedError, without asking, after
        `rejected` was called for it, or for a final try that the user has not allowed.
        """
        ...

    def rejected(self, request: SecretRequest) -> None:
        """Record that the token refused the secret: it is not tried again in this run."""
        ...

    def warn(self, message: str) -> None:
        """Tell the user something that does not stop the run; one line, without a secret, told once."""
        ...


class Signer(Protocol):
    """A key that is ready to sign; live between entering and leaving what :meth:`Backend.open` returned.

    Called from any thread, at most `concurrency` calls at once; a pool of sessions is the signer's own work. Every
    failure is a CustodyError raised ``from None``: a vendor's exception may carry the credential.
    """

    @property
    def public_key(self) -> PublicKey:
        """The public half of the key."""
        ...

    @property
    def certificates(self) -> Sequence[Certificate]:
        """The certificate of the key, then its issuers, as far as the backend holds them; often empty."""
        ...

    @property
    def schemes(self) -> Sequence[Scheme]:
        """What the key, its policy and the mechanism allow. Anything else is never asked for; see also HashesMessages."""
        ...

    @property
    def protection(self) -> Protection:
        """How the key is kept, and who says so. May cost a call, so it is read only where it is shown."""
        ...

    @property
    def concurrency(self) -> int:
        """How many calls may be under way at once, at least 1."""
        ...

    @property
    def max_message(self) -> int:
        """The longest message, in bytes, that is signed as a message; 0 where none is."""
        ...

    def sign_digest(self, digest: bytes, scheme: Scheme) -> bytes:
        """Return the signature over `digest`, of exactly the length of the scheme's hash; DER for ECDSA.

        Raises CredentialRotatedError when the service answered for another certificate than `certificates` announced;
        `certificates` and `public_key` must have been renewed by then.
        """
        ...

    def sign_message(self, message: bytes) -> bytes:
        """Return the pure signature over `message` (Ed25519), at most `max_message` bytes; raises as sign_digest."""
        ...


@runtime_checkable
class NeedsTimestamp(Protocol):
    """A signer whose certificate may live for days only: without a proven time, its signatures would end with it."""

    @property
    def needs_timestamp(self) -> bool:
        """Whether nothing may be signed where no timestamp authority is configured."""
        ...


class Backend(Protocol):
    """A place where keys live; one entry point ``backend.SCHEME`` for each of `uri_schemes`."""

    @property
    def name(self) -> str:
        """The backend's name, as ``hatch-sign plugins`` lists it."""
        ...

    @property
    def uri_schemes(self) -> Sequence[str]:
        """The schemes of the key references that it opens, in lower case, without the colon."""
        ...

    def open(self, reference: str, context: BackendContext) -> AbstractContextManager[Signer]:
        """Return what logs in when it is entered and logs out when it is left; nothing happens before.

        Raises ConfigurationError for a reference that is not well-formed, CustodyError for everything else.
        """
        ...


@runtime_checkable
class HashesMessages(Protocol):
    """A signer whose token signs by some schemes only when it hashes the message itself.

    Such a scheme signs statements, certificate requests and other small messages, and no digests.
    """

    @property
    def message_schemes(self) -> Sequence[Scheme]:
        """Those schemes, none of them in :attr:`Signer.schemes`, all with a hash."""
        ...

    def sign_hashing(self, message: bytes, scheme: Scheme) -> bytes:
        """Return the signature over `message`, at most :attr:`Signer.max_message` bytes; raises as sign_digest."""
        ...


@dataclass(frozen=True, slots=True)
class KeyDescription:
    """One key as its token or service lists it. `reference` opens it again; `id` is the token's own, in hex.

    `proved` says that the public key is the private one's own; where it is not, anybody who may write to the token may have
    put it there, and it is not given to others to trust before the private key has signed something.
    """

    reference: str
    label: str
    id: str
    public_key: PublicKey
    protection: Protection
    certificates: tuple[Certificate, ...] = ()
    proved: bool = True


@runtime_checkable
class MakesKeys(Protocol):
    """A backend that makes keys where they will live."""

    def generate_key(self, reference: str, algorithm: KeyAlgorithm, context: BackendContext) -> KeyDescription:
        """Make a key that is never exported. Raises CustodyError, among others when the label is taken."""
        ...


@runtime_checkable
class ListsKeys(Protocol):
    """A backend that can tell which keys answer to a reference."""

    def list_keys(self, reference: str, context: BackendContext) -> Sequence[KeyDescription]:
        """Return the keys that `reference` selects, in a stable order."""
        ...


@runtime_checkable
class ImportsCertificates(Protocol):
    """A backend that keeps the certificate of a key beside it."""

    def import_certificate(self, reference: str, chain: Sequence[Certificate], context: BackendContext) -> None:
        """Store the chain, leaf first; the caller has checked that the leaf is for this key. Replaces an older one."""
        ...


@dataclass(frozen=True, slots=True)
class Symptom:
    """One thing that was looked at on the way to a key; each text is one line without a secret.

    `subject` names it in a word or two (``module``, ``token``, ``mechanisms``), `found` says what is there, `remedy` what
    to do about a warning or a failure.
    """

    status: Literal["ok", "warning", "failure"]
    subject: str
    found: str
    remedy: str = ""


@runtime_checkable
class Diagnoses(Protocol):
    """A backend that can look at what lies between a reference and its key without logging in."""

    def diagnose(self, reference: str, context: BackendContext) -> Iterator[Symptom | SecretRequest]:
        """Yield what was found, from the outside in, ending with the first failure; a SecretRequest where one would be made.

        Never asks `context` for a secret, never logs in, and changes nothing. Raises ConfigurationError for a reference
        that is not well-formed.
        """
        ...
