"""The policy: who may vouch for what and when, and which reason is told where nobody does."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from hatch_sign.contract import Finding, Judgement, Material
from hatch_sign.trust.key import KeyRule
from hatch_sign.trust.policy import Judged, Policy, ScopedRule, judge
from hatch_sign.values.errors import ConfigurationError
from hatch_sign.values.outcomes import SOON, Verdict

from .authorities import NOW, facts, p256

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

KEY = p256()
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Says:
    """A rule of a plugin that always gives one answer."""

    judgement: Judgement
    keys: tuple[ec.EllipticCurvePublicKey, ...] = ()

    def evaluate(self, _material: Material) -> Judgement:
        return self.judgement


class Fails:
    """A rule of a plugin with a bug."""

    keys = ()

    def evaluate(self, material: Material) -> Judgement:
        raise RuntimeError(material.artifact)


def says(verdict: Verdict, detail: str = "", **rest: datetime) -> ScopedRule:
    return ScopedRule(Says(Judgement(verdict, detail, "somebody", **rest)), verdict.value)


def trusting(key: ec.EllipticCurvePrivateKey = KEY, label: str = "rule") -> ScopedRule:
    return ScopedRule(KeyRule(key.public_key(), 3072), label)


def decide(
    *rules: ScopedRule,
    finding: Finding | None = None,
    at: datetime = NOW,
    artifact: str = "app-1.0.whl",
    format: str = "sigstore",  # noqa: A002 - as judge has it
) -> Judged:
    found = finding or Finding(facts=(facts(key=KEY),))
    return judge(Policy(rules, ("sigstore",), at), found, artifact=artifact, format=format)


# --- a policy that means nothing cannot be made ---------------------------------------------------------------------------


def test_a_policy_without_rules_says_what_to_configure() -> None:
    with pytest.raises(ConfigurationError, match="nobody is trusted; add a trust rule with a `public-key`"):
        Policy((), ("sigstore",), NOW)


def test_a_policy_that_requires_nothing_says_what_to_configure() -> None:
    with pytest.raises(ConfigurationError, match="no signature is required; name a format"):
        Policy((trusting(),), (), NOW)


def test_a_policy_judges_at_an_instant_that_is_one() -> None:
    with pytest.raises(ConfigurationError, match="has no offset"):
        Policy((trusting(),), ("sigstore",), NOW.replace(tzinfo=None))


def test_keys_of_the_rules_are_collected_once_each() -> None:
    other = p256()
    policy = Policy((trusting(), trusting(other), trusting(), says(Verdict.UNTRUSTED)), ("sigstore",), NOW)
    assert policy.keys == (KEY.public_key(), other.public_key())


# --- who vouches ----------------------------------------------------------------------------------------------------------


def test_any_rule_may_vouch() -> None:
    stranger = trusting(p256())
    assert decide(stranger, trusting()).verdict is Verdict.TRUSTED
    assert decide(stranger, stranger).verdict is Verdict.UNTRUSTED


def test_any_signature_in_a_file_may_be_vouched_for() -> None:
    both = Finding(facts=(facts(key=p256()), facts(key=KEY)))
    assert decide(trusting(), finding=both).verdict is Verdict.TRUSTED
    neither = Finding(facts=(facts(key=p256()), facts(key=p256())))
    assert decide(trusting(), finding=neither).verdict is Verdict.UNTRUSTED


@pytest.mark.parametrize("problem", [Verdict.HASH_MISMATCH, Verdict.MALFORMED, Verdict.UNTRUSTED, Verdict.UNSIGNED])
def test_no_rule_vouches_for_what_has_a_problem_of_its_own(problem: Verdict) -> None:
    finding = Finding(facts=(facts(key=KEY),), problem=problem, detail="why")
    assert decide(trusting(), finding=finding) == Judged(problem, "why")


def test_a_finding_without_a_signature_is_not_trusted() -> None:
    assert decide(says(Verdict.TRUSTED), finding=Finding()) == Judged(Verdict.UNTRUSTED, "it holds no signature")


def test_the_refusal_names_the_rule_and_the_signer() -> None:
    assert decide(says(Verdict.WRONG_IDENTITY, "why")) == Judged(Verdict.WRONG_IDENTITY, "wrong-identity: why", "somebody")


TELLING = (Verdict.REVOKED, Verdict.EXPIRED, Verdict.WRONG_IDENTITY, Verdict.INDETERMINATE, Verdict.UNTRUSTED)


@pytest.mark.parametrize(("more", "less"), list(itertools.combinations(TELLING, 2)))
def test_the_most_telling_reason_wins_in_any_order(more: Verdict, less: Verdict) -> None:
    assert decide(says(more), says(less)).verdict is more
    assert decide(says(less), says(more)).verdict is more


@pytest.mark.parametrize("verdict", [verdict for verdict in Verdict if verdict not in {*TELLING, Verdict.TRUSTED}])
def test_a_rule_has_no_other_verdicts(verdict: Verdict) -> None:
    """``consistent`` above all must never pass for trust."""
    assert decide(says(verdict)).verdict is Verdict.UNTRUSTED


def test_a_rule_that_fails_does_not_vouch_and_does_not_end_the_others() -> None:
    failing = ScopedRule(Fails(), "plugin")
    assert decide(failing) == Judged(Verdict.INDETERMINATE, "plugin: the rule failed: RuntimeError")
    assert decide(failing, trusting()).verdict is Verdict.TRUSTED


# --- scope and time -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "verdict"),
    [
        ({"formats": ("sigstore",)}, Verdict.TRUSTED),
        ({"formats": ("cms", "sigstore")}, Verdict.TRUSTED),
        ({"formats": ("cms",)}, Verdict.UNTRUSTED),
        ({"artifacts": ("*.whl",)}, Verdict.TRUSTED),
        ({"artifacts": ("*.tar.gz", "app-*")}, Verdict.TRUSTED),
        ({"artifacts": ("*.tar.gz",)}, Verdict.UNTRUSTED),
        ({"artifacts": ("*.WHL",)}, Verdict.UNTRUSTED),
        ({"formats": ("cms",), "artifacts": ("*.whl",)}, Verdict.UNTRUSTED),
    ],
)
def test_a_rule_vouches_within_its_scope(scope: dict[str, tuple[str, ...]], verdict: Verdict) -> None:
    judged = decide(replace(trusting(), **scope))
    assert judged.verdict is verdict
    if verdict is Verdict.UNTRUSTED:
        assert judged.detail == "no trust rule is for sigstore signatures of this artifact"


def test_a_rule_begins_and_ends_to_the_second() -> None:
    rule = replace(trusting(), not_before=NOW, not_after=NOW + 2 * SECOND)
    verdicts = [decide(rule, at=NOW + offset * SECOND).verdict for offset in (-1, 0, 1, 2, 3)]
    assert verdicts == [Verdict.UNTRUSTED, Verdict.TRUSTED, Verdict.TRUSTED, Verdict.TRUSTED, Verdict.EXPIRED]


def test_the_end_of_a_rule_is_told() -> None:
    rule = replace(trusting(), not_after=datetime(2026, 5, 31, 23, 59, 59, 999999, tzinfo=UTC))
    judged = decide(rule)
    assert judged.detail == "rule: the rule ended at 2026-05-31 23:59:59+00:00"
    assert (
        decide(replace(trusting(), not_before=NOW + SECOND)).detail == "rule: the rule begins at 2026-06-01 12:00:01+00:00"
    )


def test_the_time_of_a_rule_adds_nothing_for_a_stranger() -> None:
    ended = replace(trusting(p256()), not_after=NOW - SECOND)
    assert decide(ended).verdict is Verdict.UNTRUSTED


def test_keys_may_overlap() -> None:
    old, new = p256(), KEY
    rules = (replace(trusting(old), not_after=NOW), replace(trusting(new), not_before=NOW))
    both = (Finding(facts=(facts(key=old),)), Finding(facts=(facts(key=new),)))
    assert [decide(*rules, finding=finding).verdict for finding in both] == [Verdict.TRUSTED] * 2
    later = [decide(*rules, finding=finding, at=NOW + SECOND).verdict for finding in both]
    assert later == [Verdict.EXPIRED, Verdict.TRUSTED]


# --- warnings -------------------------------------------------------------------------------------------------------------


def test_a_rule_that_ends_within_thirty_days_is_warned_of() -> None:
    rule = replace(trusting(), not_after=NOW + SOON)
    assert decide(rule).warnings == ("the trust rule rule ends at 2026-07-01 12:00:00+00:00",)
    assert decide(rule, at=NOW - SECOND).warnings == ()


def test_a_certificate_that_ends_within_thirty_days_is_warned_of() -> None:
    rule = says(Verdict.TRUSTED, ends=NOW + SOON)
    assert decide(rule).warnings == ("the signer's certificate ends at 2026-07-01 12:00:00+00:00",)
    assert decide(rule, at=NOW - SECOND).warnings == ()


def test_a_rule_that_lasts_needs_no_warning_of_one_that_does_not() -> None:
    ending = replace(trusting(), not_after=NOW + SECOND)
    assert decide(ending, trusting()).warnings == ()
    assert decide(trusting(), ending).warnings == ()
    assert len(decide(ending, ending).warnings) == 1


# --- a rule that proves the time itself


def timed(time: datetime, **scope: datetime) -> ScopedRule:
    return ScopedRule(Says(Judgement(Verdict.TRUSTED, signer="somebody", time=time, ends=NOW)), "rule", **scope)


def test_the_time_that_a_rule_proves_is_the_time_of_the_signature() -> None:
    judged = decide(timed(NOW - SECOND), at=NOW + 1000 * SOON)
    assert (judged.verdict, judged.time, judged.warnings) == (Verdict.TRUSTED, NOW - SECOND, ())


@pytest.mark.parametrize(
    ("time", "verdict"),
    [
        (NOW - 2 * SECOND, Verdict.UNTRUSTED),
        (NOW - SECOND, Verdict.TRUSTED),
        (NOW, Verdict.TRUSTED),
        (NOW + SECOND, Verdict.EXPIRED),
    ],
)
def test_a_rule_ends_for_what_it_saw_later_and_for_nothing_else(time: datetime, verdict: Verdict) -> None:
    judged = decide(timed(time, not_before=NOW - SECOND, not_after=NOW), at=NOW + SOON)
    assert judged.verdict is verdict


def test_a_rule_that_proves_a_time_without_an_offset_proves_nothing() -> None:
    judged = decide(timed(NOW.replace(tzinfo=None), not_after=NOW))
    assert judged.verdict is Verdict.INDETERMINATE
    assert "the rule failed: TypeError" in judged.detail
