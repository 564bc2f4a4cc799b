"""The port of a witness: a third party that vouches for a signature after it was made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from cryptography.x509 import Certificate

    from hatch_sign.contract.backends import BackendContext
    from hatch_sign.values.algorithms import Scheme
    from hatch_sign.values.public_keys import PublicKey

EvidenceKind = Literal["timestamp", "log-entry"]


@dataclass(frozen=True, slots=True)
class WitnessRequest:
    """A finished signature, and all that a witness may want to know of it.

    `digest` is what was signed, under the scheme's hash (SHA-512 for Ed25519), and empty where a signature that was made
    long ago gets a timestamp; `envelope` is the encoded DSSE envelope
    where the signature is part of one.
    """

    signature: bytes
    digest: bytes
    scheme: Scheme
    public_key: PublicKey
    certificates: tuple[Certificate, ...] = ()
    envelope: bytes | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a witness answered: the DER of an RFC 3161 TimeStampResp, or the JSON of a transparency-log entry."""

    kind: EvidenceKind
    data: bytes


class Witness(Protocol):
    """One authority or log. Called from any thread, outside the signer's gate."""

    @property
    def kind(self) -> EvidenceKind:
        """What sort of evidence it gives."""
        ...

    def attest(self, request: WitnessRequest) -> Evidence:
        """Ask for evidence. Raises WitnessError when it cannot be had."""
        ...

    def check(self, request: WitnessRequest, evidence: Evidence) -> None:
        """Raise WitnessError unless `evidence` vouches for exactly this signature. Called before evidence is used."""
        ...


class WitnessProvider(Protocol):
    """What a plugin registers: makes witnesses from the addresses in a configuration."""

    @property
    def name(self) -> str:
        """The provider's name: ``rfc3161`` serves the configuration's ``timestamp``."""
        ...

    def connect(self, address: str, context: BackendContext) -> AbstractContextManager[Witness]:
        """Return what opens the witness when it is entered; nothing happens before."""
        ...


@runtime_checkable
class ConnectsUnderRoot(Protocol):
    """A provider whose witnesses are believed under a Sigstore trusted root only: ``rekor`` serves ``log``."""

    def connect_under(self, address: str, trusted_root: bytes, context: BackendContext) -> AbstractContextManager[Witness]:
        """Return what opens the witness when it is entered; nothing is asked of a network before.

        `trusted_root` is JSON (``trustedroot+json;version=0.1``). Raises MalformedError for another.
        """
        ...
