"""Revocation lists in files: what counts, what does not, and at which instants."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA224, SHA256, SHA512
from cryptography.hazmat.primitives.serialization import Encoding

from hatch_sign.trust.revocation_statements import TOLERANCE
from hatch_sign.values.outcomes import Verdict
from tests.authority import BEGINS, DAY, ENDS, NOW, Authority, Holder, key_usage, make_key, name

from .revoking import (
    ISSUER,
    NOTHING_REVOKED,
    OF_ROOT,
    ROOT,
    SIGNER,
    SUBJECT,
    Giver,
    assert_revoked,
    assert_unknown,
    day,
    judge,
)

if TYPE_CHECKING:
    from datetime import datetime

SECOND = timedelta(seconds=1)
COMPROMISED = x509.ReasonFlags.key_compromise
ON_HOLD = x509.ReasonFlags.certificate_hold
STAMP = f"{NOW - DAY:%Y-%m-%d %H:%M:%SZ}"


def revoking(when: datetime = NOW - DAY, reason: x509.ReasonFlags | None = COMPROMISED, **options: object) -> bytes:
    """Return the issuer's list that names the signer."""
    return ISSUER.revocation_list({SIGNER.certificate: (when, reason)}, **options)


def scoped(**changes: object) -> bytes:
    """Return the issuer's list with an issuingDistributionPoint."""
    settings = {
        "full_name": None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
        **changes,
    }
    return ISSUER.revocation_list(extensions=[(x509.IssuingDistributionPoint(**settings), True)])


def entry(extensions: list[x509.ExtensionType], when: datetime = NOW - DAY) -> bytes:
    """Return the issuer's list with one entry, for the signer, with these extensions."""
    builder = x509.RevokedCertificateBuilder(SIGNER.certificate.serial_number, when)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    of_issuer = x509.CertificateRevocationListBuilder(ISSUER.certificate.subject, NOW - DAY, NOW + DAY)
    return of_issuer.add_revoked_certificate(builder.build()).sign(ISSUER.key, SHA256()).public_bytes(Encoding.DER)


def test_who_is_on_no_list_is_trusted() -> None:
    judged = judge(*NOTHING_REVOKED)
    assert (judged.verdict, judged.detail, judged.warnings) == (Verdict.TRUSTED, "", ())


def test_without_the_setting_nobody_asks() -> None:
    assert judge(mode="off").verdict is Verdict.TRUSTED


def test_who_is_on_a_list_is_revoked_whatever_is_asked_for() -> None:
    for mode in ("prefer", "require"):
        assert_revoked(judge(OF_ROOT, revoking(), mode=mode), f"{SUBJECT} is revoked since {STAMP} (keyCompromise)")


def test_an_authority_on_a_list_is_revoked() -> None:
    of_root = ROOT.revocation_list({ISSUER.certificate: (NOW - DAY, None)})
    assert_revoked(judge(of_root, NOTHING_REVOKED[1]), f"CN=Issuer,O=Example Ltd,C=SI is revoked since {STAMP}")


def test_what_cannot_be_found_out_is_refused_or_warned_of() -> None:
    assert_unknown(judge(OF_ROOT), f"whether {SUBJECT} was revoked could not be found out: no list or answer is at hand")
    judged = judge(OF_ROOT, mode="prefer")
    assert (judged.verdict, judged.detail) == (Verdict.TRUSTED, "")
    (warning,) = judged.warnings
    assert warning.startswith(f"whether {SUBJECT} was revoked could not be found out: ")


def test_every_certificate_but_the_root_is_asked_about() -> None:
    assert_unknown(judge(NOTHING_REVOKED[1]), "whether CN=Issuer,O=Example Ltd,C=SI was revoked")
    directly = ROOT.holder("signer")
    assert judge(OF_ROOT, signer=directly).verdict is Verdict.TRUSTED
    assert_unknown(judge(NOTHING_REVOKED[1], signer=directly), f"whether {SUBJECT} was revoked")


# --- who may say so -------------------------------------------------------------------------------------------------


