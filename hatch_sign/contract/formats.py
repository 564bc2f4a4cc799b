"""The port of a signature format: bytes in, bytes out, on either side.

A format does no I/O of its own and reads no clock. Its producer is imported only to sign and its verifier only to
verify, so `Format` names them by callables that import when they are called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Protocol, TypeVar, runtime_checkable

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from hatch_sign.contract.witnesses import Evidence
    from hatch_sign.values.algorithms import Scheme
    from hatch_sign.values.artifacts import Release, Subject
    from hatch_sign.values.outcomes import Verdict
    from hatch_sign.values.public_keys import PublicKey

FormatKind = Literal["sidecar", "aggregate", "embedded", "manifest"]

# --- the side that signs ---------------------------------------------------------------------------------------------


class RunFacts(Protocol):
    """What a format may know of a run, whoever signs."""

    @property
    def now(self) -> datetime:
        """One instant for the whole run; aware, UTC."""
        ...

    @property
    def release(self) -> Release | None:
        """The release being signed, where the artifacts agree on one."""
        ...

    @property
    def options(self) -> Mapping[str, Any]:
        """The format's own settings from the configuration, checked against :attr:`Format.options`."""
        ...

    @property
    def provenance(self) -> Mapping[str, Any] | None:
        """The predicate of an SLSA provenance v1 of this run; None where the run is to claim none."""
        ...


class Seal(RunFacts, Protocol):
    """All that a format may know of the run, and its only way to the key and to the witnesses."""

    @property
    def public_key(self) -> PublicKey:
        """The public half of the key that signs."""
        ...

    @property
    def certificates(self) -> Sequence[Certificate]:
        """The certificate of the key and its issuers, leaf first; empty for a bare key."""
        ...

    @property
    def scheme(self) -> Scheme:
        """The scheme that was chosen for this format and key."""
        ...

    @property
    def takes_digests(self) -> bool:
        """Whether :meth:`sign_digest` can be called: not for Ed25519, nor for a token that only hashes itself."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return a checked signature over a small message, under any scheme."""
        ...

    def sign_digest(self, digest: bytes) -> bytes:
        """Return a checked signature over a digest. Raises UnsupportedError unless `takes_digests`."""
        ...

    def witness(self, signature: bytes, digest: bytes, envelope: bytes | None = None) -> Sequence[Evidence]:
        """Return the checked evidence of every configured witness for `signature`; empty where none is configured."""
        ...


class Producer(Protocol):
    """What all producers that sign have in common."""

    def schemes(self, key: PublicKey) -> Sequence[Scheme]:
        """Return what the format can carry for such a key, best first; empty means it is refused before signing."""
        ...

    def digests(self, scheme: Scheme) -> frozenset[str]:
        """Return the hashes that it needs of each artifact."""
        ...

    def carries(self, seal: Seal) -> Sequence[Certificate]:
        """Return the certificates that a signature under this seal brings along, leaf first."""
        ...


class SidecarProducer(Producer, Protocol):
    """Makes one file beside each artifact."""

    def sign(self, subject: Subject, seal: Seal) -> bytes:
        """Return the sidecar's bytes."""
        ...


class AggregateProducer(Producer, Protocol):
    """Makes one signed file over all artifacts of a release."""

    def filename(self, release: Release) -> str:
        """Return the base name of the file."""
        ...

    def sign(self, subjects: Sequence[Subject], seal: Seal) -> bytes:
        """Return the file's bytes. Raises UnsupportedError for more subjects than the format takes."""
        ...


class EmbeddedProducer(Producer, Protocol):
    """Writes a signature into the artifact itself. The core opens wheels and rewrites RECORD: it sees one file."""

    def embed(self, source: BinaryIO, target: BinaryIO, seal: Seal) -> bool:
        """Copy `source` to `target` with a signature inside; False where there is nothing to sign in such a file."""
        ...


@runtime_checkable
class ChoosesSchemes(Protocol):
    """A producer whose settings say by what it signs, or that says in its own words why it refuses a key."""

    def choose_schemes(self, key: PublicKey, options: Mapping[str, Any]) -> Sequence[Scheme]:
        """Return what :meth:`Producer.schemes` does, as far as the format's settings allow it, best first.

        Raises UnsupportedError, saying why, for a key that it cannot carry; ConfigurationError for a setting that says
        nothing. It is asked before anything is signed.
        """
        ...


@runtime_checkable
class NeedsCertificate(Protocol):
    """A producer whose signatures name their signer by a certificate, so that a bare key makes none."""

    def require_certificate(self, certificates: Sequence[Certificate]) -> None:
        """Raise UnsupportedError, saying why, where `certificates`, which a signature would carry, hold none."""
        ...


@runtime_checkable
class TakesTimestamps(Protocol):
    """A producer of sidecars or aggregates whose finished files take timestamps later, in place of those they hold."""

    def signature(self, data: bytes) -> bytes:
        """Return the signature that timestamps in such a file are over. Raises MalformedError."""
        ...

    def with_timestamps(self, data: bytes, timestamps: Sequence[bytes]) -> bytes:
        """Return the file with these (DER of TimeStampResp) and no others. Raises MalformedError."""
        ...


