"""Verdicts, and the one row that signing and verifying both report by."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hatch_sign.values.grounds import Grounds

SOON = timedelta(days=30)
"""How long before its end a rule or certificate is warned of."""


class Verdict(Enum):
    """What is to be thought of one signature."""

    TRUSTED = "trusted"
    """Made by somebody whom the configured policy trusts, over these bytes."""
    CONSISTENT = "consistent"
    """Just made, and verified under the signer's own key. Says nothing about trust; verifying never answers it."""
    UNSIGNED = "unsigned"
    HASH_MISMATCH = "hash-mismatch"
    UNTRUSTED = "untrusted"
    """No rule vouches for it."""
    WRONG_IDENTITY = "wrong-identity"
    EXPIRED = "expired"
    """The credential, or the rule that trusts it, has ended, and no trusted time is before that."""
    REVOKED = "revoked"
    MALFORMED = "malformed"
    INDETERMINATE = "indeterminate"
    """Something needed, such as a revocation list, could not be had."""
    NOT_APPLICABLE = "not-applicable"
    """An embedded format, and nothing inside the artifact to sign."""


REJECTING = frozenset({Verdict.MALFORMED, Verdict.HASH_MISMATCH})
"""Verdicts on a signature that is present which reject the artifact even where another signature is fine."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One signature of one artifact: what was found, or what was made.

    `artifact` is its name; `signature` the configured signature's name, or the format's. `member` is the path inside a
    wheel, `sidecar` the name of the file that holds the signature, `signer` who is proven to have made it, `time` the
    instant that a trusted witness proves (aware, UTC); `covers_name` says that the signature binds the name, too. Where
    `sidecar` is a list of artifacts, `over_list` is the file that holds the signature over it. `grounds` are what
    verifying rests its verdict on, where a signature could be read. Text from files is raw here: show it through
    ``display()``.
    """

    artifact: str
    signature: str
    format: str
    verdict: Verdict
    detail: str = ""
    member: str | None = None
    sidecar: str | None = None
    signer: str | None = None
    time: datetime | None = None
    warnings: tuple[str, ...] = ()
    covers_name: bool = False
    over_list: str | None = None
    grounds: Grounds | None = field(default=None, compare=False, repr=False)

    @property
    def place(self) -> str:
        """What the signature is in or over: the artifact, or a member of it by its path."""
        return self.artifact if self.member is None else f"{self.artifact}/{self.member}"