def test_the_key_of_the_issuer_must_have_signed() -> None:
    forged = ISSUER.revocation_list(key=make_key("ecdsa-p256"))
    assert_unknown(judge(OF_ROOT, forged), "the revocation list of CN=Issuer,O=Example Ltd,C=SI has a wrong signature")
    assert_unknown(judge(OF_ROOT, revoking(key=make_key("ecdsa-p256"))), "has a wrong signature")


def test_one_byte_changed_makes_it_useless() -> None:
    good = NOTHING_REVOKED[1]
    assert judge(OF_ROOT, source=Giver([good])).verdict is Verdict.TRUSTED
    for at in range(len(good)):
        changed = good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]
        if not says_the_same(changed):
            assert judge(OF_ROOT, source=Giver([changed])).verdict is Verdict.INDETERMINATE, at


def says_the_same(changed: bytes) -> bool:
    """Return whether all that counts is as it was: a bit string may say that a zero at its end is none of it."""
    try:
        crl, good = x509.load_der_x509_crl(changed), x509.load_der_x509_crl(NOTHING_REVOKED[1])
    except (ValueError, x509.InvalidVersion):
        return False
    return (crl.signature, crl.tbs_certlist_bytes) == (good.signature, good.tbs_certlist_bytes)


def test_an_issuer_that_may_not_sign_lists_has_signed_none() -> None:
    silent = Authority("Issuer", above=ROOT, is_authority=False)
    object.__setattr__(silent, "certificate", _authority_without_lists(silent))
    signer = Holder(SIGNER.key, (silent.issue("signer", SIGNER.key), silent.certificate), ROOT.certificate)
    assert_unknown(judge(OF_ROOT, silent.revocation_list(), signer=signer), "by who may not sign such (keyUsage)")


