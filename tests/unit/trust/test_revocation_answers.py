"""OCSP answers in files: who may give them, what they are about, and at which instants they count."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from asn1crypto import core
from asn1crypto import ocsp as asn1_ocsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from hatch_sign.trust.revocation_statements import TOLERANCE
from hatch_sign.values.outcomes import Verdict
from tests.authority import BEGINS, DAY, ENDS, NOW, Authority, Holder, key_usage, make_key, name, rsa_key

from .revoking import ISSUER, OF_ROOT, ROOT, SIGNER, SUBJECT, Giver, assert_revoked, assert_unknown, day, judge

if TYPE_CHECKING:
    from datetime import datetime

SHA1 = hashes.SHA1()  # noqa: S303 - it names what is asked about, as most answers do
SECOND = timedelta(seconds=1)
LEAF = SIGNER.certificate
GOOD = ISSUER.ocsp_response(LEAF)
RESPONDER = ISSUER.holder("responder", usage="ocsp")
STAMP = f"{NOW - DAY:%Y-%m-%d %H:%M:%SZ}"


def raw(
    *,
    holder: Holder | None = None,
    by_name: bool = False,
    ends: datetime = NOW + DAY,
    extensions: tuple[x509.ExtensionType, ...] = (),
) -> bytes:
    """Return a good answer that the tests' authority does not make."""
    builder = ocsp.OCSPResponseBuilder().add_response(
        LEAF, ISSUER.certificate, hashes.SHA256(), ocsp.OCSPCertStatus.GOOD, day(-1), ends, None, None
    )
    encoding = ocsp.OCSPResponderEncoding.NAME if by_name else ocsp.OCSPResponderEncoding.HASH
    builder = builder.responder_id(encoding, holder.certificate if holder else ISSUER.certificate)
    if holder:
        builder = builder.certificates([holder.certificate])
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign((holder or ISSUER).key, hashes.SHA256()).public_bytes(Encoding.DER)


def test_a_good_answer_is_enough() -> None:
    assert judge(OF_ROOT, answers=[GOOD]).verdict is Verdict.TRUSTED
    assert judge(answers=[GOOD, ROOT.ocsp_response(ISSUER.certificate)]).verdict is Verdict.TRUSTED