@runtime_checkable
class TakesTimestampsInside(Protocol):
    """A producer of embedded signatures that take timestamps later, in place of those that they hold."""

    def embed_timestamps(
        self, source: BinaryIO, target: BinaryIO, choose: Callable[[bytes, Sequence[bytes]], Sequence[bytes]]
    ) -> bool:
        """Copy `source` to `target`, each signature with the timestamps that `choose` returns; False without a signature.

        `choose` is called once for each, with what timestamps of it are over and those that it holds (DER of tokens); it
        returns DER of tokens or of TimeStampResp, and those that it was given to change nothing. Raises MalformedError, and
        what `choose` raises.
        """
        ...


class ManifestProducer(Protocol):
    """Makes one unsigned list of all artifacts, which the sidecar formats then sign like an artifact."""

    def filename(self, release: Release | None) -> str:
        """Return the base name of the list."""
        ...

    def digests(self) -> frozenset[str]:
        """Return the hashes that it needs of each artifact."""
        ...

    def list(self, subjects: Sequence[Subject]) -> bytes:
        """Return the list's bytes."""
        ...


# --- the side that verifies: values and cryptography only ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Facts:
    """What one signature proves before anybody is trusted. Evidence is raw: the code that judges trust checks it.

    Each of `timestamps` is the DER of an RFC 3161 TimeStampToken, or of the TimeStampResp around it, over `signature`.
    """

    public_key: PublicKey
    scheme: Scheme
    signature: bytes
    certificates: Sequence[Certificate] = ()
    timestamps: Sequence[bytes] = ()
    log_entries: Sequence[bytes] = ()
    claims_name: bool = False
    """Whether the signature covers the artifact's name as well as its bytes."""
    bundle: bytes = b""
    """The Sigstore bundle that the signature came in, or was put as; empty for other formats."""
    digest: bytes = b""
    """What a message signature in a bundle is over: the artifact's digest, which the verifier has compared."""
    claim: str = ""
    """What a signed statement says of how the artifact was built, on one line for people; nobody is trusted for it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a verifier found for one artifact: facts to be judged, or a problem that ends the matter."""

    facts: Sequence[Facts] = ()
    problem: Verdict | None = None
    detail: str = ""


P = TypeVar("P")


class DetachedVerifier(Protocol[P]):
    """Reads sidecars and aggregates."""

    def parse(self, data: bytes) -> P:
        """Read hostile bytes. Raises MalformedError, and nothing else."""
        ...

    def digests(self, parsed: P) -> frozenset[str]:
        """Return the hashes of the artifact that `check` will need."""
        ...

    def names(self, parsed: P) -> frozenset[str] | None:
        """Return the names of the artifacts that it speaks of; None where it names none and fits any."""
        ...

    def check(self, parsed: P, subjects: Sequence[Subject], keys: Sequence[PublicKey]) -> Mapping[str, Finding]:
        """Check all subjects at once and return a finding for each name. Never raises.

        `keys` come from the trust rules: a bundle may hold no more than a hint at its key.
        """
        ...


class ManifestVerifier(Protocol[P]):
    """Reads an unsigned list of artifacts, whose own sidecars carry the trust."""

    def parse(self, data: bytes) -> P:
        """Read hostile bytes. Raises MalformedError, and nothing else."""
        ...

    def digests(self, parsed: P) -> frozenset[str]:
        """Return the hashes of the artifacts that `check` will need."""
        ...

    def check(self, parsed: P, subjects: Sequence[Subject]) -> Mapping[str, Finding]:
        """Return, for each name, an empty finding where the list agrees, or the problem."""
        ...


class EmbeddedVerifier(Protocol):
    """Reads signatures inside an artifact."""

    def check(self, name: str, source: BinaryIO, keys: Sequence[PublicKey]) -> Finding:
        """Check every signature in `source`, a seekable stream. Never raises."""
        ...


@dataclass(frozen=True, slots=True)
class Format:
    """What a plugin registers for a format.

    `suffix` is what its files end with (empty when embedded); of several formats the longest suffix owns a file name.
    A manifest's suffix is its whole name. `options` are the configuration keys that belong to it, with their types.
    `carries_log_entries` says that signatures may bring along entries of transparency logs, besides timestamps;
    `states_provenance`, of the format's own settings, whether they may say how artifacts were built: it is found out then.
    """

    name: str
    kind: FormatKind
    suffix: str
    verifier: Callable[[], DetachedVerifier[Any] | ManifestVerifier[Any] | EmbeddedVerifier]
    producer: Callable[[], SidecarProducer | AggregateProducer | EmbeddedProducer | ManifestProducer]
    options: Mapping[str, type] = field(default_factory=dict)
    carries_log_entries: bool = False
    states_provenance: Callable[[Mapping[str, Any]], bool] = field(default=lambda _: False, compare=False)
