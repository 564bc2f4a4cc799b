"""What a verdict on a signature rests on, for reports that say more than a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from hatch_sign.values.algorithms import Scheme
    from hatch_sign.values.public_keys import PublicKey


@dataclass(frozen=True, slots=True)
class Grounds:
    """The signature that a verdict is about, and how it was judged.

    `rule` is the label of the rule that answered, empty where none was for such signatures; `chain` the certificates by
    which it did, leaf to root; `certificates` what the signature brought along, whether or not anybody believes it.
    `timestamps` and `log_entries` are raw, as :class:`~hatch_sign.contract.Facts` has them; `claim` is what a statement
    says of how the artifact was built.
    """

    public_key: PublicKey
    scheme: Scheme
    signature: bytes
    rule: str = ""
    chain: tuple[Certificate, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    timestamps: tuple[bytes, ...] = ()
    log_entries: tuple[bytes, ...] = ()
    claim: str = ""
