"""The port of a trust rule: who may vouch for an artifact. Pure; what it needs of files is read while it is parsed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from hatch_sign.contract.formats import Facts
    from hatch_sign.values.outcomes import Verdict
    from hatch_sign.values.public_keys import PublicKey


class RevocationSource(Protocol):
    """What can tell whether an authority took a certificate back: lists and answers that are at hand, or fetched.

    It is asked only about certificates whose chain to a configured root holds, so that no stranger's certificate makes
    anybody fetch anything. It raises nothing.
    """

    def expect(self, pairs: Sequence[tuple[Certificate, Certificate]]) -> None:
        """Be told which certificates, each with its issuer, are about to be asked about: all may be fetched at once."""
        ...

    def about(self, certificate: Certificate, issuer: Certificate) -> Iterable[bytes]:
        """Give DER of revocation lists and OCSP responses that may speak of `certificate`, what is had soonest first.

        Whoever asks takes as many as it needs, and checks signatures and times: what is given is as hostile as what it is
        about.
        """
        ...

    def missing(self, certificate: Certificate) -> Sequence[str]:
        """Return what was asked for in vain about `certificate` so far, and why: a phrase each, without a secret."""
        ...


@dataclass(frozen=True, slots=True)
class Material:
    """One checked signature, put before a rule.

    `at` is when it is judged; `proven` is an instant at which a trusted witness saw the signature, None where none did.
    `revocations` is None where nothing of the kind is at hand.
    """

    artifact: str
    format: str
    facts: Facts
    at: datetime
    proven: datetime | None = None
    revocations: RevocationSource | None = None

    @property
    def signed_by(self) -> datetime:
        """The instant at which the signer's credential must have been good: the proven one, else that of judging."""
        return self.proven or self.at


@dataclass(frozen=True, slots=True)
class Judgement:
    """A rule's answer: `signer` is who is proven to have signed, `ends` when the credential itself ends.

    `warnings` are what a user should know although the signature is trusted. `time` is an instant at which witnesses that
    the rule itself judges, such as a transparency log, saw the signature. `chain` are the certificates that were found to
    lead from the signer's to a configured root, both among them; empty where none had to.
    """

    verdict: Verdict
    detail: str = ""
    signer: str | None = None
    ends: datetime | None = None
    warnings: tuple[str, ...] = ()
    time: datetime | None = None
    chain: tuple[Certificate, ...] = field(default=(), compare=False, repr=False)


class TrustRule(Protocol):
    """One configured rule."""

    @property
    def keys(self) -> Sequence[PublicKey]:
        """Keys under which a signature that holds only a hint should be tried."""
        ...

    def evaluate(self, material: Material) -> Judgement:
        """Judge. Never raises; ``untrusted`` where the rule has nothing to say."""
        ...


class TrustKind(Protocol):
    """What a plugin registers: a kind of rule, and the configuration keys that select and fill it."""

    @property
    def name(self) -> str:
        """The kind's name, as in the entry point ``trust.NAME``."""
        ...

    @property
    def selector(self) -> frozenset[str]:
        """The configuration keys any of which make a rule one of this kind."""
        ...

    @property
    def settings(self) -> Mapping[str, type]:
        """All configuration keys of this kind, the selectors among them, with their types."""
        ...

    def parse(self, table: Mapping[str, Any], read: Callable[[str], bytes]) -> TrustRule:
        """Return the rule that `table` describes; `read` returns a file's bytes, relative to the configuration.

        Raises ConfigurationError, or MalformedError for a file that is not what it should be.
        """
        ...