@pytest.mark.parametrize("hash_", [SHA1, hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
def test_names_may_be_hashed_in_any_common_way(hash_: hashes.HashAlgorithm) -> None:
    assert judge(OF_ROOT, answers=[ISSUER.ocsp_response(LEAF, hash_=hash_)]).verdict is Verdict.TRUSTED


def test_an_answer_that_says_revoked_is_believed() -> None:
    answer = ISSUER.ocsp_response(LEAF, status="revoked", reason=x509.ReasonFlags.superseded)
    assert_revoked(judge(OF_ROOT, answers=[answer]), f"{SUBJECT} is revoked since {STAMP} (superseded)")
    assert_revoked(judge(OF_ROOT, answers=[GOOD, answer]), f"{SUBJECT} is revoked since {STAMP} (superseded)")
    assert judge(OF_ROOT, answers=[answer], proven=day(-2)).verdict is Verdict.TRUSTED
    bare = ISSUER.ocsp_response(LEAF, status="revoked")
    assert_revoked(judge(OF_ROOT, answers=[bare]), f"{SUBJECT} is revoked since {STAMP}")


def test_an_answer_that_knows_nothing_says_nothing() -> None:
    answer = ISSUER.ocsp_response(LEAF, status="unknown")
    assert_unknown(
        judge(OF_ROOT, answers=[answer]), "the OCSP answer of CN=Issuer,O=Example Ltd,C=SI is that it is not known"
    )


def test_a_failure_is_no_answer() -> None:
    failure = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER).public_bytes(Encoding.DER)
    assert_unknown(judge(OF_ROOT, answers=[failure]), "is a failure (try_later)")


# --- what it is about -----------------------------------------------------------------------------------------------


def test_an_answer_about_another_certificate_says_nothing() -> None:
    other = ISSUER.holder("signer").certificate
    assert_unknown(judge(OF_ROOT, answers=[ISSUER.ocsp_response(other)]), "no list or answer is at hand")
    source = Giver([ISSUER.ocsp_response(other)])
    assert_unknown(judge(OF_ROOT, source=source), "an answer is about another certificate")


def test_an_answer_about_the_number_under_another_issuer_says_nothing() -> None:
    another = Authority("Issuer")
    assert_unknown(judge(OF_ROOT, answers=[ISSUER.ocsp_response(LEAF, issuer=another.certificate)]), "at hand")


# --- who may give it ------------------------------------------------------------------------------------------------


def test_one_byte_changed_makes_it_useless() -> None:
    assert judge(OF_ROOT, source=Giver([GOOD])).verdict is Verdict.TRUSTED
    for at in range(len(GOOD)):
        changed = GOOD[:at] + bytes([GOOD[at] ^ 1]) + GOOD[at + 1 :]
        if not says_the_same(changed):
            assert judge(OF_ROOT, source=Giver([changed])).verdict is Verdict.INDETERMINATE, at


def says_the_same(changed: bytes) -> bool:
    """Return whether all that counts is as it was: a bit string may say that a zero at its end is none of it."""
    good = ocsp.load_der_ocsp_response(GOOD)
    try:
        answer = ocsp.load_der_ocsp_response(changed)
        counts = (answer.signature, answer.tbs_response_bytes)
    except ValueError:
        return False
    return counts == (good.signature, good.tbs_response_bytes)


def test_a_responder_of_the_issuer_may_answer() -> None:
    assert judge(OF_ROOT, answers=[ISSUER.ocsp_response(LEAF, responder=RESPONDER)]).verdict is Verdict.TRUSTED
    assert judge(OF_ROOT, answers=[raw(holder=RESPONDER)]).verdict is Verdict.TRUSTED
    assert judge(OF_ROOT, answers=[raw(holder=RESPONDER, by_name=True)]).verdict is Verdict.TRUSTED


@pytest.mark.parametrize(
    "responder",
    [
        ISSUER.holder("responder", usage="code-signing"),
        ISSUER.holder("responder", usage=None),
        ROOT.holder("responder", usage="ocsp"),
        Authority("Issuer").holder("responder", usage="ocsp"),
        ISSUER.holder("responder", usage="ocsp", not_after=NOW - DAY),
        ISSUER.holder("responder", usage="ocsp", not_before=NOW + DAY),
    ],
    ids=["for other uses", "for none", "of the root", "of a stranger", "that had ended", "that is yet to begin"],
)
def test_a_responder_that_the_issuer_did_not_certify_may_not(responder: Holder) -> None:
    answer = ISSUER.ocsp_response(LEAF, responder=responder)
    assert_unknown(judge(OF_ROOT, answers=[answer]), "is by a responder that the issuer does not name as its own")


def test_a_responder_must_be_for_signatures() -> None:
    key = make_key("ecdsa-p256")
    builder = x509.CertificateBuilder(ISSUER.certificate.subject, name("responder"), key.public_key(), 9, BEGINS, ENDS)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), critical=False)
    builder = builder.add_extension(key_usage("key_encipherment"), critical=True)
    holder = Holder(key, (builder.sign(ISSUER.key, hashes.SHA256()),), ROOT.certificate)
    assert_unknown(judge(OF_ROOT, answers=[raw(holder=holder)]), "does not name as its own")


def test_a_responder_must_have_signed_itself() -> None:
    other = ocsp.load_der_ocsp_response(raw(holder=RESPONDER, ends=day(2)))
    good = ocsp.load_der_ocsp_response(raw(holder=RESPONDER))
    assert judge(OF_ROOT, answers=[good.public_bytes(Encoding.DER)]).verdict is Verdict.TRUSTED
    forged = good.public_bytes(Encoding.DER).replace(good.tbs_response_bytes, other.tbs_response_bytes)
    assert_unknown(judge(OF_ROOT, source=Giver([forged])), "has a wrong signature")
    assert_unknown(judge(OF_ROOT, answers=[Authority("Issuer").ocsp_response(LEAF)]), "at hand")


@pytest.mark.parametrize("algorithm", ["rsa-2048", "ecdsa-p384", "ed25519"])
def test_a_responder_may_have_a_key_of_another_kind(algorithm: str) -> None:
    key = rsa_key(2048) if algorithm == "rsa-2048" else make_key(algorithm)
    responder = ISSUER.holder("responder", key, usage="ocsp")
    assert judge(OF_ROOT, answers=[ISSUER.ocsp_response(LEAF, responder=responder)]).verdict is Verdict.TRUSTED


def test_an_answer_does_not_outlive_its_responder() -> None:
    ended = ISSUER.holder("responder", usage="ocsp", not_after=NOW + DAY)
    answer = ISSUER.ocsp_response(LEAF, responder=ended)
    assert judge(OF_ROOT, answers=[answer], at=NOW + DAY + TOLERANCE).verdict is Verdict.TRUSTED
    assert_unknown(judge(OF_ROOT, answers=[answer], at=NOW + DAY + TOLERANCE + SECOND), "is out of date since")


# --- when -----------------------------------------------------------------------------------------------------------


def test_an_answer_counts_from_its_first_to_its_last_instant() -> None:
    answer = ISSUER.ocsp_response(LEAF, this_update=NOW, next_update=day(2))
    assert_unknown(judge(OF_ROOT, answers=[answer], at=NOW - TOLERANCE - SECOND), "which is yet to come")
    for at, verdict in (
        (NOW - TOLERANCE, Verdict.TRUSTED),
        (day(2) + TOLERANCE, Verdict.TRUSTED),
        (day(2) + TOLERANCE + SECOND, Verdict.INDETERMINATE),
    ):
        assert judge(OF_ROOT, answers=[answer], at=at).verdict is verdict


