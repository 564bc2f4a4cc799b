"""Which timestamps are believed, and what they prove for a signature whose certificate or rule has ended."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from hatch_sign.contract import Finding
from hatch_sign.formats.rfc3161 import parse_timestamp
from hatch_sign.trust.certificate import CertificateKind
from hatch_sign.trust.key import KeyRule
from hatch_sign.trust.policy import Judged, Policy, ScopedRule, judge
from hatch_sign.trust.proving import MOST_TIMESTAMPS, Proof, prove_time
from hatch_sign.trust.timestamps import TOLERANCE, check_timestamp
from hatch_sign.values.outcomes import Verdict
from tests.authority import Authority, Extensions, Holder, chain_pem, key_usage, make_key, rsa_key
from tests.formats.stamps import TIME, changed

from .authorities import facts as facts_of

if TYPE_CHECKING:
    from hatch_sign.contract import Facts, TrustRule

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
BEGINS, ENDS = TIME - 10 * DAY, TIME + 10 * DAY
LATER = TIME + 1000 * DAY
SIGNATURE = b"checked by the format"
STAMPING = ExtendedKeyUsageOID.TIME_STAMPING


def authority(title: str = "Timestamping Root", **options: Any) -> Authority:  # noqa: ANN401 - those of an Authority
    lasting = {"not_before": TIME - 1000 * DAY, "not_after": TIME + 100 * DAY}
    return Authority(title, **{**lasting, **options})


ROOT = authority()


def tsa(above: Authority = ROOT, **options: Any) -> Holder:  # noqa: ANN401 - those of Authority.holder
    return above.holder("Timestamps", **{"usage": "timestamping", "not_before": BEGINS, "not_after": ENDS, **options})


TSA = tsa()


def check(holder: Holder, *, at: datetime = LATER, roots: Sequence[x509.Certificate] | None = None, **fields: Any) -> str:  # noqa: ANN401 - a Stamp's
    timestamp = parse_timestamp(changed(holder=holder, **fields).token(SIGNATURE))
    return check_timestamp(timestamp, roots=[ROOT.certificate] if roots is None else roots, at=at)


# --- which timestamps are believed ----------------------------------------------------------------------------------------


def test_a_timestamp_by_a_configured_authority_is_believed() -> None:
    assert check(TSA) == ""
    stranger = authority("stranger").certificate
    assert check(TSA, roots=[stranger, ROOT.certificate]) == ""
    assert check(TSA, roots=[stranger]).startswith("the timestamp is by no configured authority: no chain leads to a")


def test_an_authority_between_may_certify_it() -> None:
    between = authority("between", above=ROOT)
    holder = tsa(between)
    assert check(holder) == ""
    alone = "the timestamp is by no configured authority: no chain leads"
    assert check(holder, certificates=holder.certificates[:1]).startswith(alone)


def test_without_roots_nobody_is_believed() -> None:
    assert check(TSA, roots=[]) == "the timestamp is by no configured authority: no `timestamp-roots` are configured"


def test_another_root_of_the_same_name_is_another_root() -> None:
    assert "by no configured authority" in check(TSA, roots=[authority().certificate])


@pytest.mark.parametrize("when", [BEGINS, ENDS])
def test_the_certificate_may_have_ended_since(when: datetime) -> None:
    assert check(TSA, time=when, at=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)) == ""


@pytest.mark.parametrize(
    ("when", "reason"),
    [
        (BEGINS - SECOND, "by no configured authority: the certificate begins on"),
        (ENDS + SECOND, "by no configured authority: a certificate ended on"),
        (TIME + 200 * DAY, "by no configured authority: a certificate ended on"),
        (b"00010101000000Z", "by no configured authority: "),
        (b"99990101000000Z", "is of 9999-01-01 00:00:00+00:00, which is yet to come"),
    ],
)
def test_the_certificate_must_have_been_good_at_the_time_itself(when: datetime | bytes, reason: str) -> None:
    assert reason in check(TSA, time=when)


def test_a_root_that_had_ended_proves_nothing_and_one_that_ended_since_does() -> None:
    short = authority("short", not_after=TIME + DAY)
    assert check(tsa(short), time=TIME + DAY, roots=[short.certificate]) == ""
    late = check(tsa(short), time=TIME + 2 * DAY, roots=[short.certificate])
    assert late.startswith("the timestamp is by no configured authority: a certificate ended on")


def test_a_clock_that_is_a_little_ahead_is_forgiven_and_no_more() -> None:
    assert check(TSA, at=TIME - TOLERANCE) == ""
    assert check(TSA, at=TIME - TOLERANCE - SECOND).endswith("which is yet to come")


def usage(*purposes: x509.ObjectIdentifier, critical: bool = True) -> Extensions:
    return [(x509.ExtendedKeyUsage(purposes), critical)]


@pytest.mark.parametrize(
    ("extensions", "reason"),
    [
        ([], "names no extendedKeyUsage, expected timestamping alone"),
        (usage(STAMPING, critical=False), "is for timestamping, and does not say so critically"),
        (usage(STAMPING, ExtendedKeyUsageOID.CODE_SIGNING), "is not for timestamping alone"),
        (usage(ExtendedKeyUsageOID.CODE_SIGNING), "is not for timestamping alone"),
        (usage(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE), "is not for timestamping alone"),
        (usage(STAMPING, STAMPING), "is not for timestamping alone"),
        ([(x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.37"), b"none"), True)], "is malformed: "),
    ],
)
def test_a_certificate_for_something_else_is_no_authority_of_timestamps(extensions: Extensions, reason: str) -> None:
    found = check(tsa(usage=None, extensions=extensions))
    assert found.startswith(f"the timestamp is by no timestamp authority: its certificate {reason}")
    assert check(tsa(usage=None, extensions=usage(STAMPING))) == ""


def test_a_certificate_of_an_authority_stamps_nothing() -> None:
    above = authority("stamping authority", above=ROOT, extensions=usage(STAMPING))
    holder = Holder(above.key, above.chain, ROOT.certificate)
    assert check(holder).endswith("the certificate is an authority's, expected a signer's")


@pytest.mark.parametrize(
    ("bit", "believed"), [("digital_signature", True), ("content_commitment", True), ("crl_sign", False)]
)
def test_what_the_key_may_be_used_for(bit: str, believed: bool) -> None:  # noqa: FBT001 - a parameter
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Timestamps")])
    key = make_key("ecdsa-p256")
    own: Extensions = [(x509.BasicConstraints(ca=False, path_length=None), True), (key_usage(bit), True), *usage(STAMPING)]
    certificate = ROOT._issue(name, key, (BEGINS, ENDS), own)
    found = check(Holder(key, (certificate,), ROOT.certificate))
    assert (found == "") is believed
    assert believed or "(keyUsage)" in found


@pytest.mark.parametrize(("bits", "believed"), [(2048, True), (1024, False)])
def test_keys_of_authorities_may_be_smaller_than_those_of_signers(bits: int, believed: bool) -> None:  # noqa: FBT001 - as above
    found = check(tsa(key=rsa_key(bits)))
    assert (found == "") is believed
    assert (
        believed or found == "the timestamp is by no timestamp authority: the RSA key has 1024 bits, expected at least 2048"
    )


# --- what they prove ------------------------------------------------------------------------------------------------------


def proof(*timestamps: bytes, roots: Sequence[x509.Certificate] = (ROOT.certificate,)) -> Proof:
    facts = replace(facts_of(SIGNER), timestamps=timestamps)
    return prove_time(facts, roots=roots, at=LATER)


def stamp(holder: Holder = TSA, signature: bytes = SIGNATURE, **fields: Any) -> bytes:  # noqa: ANN401 - a Stamp's
    return changed(holder=holder, **fields).reply(signature)


SIGNERS = authority("Code Signing Root")
SIGNER = SIGNERS.holder("signer", not_before=BEGINS, not_after=ENDS)
STRANGER = tsa(authority("stranger"))


def test_the_earliest_timestamp_that_holds_is_the_time() -> None:
    early, late, foreign = stamp(time=TIME - DAY), stamp(time=TIME), stamp(STRANGER, time=BEGINS)
    assert proof(late) == Proof(TIME)
    assert proof(late, early) == proof(early, late) == proof(foreign, late, early, early) == Proof(TIME - DAY)


def test_none_that_holds_leaves_a_doubt_about_the_first() -> None:
    found = proof(stamp(time=TIME + 50 * DAY), stamp(STRANGER))
    assert (found.time, found.broken) == (None, "")
    assert found.doubt.startswith("the timestamp is by no configured authority: no chain leads to a configured root")


def test_no_timestamp_proves_nothing_and_leaves_no_doubt() -> None:
    assert proof() == Proof()


def test_without_roots_nothing_is_read() -> None:
    assert proof(b"no timestamp at all", roots=()) == Proof(
        doubt="its timestamp proves nothing, as no `timestamp-roots` are configured"
    )


@pytest.mark.parametrize("roots", [(ROOT.certificate,), (STRANGER.root,)])
def test_one_that_was_tampered_with_breaks_them_all(roots: tuple[x509.Certificate, ...]) -> None:
    good, other = stamp(), stamp(signature=b"another signature")
    assert (
        proof(good, other, roots=roots)
        == proof(other, good, roots=roots)
        == Proof(broken="the timestamp is over another signature")
    )
    assert proof(good, good[:-1], roots=roots).broken == "the timestamp is not DER: a value is longer than what holds it"


def test_more_timestamps_than_anybody_needs_are_not_read() -> None:
    assert proof(*(b"%d" % number for number in range(MOST_TIMESTAMPS + 1))) == Proof(
        broken="it has 33 timestamps, expected at most 32"
    )
    assert proof(*[stamp()] * MOST_TIMESTAMPS) == Proof(TIME)


# --- what rules make of it ------------------------------------------------------------------------------------------------


def certificate_rule() -> TrustRule:
    table = {"certificate-roots": chain_pem(SIGNERS.certificate).decode(), "subject": "CN=signer,O=Example Ltd,C=SI"}
    return CertificateKind().parse(table, lambda name: pytest.fail(f"read {name}"))


def decide(
    *facts: Facts,
    rule: TrustRule | None = None,
    roots: tuple[x509.Certificate, ...] = (ROOT.certificate,),
    **scope: datetime,
) -> Judged:
    scoped = ScopedRule(rule or certificate_rule(), "rule", **scope)
    policy = Policy((scoped,), ("sigstore",), LATER, roots)
    return judge(policy, Finding(facts), artifact="app-1.0.whl", format="sigstore")


def signed(*timestamps: bytes, signer: Holder = SIGNER) -> Facts:
    return replace(facts_of(signer), timestamps=timestamps)


def test_a_certificate_that_ended_stays_good_for_what_was_stamped_before() -> None:
    found = decide(signed(stamp()))
    assert (found.verdict, found.time, found.detail, found.warnings) == (Verdict.TRUSTED, TIME, "", ())
    bare = decide(signed())
    assert (bare.verdict, bare.time) == (Verdict.EXPIRED, None)
    assert bare.detail.startswith("rule: a certificate ended on 2026-06-11")
    assert "timestamp" not in bare.detail


def test_a_timestamp_after_the_certificate_had_ended_does_not_help() -> None:
    holder = tsa(not_after=TIME + 50 * DAY)
    found = decide(signed(stamp(holder, time=ENDS + SECOND)))
    assert (found.verdict, found.time) == (Verdict.EXPIRED, ENDS + SECOND)
    assert decide(signed(stamp(holder, time=ENDS))).verdict is Verdict.TRUSTED


def test_a_timestamp_before_the_certificate_began_does_not_help() -> None:
    holder = tsa(not_before=TIME - 50 * DAY)
    found = decide(signed(stamp(holder, time=BEGINS - SECOND)))
    assert found.verdict is Verdict.UNTRUSTED
    assert "the certificate begins on" in found.detail


def test_why_a_timestamp_did_not_help_is_said() -> None:
    found = decide(signed(stamp(STRANGER)))
    assert (found.verdict, found.time) == (Verdict.EXPIRED, None)
    assert "a certificate ended on 2026-06-11; the timestamp is by no configured authority: no chain" in found.detail
    without = decide(signed(stamp()), roots=())
    assert without.verdict is Verdict.EXPIRED
    assert without.detail.endswith("; its timestamp proves nothing, as no `timestamp-roots` are configured")


def test_the_doubt_is_told_of_a_stranger_too_but_not_without_roots() -> None:
    stranger = signed(stamp(STRANGER), signer=authority("nobody").holder("signer", not_before=BEGINS, not_after=ENDS))
    found = decide(stranger)
    assert found.verdict is Verdict.UNTRUSTED
    assert "; the timestamp is by no configured authority" in found.detail
    assert "timestamp" not in decide(stranger, roots=()).detail


def test_a_tampered_timestamp_makes_the_signature_malformed_whoever_made_it() -> None:
    key_rule = KeyRule(SIGNER.key.public_key(), 3072)
    for rule in (None, key_rule):
        broken = decide(signed(stamp(signature=b"another")), rule=rule)
        assert broken == Judged(Verdict.MALFORMED, "the timestamp is over another signature")
    assert decide(signed(stamp(signature=b"another")), rule=key_rule, roots=()).verdict is Verdict.TRUSTED
    assert decide(signed(), signed(stamp()[:-1]), rule=key_rule).verdict is Verdict.MALFORMED


def test_a_rule_that_ended_stays_good_for_what_was_stamped_before() -> None:
    rule = KeyRule(SIGNER.key.public_key(), 3072)
    found = decide(signed(stamp()), rule=rule, not_after=TIME)
    assert (found.verdict, found.time, found.warnings) == (Verdict.TRUSTED, TIME, ())
    ended = decide(signed(stamp()), rule=rule, not_after=TIME - SECOND)
    assert (ended.verdict, ended.detail) == (Verdict.EXPIRED, f"rule: the rule ended at {TIME - SECOND}")
    assert decide(signed(), rule=rule, not_after=TIME).verdict is Verdict.EXPIRED


def test_a_rule_speaks_of_nothing_that_was_stamped_before_it_began() -> None:
    rule = KeyRule(SIGNER.key.public_key(), 3072)
    assert decide(signed(stamp()), rule=rule, not_before=TIME).verdict is Verdict.TRUSTED
    early = decide(signed(stamp()), rule=rule, not_before=TIME + SECOND)
    assert (early.verdict, early.time) == (Verdict.UNTRUSTED, TIME)
    assert decide(signed(), rule=rule, not_before=TIME + SECOND).verdict is Verdict.TRUSTED


def test_a_doubtful_timestamp_is_warned_of_while_it_is_not_needed() -> None:
    rule = KeyRule(SIGNER.key.public_key(), 3072)
    found = decide(signed(stamp(STRANGER)), rule=rule)
    assert found.verdict is Verdict.TRUSTED
    (warning,) = found.warnings
    assert warning.startswith("the timestamp is by no configured authority")
    assert decide(signed(stamp(STRANGER)), rule=rule, roots=()).warnings == ()


def test_a_signature_that_is_proven_needs_no_warning_of_what_ends() -> None:
    rule = KeyRule(SIGNER.key.public_key(), 3072)
    assert decide(signed(), rule=rule, not_after=LATER + DAY).warnings == (f"the trust rule rule ends at {LATER + DAY}",)
    assert decide(signed(stamp()), rule=rule, not_after=LATER + DAY).warnings == ()


def test_of_two_signatures_each_has_its_own_time() -> None:
    other = SIGNERS.holder("signer", not_before=TIME - 100 * DAY, not_after=TIME - 50 * DAY)
    assert decide(signed(signer=other), signed(stamp())).time == TIME
    assert decide(signed(stamp(), signer=other), signed()).verdict is Verdict.EXPIRED


def test_verifying_without_timestamps_loads_no_asn1() -> None:
    import subprocess  # noqa: PLC0415 - for this one test

    code = "import sys, hatch_sign.trust.policy; sys.exit(int('asn1crypto' in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
