"""The policy: which rules may vouch for what, and what is required of every artifact."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from hatch_sign.contract import Judgement, Material
from hatch_sign.trust.proving import Proof, prove_time
from hatch_sign.values.errors import ConfigurationError
from hatch_sign.values.outcomes import SOON, Verdict

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from hatch_sign.contract import Facts, Finding, RevocationSource, TrustRule
    from hatch_sign.values.public_keys import PublicKey

    _Answer = tuple["ScopedRule", Judgement, Proof, Facts]

_TELLING = (
    Verdict.REVOKED,  # somebody took the trust back on purpose: nothing else may hide that
    Verdict.EXPIRED,  # the right signer by all but the date: what the user has to do is renew
    Verdict.WRONG_IDENTITY,  # a proven signer, and not the one who is trusted
    Verdict.INDETERMINATE,  # the rule might have vouched, had it had what it needs
    Verdict.UNTRUSTED,  # the rule knows nothing of the signer
)
"""Verdicts of rules that do not vouch, the one that says most first: how near the signature came to being trusted."""

_MATTERS_OF_TIME = frozenset({Verdict.EXPIRED, Verdict.REVOKED})
"""Verdicts that a timestamp might have turned: what is wrong with it is said then."""


@dataclass(frozen=True, slots=True)
class ScopedRule:
    """A rule, and where it may vouch.

    `label` names it in messages. None in `formats`, `artifacts` (patterns of file names) and `signatures` (the names of
    configured signatures, so that two that are required can be by two people) means all; both ends of its
    time are aware and inclusive.
    """

    rule: TrustRule
    label: str
    formats: tuple[str, ...] | None = None
    artifacts: tuple[str, ...] | None = None
    signatures: tuple[str, ...] | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None

    def covers(self, artifact: str, format: str, signature: str) -> bool:  # noqa: A002 - the word of the whole contract
        """Return whether the rule may speak of a signature of this format and name over an artifact of this name."""
        of_format = self.formats is None or format in self.formats
        of_signature = self.signatures is None or signature in self.signatures
        of_artifact = self.artifacts is None or any(fnmatchcase(artifact, pattern) for pattern in self.artifacts)
        return of_format and of_signature and of_artifact

    def evaluate(self, material: Material) -> Judgement:
        """Judge within the rule's time. Never raises, whatever the rule does."""
        try:
            return self._within_time(self.rule.evaluate(material), material)
        except Exception as error:  # noqa: BLE001 - a plugin's bug must end in a verdict, and never in trust
            return Judgement(Verdict.INDETERMINATE, f"the rule failed: {type(error).__name__}")

    def _within_time(self, judged: Judgement, material: Material) -> Judgement:
        if judged.verdict is not Verdict.TRUSTED:
            return judged
        signed_by = judged.time or material.signed_by
        if self.not_before is not None and signed_by < self.not_before:
            return Judgement(Verdict.UNTRUSTED, f"the rule begins at {_instant(self.not_before)}", judged.signer)
        if self.not_after is not None and signed_by > self.not_after:
            return Judgement(Verdict.EXPIRED, f"the rule ended at {_instant(self.not_after)}", judged.signer)
        return judged


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules, any of which may vouch, and the formats or signatures that must be there and trusted.

    `at` is the instant to judge at, aware; `revocations` is where rules may ask what was taken back, None for nowhere.
    Raises ConfigurationError for a policy that trusts nobody or requires nothing: neither could say anything but yes or
    no to everything.
    """

    rules: tuple[ScopedRule, ...]
    require: tuple[str, ...]
    at: datetime
    timestamp_roots: tuple[Certificate, ...] = ()
    revocations: RevocationSource | None = None

    def __post_init__(self) -> None:
        """Refuse a policy without meaning."""
        if not self.rules:
            message = "nobody is trusted"
            remedy = "add a trust rule with a `public-key`, or with `certificate-roots` and `subject`"
            raise ConfigurationError(message, remedy=remedy)
        if not self.require:
            message = "no signature is required"
            raise ConfigurationError(message, remedy="name a format in `verify.require`")
        if self.at.tzinfo is None:
            message = "the instant to judge at has no offset"
            raise ConfigurationError(message, remedy="give it one, such as Z for UTC")

    @property
    def keys(self) -> tuple[PublicKey, ...]:
        """The keys that the rules name, each once: for signatures that hold no more than a hint."""
        found: list[PublicKey] = []
        for scoped in self.rules:
            found += [key for key in scoped.rule.keys if key not in found]
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Judged:
    """What the policy thinks of one finding: a rule's answer, and what its user should know in time."""

    verdict: Verdict
    detail: str = ""
    signer: str | None = None
    warnings: tuple[str, ...] = ()
    time: datetime | None = None
    """The instant at which a trusted timestamp, or what the rule itself trusts, proves the signature to have been there."""
    facts: Facts | None = field(default=None, compare=False)
    """The signature that the answer is about; None where none was judged."""
    rule: str = field(default="", compare=False)
    """The label of the rule that answered."""
    chain: tuple[Certificate, ...] = field(default=(), compare=False)
    """The certificates by which it did, leaf to root."""


