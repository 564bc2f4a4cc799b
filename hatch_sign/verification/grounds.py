"""What a judgement rests on, for those who keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.values.grounds import Grounds

if TYPE_CHECKING:
    from hatch_sign.trust.policy import Judged


def grounds_of(judged: Judged) -> Grounds | None:
    """Return what was found and which rule decided; None where there was no signature to judge."""
    facts = judged.facts
    if facts is None:
        return None
    return Grounds(
        public_key=facts.public_key,
        scheme=facts.scheme,
        signature=facts.signature,
        rule=judged.rule,
        chain=judged.chain,
        certificates=tuple(facts.certificates),
        timestamps=tuple(facts.timestamps),
        log_entries=tuple(facts.log_entries),
        claim=facts.claim,
    )