def _authority_without_lists(authority: Authority) -> x509.Certificate:
    return (
        x509.CertificateBuilder(ROOT.certificate.subject, name("Issuer"), authority.key.public_key(), 7, BEGINS, ENDS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(key_usage("key_cert_sign"), critical=True)
        .sign(ROOT.key, SHA256())
    )


def delegate(issuer: Authority, *uses: str, subject: str = "Issuer", ends: datetime = ENDS) -> Holder:
    """Return a key of the issuer's name, certified for other uses than certificates."""
    key = make_key("ecdsa-p256")
    builder = x509.CertificateBuilder(issuer.certificate.subject, name(subject), key.public_key(), 8, BEGINS, ends)
    certificate = builder.add_extension(key_usage(*uses), critical=True).sign(issuer.key, SHA256())
    return Holder(key, (certificate,), ROOT.certificate)


@pytest.mark.parametrize("above", [ISSUER, ROOT])
def test_another_key_of_the_issuer_may_sign_its_lists(above: Authority) -> None:
    other = delegate(above, "crl_sign")
    made = ISSUER.revocation_list(key=other.key)
    assert_unknown(judge(OF_ROOT, made), "has a wrong signature")
    at_hand = {"certificate-intermediates": other.pem.decode()}
    assert judge(OF_ROOT, made, **at_hand).verdict is Verdict.TRUSTED


def test_a_signature_does_not_bring_who_clears_it() -> None:
    """An older key of the issuer, which the root took back because it was stolen, is still certified for lists."""
    stolen = delegate(ROOT, "crl_sign", "key_cert_sign")
    made = ISSUER.revocation_list(key=stolen.key)
    of_root = ROOT.revocation_list({stolen.certificate: (NOW - DAY, COMPROMISED)})
    brought = Holder(SIGNER.key, (*SIGNER.certificates, stolen.certificate), ROOT.certificate)
    for root_list in (of_root, OF_ROOT):
        assert_unknown(judge(root_list, made, signer=brought), "has a wrong signature")


@pytest.mark.parametrize(
    "other",
    [
        delegate(ISSUER, "digital_signature"),
        delegate(ISSUER, "crl_sign", subject="Another"),
        delegate(Authority("Root"), "crl_sign"),
        delegate(ISSUER, "crl_sign", ends=NOW - 2 * DAY),
    ],
    ids=["for other uses", "of another name", "of a stranger", "that had ended"],
)
def test_a_key_that_is_not_certified_for_lists_may_not(other: Holder) -> None:
    made = ISSUER.revocation_list(key=other.key)
    judged = judge(OF_ROOT, made, **{"certificate-intermediates": other.pem.decode()})
    assert_unknown(judged, "has a wrong signature")


def test_a_list_does_not_outlive_the_key_that_was_certified_for_it() -> None:
    other = delegate(ISSUER, "crl_sign", ends=NOW - SECOND - TOLERANCE)
    made = ISSUER.revocation_list(key=other.key)
    assert_unknown(judge(OF_ROOT, made, **{"certificate-intermediates": other.pem.decode()}), "is out of date since")


# --- when -----------------------------------------------------------------------------------------------------------


def test_a_list_counts_from_its_first_to_its_last_instant() -> None:
    last = ISSUER.revocation_list(next_update=NOW - TOLERANCE)
    assert judge(OF_ROOT, last).verdict is Verdict.TRUSTED
    assert_unknown(judge(OF_ROOT, last, at=NOW + SECOND), "is out of date since")
    first = ISSUER.revocation_list(this_update=NOW + TOLERANCE, next_update=day(3))
    assert judge(OF_ROOT, first).verdict is Verdict.TRUSTED
    assert_unknown(judge(OF_ROOT, first, at=NOW - SECOND), "which is yet to come")


def test_an_old_list_counts_against_whom_it_names_and_for_nobody() -> None:
    assert_revoked(
        judge(OF_ROOT, revoking(next_update=NOW - TOLERANCE - SECOND)), f"{SUBJECT} is revoked since {STAMP} (keyCompromise)"
    )
    newer = ISSUER.revocation_list(this_update=NOW - SECOND)
    assert judge(OF_ROOT, revoking(), newer).verdict is Verdict.REVOKED


def test_a_signature_that_was_there_before_stays_good() -> None:
    judged = judge(OF_ROOT, revoking(), proven=NOW - DAY - SECOND)
    assert judged.verdict is Verdict.TRUSTED
    assert judged.detail == f"{SUBJECT} is revoked since {STAMP} (keyCompromise), which is after the signature was made"
    assert judge(OF_ROOT, revoking(), proven=NOW - DAY).verdict is Verdict.REVOKED
    assert judge(OF_ROOT, revoking(when=NOW + DAY)).verdict is Verdict.REVOKED


def test_an_invalidity_date_takes_the_place_of_a_later_revocation() -> None:
    invalid = x509.InvalidityDate((NOW - 9 * DAY).replace(tzinfo=None))
    earlier = entry([x509.CRLReason(COMPROMISED), invalid])
    assert judge(OF_ROOT, earlier, proven=day(-10)).verdict is Verdict.TRUSTED
    assert judge(OF_ROOT, earlier, proven=day(-9)).verdict is Verdict.REVOKED
    assert judge(OF_ROOT, entry([x509.CRLReason(COMPROMISED)]), proven=day(-9)).verdict is Verdict.TRUSTED
    later = entry([x509.InvalidityDate(NOW.replace(tzinfo=None))], when=day(-5))
    assert judge(OF_ROOT, later, proven=day(-4)).verdict is Verdict.REVOKED


def test_a_certificate_on_hold_is_not_good_until_a_newer_list_says_nothing() -> None:
    held = revoking(reason=ON_HOLD, this_update=day(-1))
    assert_revoked(judge(OF_ROOT, held), f"{SUBJECT} is on hold since {STAMP} (certificateHold)")
    released = ISSUER.revocation_list(this_update=NOW)
    assert judge(OF_ROOT, held, released).verdict is Verdict.TRUSTED
    assert judge(OF_ROOT, released, held).verdict is Verdict.TRUSTED
    older = ISSUER.revocation_list(this_update=day(-2))
    assert judge(OF_ROOT, older, held).verdict is Verdict.REVOKED
    assert judge(OF_ROOT, held, proven=day(-2)).verdict is Verdict.TRUSTED


def test_an_old_hold_says_nothing_any_more() -> None:
    old = revoking(reason=ON_HOLD, next_update=NOW - TOLERANCE - SECOND)
    assert_unknown(judge(OF_ROOT, old), "is out of date since")


# --- certificates that have ended -----------------------------------------------------------------------------------

ENDED = ISSUER.holder("signer", not_before=day(-30), not_after=day(-10))


def test_a_current_list_need_not_name_who_has_ended() -> None:
    judged = judge(OF_ROOT, NOTHING_REVOKED[1], signer=ENDED, proven=day(-20))
    assert_unknown(judged, "was made after the certificate had ended, and need not name it any more")


def test_a_list_from_between_signature_and_end_counts_however_old() -> None:
    archived = ISSUER.revocation_list(this_update=day(-15), next_update=day(-14))
    assert judge(OF_ROOT, archived, signer=ENDED, proven=day(-20)).verdict is Verdict.TRUSTED
    assert_unknown(judge(OF_ROOT, archived, signer=ENDED, proven=day(-13)), "is out of date since")
    alive = ISSUER.holder("signer", not_before=day(-30))
    assert_unknown(judge(OF_ROOT, archived, signer=alive, proven=day(-20)), "is out of date since")


def test_a_list_that_was_kept_is_not_taken_from_a_network() -> None:
    """It would hide a newer one, which may name a certificate that was revoked before it ended."""
    archived = ISSUER.revocation_list(this_update=day(-15), next_update=day(-14))
    judged = judge(OF_ROOT, signer=ENDED, proven=day(-20), source=Giver([archived]))
    assert_unknown(judged, "is out of date since")


@pytest.mark.parametrize(("since", "verdict"), [(-30, Verdict.TRUSTED), (-9, Verdict.INDETERMINATE)])
def test_a_list_that_keeps_who_has_ended_counts(since: int, verdict: Verdict) -> None:
    text = f"{day(since):%Y%m%d%H%M%SZ}".encode()
    keeps = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.60"), b"\x18\x0f" + text)
    kept = ISSUER.revocation_list(extensions=[(keeps, False)])
    assert judge(OF_ROOT, kept, signer=ENDED, proven=day(-20)).verdict is verdict
    broken = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.60"), b"\x18\x0fsince ever so long")
    judged = judge(OF_ROOT, ISSUER.revocation_list(extensions=[(broken, False)]), signer=ENDED, proven=day(-20))
    assert judged.verdict is Verdict.INDETERMINATE


def test_revoked_says_more_than_expired_and_expired_more_than_unknown() -> None:
    named = ISSUER.revocation_list({ENDED.certificate: (day(-12), None)})
    assert judge(OF_ROOT, named, signer=ENDED).verdict is Verdict.REVOKED
    assert judge(OF_ROOT, NOTHING_REVOKED[1], signer=ENDED).verdict is Verdict.EXPIRED
    assert judge(OF_ROOT, named, signer=ENDED, subject="CN=other").verdict is Verdict.WRONG_IDENTITY


# --- lists that are for something else ------------------------------------------------------------------------------


def test_a_list_for_authorities_says_nothing_of_signers() -> None:
    assert_unknown(judge(OF_ROOT, scoped(only_contains_ca_certs=True)), "is not for such certificates")
    assert judge(OF_ROOT, scoped(only_contains_user_certs=True)).verdict is Verdict.TRUSTED


@pytest.mark.parametrize(
    "changes",
    [
        {"indirect_crl": True},
        {"only_contains_attribute_certs": True},
        {"only_some_reasons": frozenset([COMPROMISED])},
        {"relative_name": name("place").rdns[0]},
    ],
)
def test_a_list_of_a_kind_that_is_not_supported_says_nothing(changes: dict[str, object]) -> None:
    assert_unknown(judge(OF_ROOT, scoped(**changes)), "is indirect, or for some reasons only")


def test_a_part_of_a_list_is_for_those_who_name_its_place() -> None:
    here, there = "http://lists.example/1.crl", "http://lists.example/2.crl"
    part = scoped(full_name=[x509.UniformResourceIdentifier(here)])
    assert judge(OF_ROOT, part, signer=ISSUER.holder("signer", crl_url=here)).verdict is Verdict.TRUSTED
    for url in (there, None):
        judged = judge(OF_ROOT, part, signer=ISSUER.holder("signer", crl_url=url))
        assert_unknown(judged, "is for certificates that name another place")


def test_a_delta_says_nothing_by_itself() -> None:
    delta = ISSUER.revocation_list(extensions=[(x509.DeltaCRLIndicator(1), True)])
    assert_unknown(judge(OF_ROOT, delta), "holds changes to another list only (a delta)")


def test_an_entry_that_takes_another_back_belongs_into_a_delta() -> None:
    removing = entry([x509.CRLReason(x509.ReasonFlags.remove_from_crl)])
    assert_unknown(judge(OF_ROOT, removing), "takes an entry back, which only a delta may")


def test_a_critical_extension_that_is_not_known_makes_a_list_useless() -> None:
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    assert_unknown(judge(OF_ROOT, ISSUER.revocation_list(extensions=[(unknown, True)])), "not known (1.2.3.4)")
    assert judge(OF_ROOT, ISSUER.revocation_list(extensions=[(unknown, False)])).verdict is Verdict.TRUSTED


def test_an_entry_that_cannot_be_read_is_no_less_one() -> None:
    damaged = x509.UnrecognizedExtension(x509.CRLReason.oid, b"\xff")
    assert_revoked(judge(OF_ROOT, entry([damaged])), f"{SUBJECT} is revoked since {STAMP}")


def test_a_list_with_a_damaged_extension_is_a_verdict_and_no_trace() -> None:
    damaged = x509.UnrecognizedExtension(x509.IssuingDistributionPoint.oid, b"\xff")
    assert_unknown(judge(OF_ROOT, ISSUER.revocation_list(extensions=[(damaged, True)])), "or is damaged")


def test_names_are_compared_and_not_their_encodings() -> None:
    assert_unknown(judge(OF_ROOT, Authority("Somebody else").revocation_list()), "no list or answer is at hand")


def test_of_several_that_say_revoked_the_earliest_counts() -> None:
    late, early = revoking(when=day(-1)), revoking(when=day(-5), reason=None)
    for files in ((late, early), (early, late)):
        assert judge(OF_ROOT, *files, proven=day(-3)).verdict is Verdict.REVOKED
    assert judge(OF_ROOT, late, proven=day(-3)).verdict is Verdict.TRUSTED


def test_a_list_that_is_signed_by_a_weak_hash_is_not_used() -> None:
    builder = x509.CertificateRevocationListBuilder(ISSUER.certificate.subject, day(-1), day(1))
    for hash_, reason in ((SHA224(), "is signed with the hash sha224"), (SHA512(), "")):
        made = builder.sign(ISSUER.key, hash_).public_bytes(Encoding.DER)
        judged = judge(OF_ROOT, made)
        assert reason in judged.detail
        assert judged.verdict is (Verdict.INDETERMINATE if reason else Verdict.TRUSTED)


def test_a_key_that_was_certified_by_a_weak_hash_may_not_sign_lists() -> None:
    key = make_key("ecdsa-p256")
    builder = x509.CertificateBuilder(ISSUER.certificate.subject, name("Issuer"), key.public_key(), 8, BEGINS, ENDS)
    builder = builder.add_extension(key_usage("crl_sign"), critical=True)
    made = ISSUER.revocation_list(key=key)
    for hash_, verdict in ((SHA224(), Verdict.INDETERMINATE), (SHA256(), Verdict.TRUSTED)):
        other = Holder(key, (builder.sign(ISSUER.key, hash_),), ROOT.certificate)
        assert judge(OF_ROOT, made, **{"certificate-intermediates": other.pem.decode()}).verdict is verdict