def judge(policy: Policy, finding: Finding, *, artifact: str, format: str, signature: str | None = None) -> Judged:  # noqa: A002 - as above
    """Return the verdict on what was found in one signature file of `format` for the artifact of that name.

    `signature` is the configured signature's name, for one that has a name.
    Any rule may vouch for any of the signatures in it; of several, one that does not end soon is preferred. Each signature
    is judged at the time that its timestamps prove, else at that of the policy; a timestamp that is damaged, or over
    another signature, makes the whole file ``malformed``.
    """
    if finding.problem is not None:
        return Judged(finding.problem, finding.detail)
    rules = [scoped for scoped in policy.rules if scoped.covers(artifact, format, signature or format)]
    if not rules:
        detail = f"no trust rule is for {format} signatures of this artifact"
        return Judged(Verdict.UNTRUSTED, detail, facts=next(iter(finding.facts), None))
    proven = [(facts, prove_time(facts, roots=policy.timestamp_roots, at=policy.at)) for facts in finding.facts]
    if broken := next((proof.broken for _, proof in proven if proof.broken), ""):
        return Judged(Verdict.MALFORMED, broken)
    refused = []
    vouched: Judged | None = None
    for scoped, judged, proof, facts in _judgements(rules, policy, proven, artifact, format):
        if judged.verdict is not Verdict.TRUSTED:
            refused.append((scoped, judged, proof, facts))
            continue
        warnings = tuple(_warnings(scoped, judged, proof, policy))
        time = judged.time or proof.time
        answer = Judged(judged.verdict, judged.detail, judged.signer, warnings, time, facts, scoped.label, judged.chain)
        if not answer.warnings:
            return answer
        vouched = vouched or answer
    return vouched or _most_telling(refused, policy)


def _judgements(
    rules: Sequence[ScopedRule],
    policy: Policy,
    proven: Sequence[tuple[Facts, Proof]],
    artifact: str,
    format: str,  # noqa: A002 - as above
) -> Iterator[_Answer]:
    for facts, proof in proven:
        material = Material(
            artifact=artifact, format=format, facts=facts, at=policy.at, proven=proof.time, revocations=policy.revocations
        )
        for scoped in rules:
            yield scoped, scoped.evaluate(material), proof, facts


def _most_telling(refused: Sequence[_Answer], policy: Policy) -> Judged:
    if not refused:
        return Judged(Verdict.UNTRUSTED, "it holds no signature")
    scoped, judged, proof, facts = min(refused, key=lambda answer: _rank(answer[1].verdict))
    verdict = judged.verdict if judged.verdict in _TELLING else Verdict.UNTRUSTED
    reasons = [f"{scoped.label}: {judged.detail}"]
    if verdict in _MATTERS_OF_TIME or (verdict is Verdict.UNTRUSTED and policy.timestamp_roots):
        reasons += filter(None, [proof.doubt])
    return Judged(
        verdict, "; ".join(reasons), judged.signer, time=proof.time, facts=facts, rule=scoped.label, chain=judged.chain
    )


def _rank(verdict: Verdict) -> int:
    return _TELLING.index(verdict) if verdict in _TELLING else len(_TELLING)


def _warnings(scoped: ScopedRule, judged: Judgement, proof: Proof, policy: Policy) -> Iterator[str]:
    yield from judged.warnings
    if judged.time is not None or proof.time is not None:
        return  # it stays good, whatever ends
    if proof.doubt and policy.timestamp_roots:
        yield proof.doubt
    if scoped.not_after is not None and scoped.not_after - policy.at <= SOON:
        yield f"the trust rule {scoped.label} ends at {_instant(scoped.not_after)}"
    if judged.ends is not None and judged.ends - policy.at <= SOON:
        yield f"the signer's certificate ends at {_instant(judged.ends)}"


def _instant(instant: datetime) -> str:
    return instant.isoformat(sep=" ", timespec="seconds")
