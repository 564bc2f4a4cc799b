"""How timestamps are asked for, and checked, for signatures of every kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from hatch_sign.contract import Facts, WitnessRequest

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from hatch_sign.contract import Witness
    from hatch_sign.values.public_keys import PublicKey


@dataclass(frozen=True, slots=True)
class Stamping:
    """How signatures are timestamped.

    `keys` are tried under signatures that hold no more than a hint. Without `roots`, a timestamp that is there counts as
    one, whoever made it. With `renew`, signatures that have a timestamp get another: the older ones are kept, for the
    earliest is worth most.
    """

    witness: Witness
    keys: Sequence[PublicKey]
    roots: Sequence[Certificate]
    now: datetime
    renew: bool = False

    def ask(self, facts: Facts) -> bytes:
        """Return a checked timestamp over a signature: DER of TimeStampResp. Raises WitnessError."""
        request = WitnessRequest(facts.signature, b"", facts.scheme, facts.public_key, tuple(facts.certificates))
        evidence = self.witness.attest(request)
        self.witness.check(request, evidence)
        return evidence.data
