"""The port of an observer: told of every signature, and able to veto it by raising."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from hatch_sign.values.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class SignatureRecord:
    """One signature, about to be made or just made and checked.

    `key` is the reference without query (no PIN source), `credential` names the public key or certificate by its
    SHA-256; `member` is the path inside the artifact of what is signed there. `digest` is the artifact's, or for an
    aggregate, once it is made, its own; `verdict` is set once it was checked.
    `settings` are the configuration's for observers, such as ``audit-file``. Never holds a secret.
    """

    time: datetime
    artifact: str
    format: str
    key: str
    credential: str
    digest: str
    protection: str
    verdict: str | None = None
    member: str | None = None
    environ: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    settings: Mapping[str, str] = field(default_factory=dict, hash=False)


class Observer(Protocol):
    """What an ``observer.NAME`` entry point names: a module or object with any of these hooks."""

    def hatch_sign_before_sign(self, record: SignatureRecord) -> None:
        """Raise to veto a signature before it is made."""

    def hatch_sign_after_sign(self, record: SignatureRecord) -> None:
        """Raise to keep a signature from being written."""

    def hatch_sign_after_verify(self, outcome: Outcome) -> None:
        """Raise to reject what was verified."""
