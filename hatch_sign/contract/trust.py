"""The port of a trust rule: who may vouch for an artifact. Pure; what it needs of files is read while it is parsed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from hatch_sign.contract.formats import Facts
    from hatch_sign.values.outcomes import Verdict
    from hatch_sign.values.public_keys import PublicKey


@dataclass(frozen=True, slots=True)
class Material:
    """One checked signature, put before a rule. `at` is the instant to judge at: a proven time, else now."""

    artifact: str
    format: str
    facts: Facts
    at: datetime


@dataclass(frozen=True, slots=True)
class Judgement:
    """A rule's answer: `signer` is who is proven to have signed, `ends` when the credential itself ends."""

    verdict: Verdict
    detail: str = ""
    signer: str | None = None
    ends: datetime | None = None


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