def test_an_answer_without_an_end_counts_for_an_hour() -> None:
    answer = ISSUER.ocsp_response(LEAF, this_update=NOW, next_update=None)
    end = NOW + timedelta(hours=1) + TOLERANCE
    assert judge(OF_ROOT, answers=[answer], at=end).verdict is Verdict.TRUSTED
    assert_unknown(judge(OF_ROOT, answers=[answer], at=end + SECOND), "is out of date since")


def test_a_nonce_says_nothing_and_another_critical_extension_is_refused() -> None:
    assert judge(OF_ROOT, answers=[raw(extensions=(x509.OCSPNonce(b"1234"),))]).verdict is Verdict.TRUSTED
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    assert_unknown(judge(OF_ROOT, answers=[raw(extensions=(unknown,))]), "not known (1.2.3.4)")


def test_a_responder_of_many_keys_is_tried_four_times() -> None:
    crowd = [ISSUER.holder("responder", usage="ocsp").certificate for _ in range(4)]
    for position, verdict in ((3, Verdict.TRUSTED), (4, Verdict.INDETERMINATE)):
        certificates = [*crowd[:position], RESPONDER.certificate]
        builder = ocsp.OCSPResponseBuilder().add_response(
            LEAF, ISSUER.certificate, SHA1, ocsp.OCSPCertStatus.GOOD, day(-1), day(1), None, None
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.NAME, RESPONDER.certificate).certificates(certificates)
        answer = builder.sign(RESPONDER.key, hashes.SHA256()).public_bytes(Encoding.DER)
        assert judge(OF_ROOT, answers=[answer]).verdict is verdict


@pytest.mark.parametrize(
    ("hash_", "reason"), [(hashes.SHA224(), "is signed in a way that is not supported"), (hashes.SHA384(), "")]
)
def test_an_answer_that_is_signed_by_a_weak_hash_is_not_used(hash_: hashes.HashAlgorithm, reason: str) -> None:
    builder = ocsp.OCSPResponseBuilder().add_response(
        LEAF, ISSUER.certificate, SHA1, ocsp.OCSPCertStatus.GOOD, day(-1), day(1), None, None
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, ISSUER.certificate)
    judged = judge(OF_ROOT, answers=[builder.sign(ISSUER.key, hash_).public_bytes(Encoding.DER)])
    assert reason in judged.detail
    assert judged.verdict is (Verdict.INDETERMINATE if reason else Verdict.TRUSTED)


@pytest.mark.parametrize("key", [ec.generate_private_key(ec.SECP256K1()), rsa_key(1024)], ids=["of another curve", "small"])
def test_a_responder_with_a_key_that_no_chain_may_have_is_none(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> None:
    responder = ISSUER.holder("responder", key, usage="ocsp")
    answer = ISSUER.ocsp_response(LEAF, responder=responder)
    assert_unknown(judge(OF_ROOT, answers=[answer]), "that the issuer does not name as its own")


def test_an_answer_of_another_kind_than_its_key_is_wrong() -> None:
    whole = asn1_ocsp.OCSPResponse.load(GOOD)
    basic = whole["response_bytes"]["response"].parsed
    for algorithm in ("sha256_rsa", "ed25519"):
        basic["signature_algorithm"] = {"algorithm": algorithm}
        whole["response_bytes"]["response"] = core.ParsableOctetString(basic.dump(force=True))
        assert_unknown(judge(OF_ROOT, source=Giver([whole.dump(force=True)])), "has a wrong signature")


@pytest.mark.parametrize(("copies", "reason"), [(0, "is about 0 certificates"), (1, ""), (2, "is about 2 certificates")])
def test_an_answer_is_about_one_certificate(copies: int, reason: str) -> None:
    """The library makes only such, so what it made is taken apart and signed again."""
    whole = asn1_ocsp.OCSPResponse.load(GOOD)
    basic = whole["response_bytes"]["response"].parsed
    single = basic["tbs_response_data"]["responses"][0]
    basic["tbs_response_data"]["responses"] = [single] * copies
    basic["signature"] = ISSUER.key.sign(basic["tbs_response_data"].dump(force=True), ec.ECDSA(hashes.SHA256()))
    whole["response_bytes"]["response"] = core.ParsableOctetString(basic.dump(force=True))
    judged = judge(OF_ROOT, source=Giver([whole.dump(force=True)]))
    assert reason in judged.detail
    assert judged.verdict is (Verdict.INDETERMINATE if reason else Verdict.TRUSTED)
