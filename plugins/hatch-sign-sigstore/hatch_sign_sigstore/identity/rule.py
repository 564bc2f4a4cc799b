"""Judging a signature by the identity in its Fulcio certificate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hatch_sign.contract import Judgement
from hatch_sign.values.certificates import is_issued_by
from hatch_sign.values.display import display
from hatch_sign.values.errors import MalformedError
from hatch_sign.values.outcomes import Verdict
from hatch_sign_sigstore.claims import Claims, read_claims
from hatch_sign_sigstore.identity.checking import Checker
from hatch_sign_sigstore.pypi import mismatch_with_publisher

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from sigstore.models import TrustedRoot

    from hatch_sign.contract import Facts, Material
    from hatch_sign.values.public_keys import PublicKey
    from hatch_sign_sigstore.identity.matching import Matcher

TOLERANCE = timedelta(minutes=5)
"""How far the clock of a log may be ahead of ours."""


class IdentityRule:
    """Trusts whom `issuer` vouches for as one of the identities that `matcher` means, under one trusted root."""

    def __init__(self, matcher: Matcher, issuer: str, root: TrustedRoot) -> None:
        """Make the rule."""
        self._matcher = matcher
        self._issuer = issuer
        self._checker = Checker(root)

    @property
    def keys(self) -> Sequence[PublicKey]:
        """None: the certificates come with the signatures."""
        return ()

    def evaluate(self, material: Material) -> Judgement:
        """Judge. Never raises."""
        facts = material.facts
        if not facts.bundle:
            return Judgement(Verdict.UNTRUSTED, f"signatures of the format {material.format} hold no identity")
        if not facts.certificates:
            return Judgement(Verdict.UNTRUSTED, "it was made by a key, without an identity")
        try:
            return self._judge(facts, material)
        except Exception as error:  # noqa: BLE001 - whatever sigstore-python stumbles over must end in a verdict, never in trust
            return Judgement(Verdict.UNTRUSTED, f"it cannot be verified: {type(error).__name__}")

    def _judge(self, facts: Facts, material: Material) -> Judgement:
        problem = self._checker.problem_of(facts)
        times = self._checker.times(facts)
        try:
            claims = read_claims(facts.certificates[0])
        except MalformedError as error:
            return Judgement(Verdict.UNTRUSTED, problem or display(error.message))
        other = self._difference(claims)
        if problem:
            ended = "" if other else self._ended(facts.certificates[0], times)
            return Judgement(Verdict.EXPIRED if ended else Verdict.UNTRUSTED, ended or problem)
        chain = self._checker.chain_of(facts.certificates[0])
        if other:
            return Judgement(Verdict.WRONG_IDENTITY, other, claims.signer, chain=chain)
        time = times[0] if times else None
        if time is not None and time - material.at > TOLERANCE:
            return Judgement(Verdict.UNTRUSTED, f"it was logged at {_instant(time)}, which is yet to come", claims.signer)
        refused = mismatch_with_publisher(claims) if material.format == "pep740" else ""
        warnings = (refused,) if refused else ()
        return Judgement(Verdict.TRUSTED, signer=claims.signer, time=time, warnings=warnings, chain=chain)

    def _difference(self, claims: Claims) -> str:
        """Return how the identity or its issuer differ from what the rule wants, empty where they do not."""
        if not self._matcher.matches(claims.identity):
            return f"the identity is {display(claims.identity)}, expected {display(self._matcher.text)}"
        if claims.issuer != self._issuer:
            return f"the identity is vouched for by {display(claims.issuer)}, expected {display(self._issuer)}"
        return ""

    def _ended(self, leaf: Certificate, times: Sequence[datetime]) -> str:
        """Return that the certificate was not good when the signature was made, where it says so itself; else nothing."""
        begins, ends = leaf.not_valid_before_utc, leaf.not_valid_after_utc
        outside = [time for time in times if not begins <= time <= ends]
        if not outside or not any(is_issued_by(leaf, issuer) for issuer in self._checker.issuers()):
            return ""
        used = _instant(outside[0])
        return f"the certificate was good from {_instant(begins)} to {_instant(ends)}, and it was used at {used}"


def _instant(instant: datetime) -> str:
    return instant.isoformat(sep=" ", timespec="seconds")
