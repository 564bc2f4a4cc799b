"""What a rule's settings may say of revocation, and what is asked of files and of a source that fetches."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from hatch_sign.trust.pem import encode_pem
from hatch_sign.trust.revocation_settings import revocation_pem
from hatch_sign.values.errors import ConfigurationError, MalformedError
from hatch_sign.values.outcomes import Verdict
from tests.authority import DAY, NOW, Authority

from .revoking import ISSUER, NOTHING_REVOKED, OF_ROOT, ROOT, SIGNER, SUBJECT, Giver, assert_unknown, day, judge

OF_ISSUER = NOTHING_REVOKED[1]
ANSWER = ISSUER.ocsp_response(SIGNER.certificate)
LIST_PEM = x509.load_der_x509_crl(OF_ISSUER).public_bytes(Encoding.PEM)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"mode": "always"}, "`revocation` is 'always', expected `off`, `prefer` or `require`"),
        ({"mode": "off", "revocation-lists": ["0.crl"]}, "`revocation-lists` is given, and `revocation` is off"),
        ({"mode": "off", "revocation-responses": ["0.ors"]}, "`revocation-responses` is given, and `revocation` is off"),
        ({"revocation-lists": []}, "`revocation-lists` is not an array of 1 to 64 names of files"),
        ({"revocation-lists": [1]}, "`revocation-lists` is not an array of 1 to 64 names of files"),
        ({"revocation-responses": ["a"] * 65}, "`revocation-responses` is not an array of 1 to 64 names of files"),
        ({"revocation-lists": [" "]}, "`revocation-lists` is empty"),
    ],
)
def test_settings_that_are_wrong_are_refused(settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        judge(**settings)
    assert reason in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"\x30\x00", b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", ANSWER])
def test_a_file_without_a_list_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError, match=r"0\.crl: holds no X509 CRL in DER or PEM, or a damaged one"):
        judge(data)


@pytest.mark.parametrize("data", [b"", OF_ISSUER, LIST_PEM])
def test_a_file_without_an_answer_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError, match=r"0\.ors: holds no OCSP RESPONSE in DER or PEM, or a damaged one"):
        judge(answers=[data])


def test_files_may_be_pem_of_several_and_settings_may_hold_pem() -> None:
    both = LIST_PEM + x509.load_der_x509_crl(OF_ROOT).public_bytes(Encoding.PEM)
    assert judge(both).verdict is Verdict.TRUSTED
    assert judge(**{"revocation-lists": [both.decode()]}).verdict is Verdict.TRUSTED
    pem = encode_pem(ANSWER, "OCSP RESPONSE")
    assert judge(OF_ROOT, **{"revocation-responses": [pem]}).verdict is Verdict.TRUSTED


def test_der_becomes_pem_that_says_what_it_is() -> None:
    assert revocation_pem(OF_ISSUER) == LIST_PEM.decode()
    assert revocation_pem(ANSWER).startswith("-----BEGIN OCSP RESPONSE-----\n")
    assert revocation_pem(SIGNER.certificate.public_bytes(Encoding.DER)) == ""


# --- what is fetched ------------------------------------------------------------------------------------------------


def test_what_files_tell_is_not_asked_for() -> None:
    source = Giver()
    assert judge(*NOTHING_REVOKED, source=source).verdict is Verdict.TRUSTED
    assert (source.expected, source.asked) == ([], [])
    assert_unknown(judge(OF_ROOT, source=source), "it names no place to ask, and no list or answer is at hand")
    assert source.expected == source.asked == [SIGNER.certificate]


def test_all_that_files_do_not_tell_is_announced_together() -> None:
    source = Giver([OF_ISSUER, OF_ROOT])
    assert judge(source=source).verdict is Verdict.TRUSTED
    assert source.expected == source.asked == [SIGNER.certificate, ISSUER.certificate]


def test_no_more_is_taken_than_decides() -> None:
    source = Giver([b"nothing", OF_ISSUER, ANSWER])
    assert judge(OF_ROOT, source=source).verdict is Verdict.TRUSTED
    assert source.taken == 2


def test_what_was_fetched_may_say_revoked() -> None:
    revoking = ISSUER.revocation_list({SIGNER.certificate: (NOW - DAY, None)})
    for mode in ("prefer", "require"):
        assert judge(OF_ROOT, source=Giver([revoking]), mode=mode).verdict is Verdict.REVOKED
    assert judge(source=Giver([revoking]), mode="off").verdict is Verdict.TRUSTED


def test_nobody_is_asked_about_a_stranger_or_a_signer_who_is_not_meant() -> None:
    source = Giver([OF_ISSUER])
    assert judge(source=source, subject="CN=other").verdict is Verdict.WRONG_IDENTITY
    assert judge(source=source, **{"certificate-roots": Authority("Root").pem.decode()}).verdict is Verdict.UNTRUSTED
    assert source.asked == []


def test_every_reason_is_told_and_no_more_than_four() -> None:
    old = ISSUER.revocation_list(next_update=day(-2), this_update=day(-3))
    source = Giver([b"rubbish", old], reasons=["http://one.example failed", "http://two.example has nothing there"])
    judged = judge(OF_ROOT, source=source)
    assert_unknown(judged, "http://one.example failed, http://two.example has nothing there, what was given is neither")
    assert "is out of date since" in judged.detail
    crowded = Giver(reasons=[f"reason {number}" for number in range(9)])
    assert judge(OF_ROOT, source=crowded).detail.endswith("reason 0, reason 1, reason 2, reason 3")


def test_without_a_source_it_says_that_nothing_may_be_fetched() -> None:
    old = ISSUER.revocation_list(next_update=day(-2), this_update=day(-3))
    assert_unknown(judge(OF_ROOT, old), "nothing may be fetched")
    assert judge(OF_ROOT).detail.startswith(f"whether {SUBJECT} was revoked could not be found out: no list or answer")


def test_a_rule_that_prefers_takes_an_unknown_root_list_too() -> None:
    judged = judge(OF_ISSUER, mode="prefer")
    assert judged.verdict is Verdict.TRUSTED
    assert "whether CN=Issuer" in judged.warnings[0]
    assert judge(OF_ISSUER, ROOT.revocation_list(), mode="prefer").warnings == ()
