"""The rule that names roots and a subject, over chains with one mistake each."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hatch_sign.contract import Judgement
from hatch_sign.trust.certificate import CertificateKind, hatch_sign_register_trust
from hatch_sign.trust.chains import MOST_CERTIFICATES
from hatch_sign.values.errors import ConfigurationError, MalformedError
from hatch_sign.values.outcomes import Verdict

from .authorities import CODE_SIGNING, NOW, YEAR, Holder, issue, material, name, p256, rsa_key

if TYPE_CHECKING:
    from hatch_sign.trust.certificate_rule import CertificateRule

SUBJECT = "CN=signer,O=Example Ltd,C=SI"
SECOND = timedelta(seconds=1)

ROOT = issue("root", None, authority=True)
INTERMEDIATE = issue("intermediate", ROOT, authority=True, path_length=0, usages=CODE_SIGNING)
LEAF = issue("signer", INTERMEDIATE, usages=CODE_SIGNING)


def parse(*, subject: str = SUBJECT, roots: str = ROOT.pem, **settings: Any) -> CertificateRule:  # noqa: ANN401 - TOML
    table = {
        "certificate-roots": roots,
        "subject": subject,
        **{key.replace("_", "-"): value for key, value in settings.items()},
    }
    return CertificateKind().parse(table, lambda name: pytest.fail(f"read {name}"))


def judge(*chain: Holder, **settings: Any) -> Judgement:  # noqa: ANN401 - as above
    at = settings.pop("at", NOW)
    return parse(**settings).evaluate(material(*chain, at=at))


def assert_untrusted(judged: Judgement, reason: str) -> None:
    assert judged.verdict is Verdict.UNTRUSTED
    assert reason in judged.detail
    assert judged.signer is None


def test_registers_under_its_name() -> None:
    kind = hatch_sign_register_trust()
    assert (kind.name, kind.selector) == ("certificate", {"certificate-roots"})
    assert kind.selector < set(kind.settings)


def test_vouches_for_the_subject_that_the_root_certifies() -> None:
    judged = judge(LEAF, INTERMEDIATE)
    assert judged == Judgement(Verdict.TRUSTED, signer=SUBJECT, ends=LEAF.certificate.not_valid_after_utc)


def test_a_root_may_certify_directly() -> None:
    assert judge(issue("signer", ROOT, usages=CODE_SIGNING)).verdict is Verdict.TRUSTED


def test_intermediates_come_with_the_signature_or_with_the_rule() -> None:
    assert_untrusted(judge(LEAF), "no chain leads to a configured root")
    assert judge(LEAF, certificate_intermediates=INTERMEDIATE.pem).verdict is Verdict.TRUSTED


def test_another_root_of_the_same_name_vouches_for_nobody() -> None:
    other = issue("root", None, authority=True)
    assert_untrusted(judge(LEAF, INTERMEDIATE, roots=other.pem), "no chain leads to a configured root")
    assert judge(LEAF, INTERMEDIATE, roots=other.pem + ROOT.pem).verdict is Verdict.TRUSTED


def test_a_root_that_comes_with_the_signature_is_not_trusted() -> None:
    own_root = issue("root", None, authority=True)
    own_leaf = issue("signer", own_root, usages=CODE_SIGNING)
    assert_untrusted(judge(own_leaf, own_root), "no chain leads to a configured root")


def test_the_certificate_must_be_for_the_key_that_signed() -> None:
    judged = parse().evaluate(material(LEAF, INTERMEDIATE, key=p256()))
    assert_untrusted(judged, "the certificate is for another key than the one that signed")


def test_a_signature_without_a_certificate_is_not_for_this_rule() -> None:
    assert_untrusted(parse().evaluate(material(key=p256())), "the signature brings no certificate")


# --- what a certificate is for ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("usages", [None, (ExtendedKeyUsageOID.SERVER_AUTH,), (ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)])
def test_a_leaf_must_be_for_code_signing(usages: tuple[x509.ObjectIdentifier, ...] | None) -> None:
    leaf = issue("signer", INTERMEDIATE, usages=usages)
    assert_untrusted(judge(leaf, INTERMEDIATE), "the certificate is not for code signing (extendedKeyUsage)")


def test_a_rule_may_ask_for_another_usage() -> None:
    usage = x509.ObjectIdentifier("1.2.3.4")
    leaf = issue("signer", ROOT, usages=(usage,))
    assert judge(leaf, extended_key_usage="1.2.3.4").verdict is Verdict.TRUSTED
    assert_untrusted(judge(leaf, extended_key_usage="1.2.3.5"), "not for usage 1.2.3.5")
    assert_untrusted(judge(leaf), "not for code signing")


def test_an_issuer_that_names_usages_must_name_this_one_or_any() -> None:
    for usages, verdict in (
        ((ExtendedKeyUsageOID.SERVER_AUTH,), Verdict.UNTRUSTED),
        ((ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,), Verdict.TRUSTED),
        (None, Verdict.TRUSTED),
    ):
        intermediate = issue("intermediate", ROOT, authority=True, usages=usages)
        assert judge(issue("signer", intermediate, usages=CODE_SIGNING), intermediate).verdict is verdict


def test_a_leaf_must_be_for_signatures() -> None:
    leaf = issue("signer", ROOT, usages=CODE_SIGNING, digital_signature=False)
    assert_untrusted(judge(leaf), "not for digital signatures (keyUsage)")
    unrestricted = issue("signer", ROOT, usages=CODE_SIGNING, digital_signature=None)
    assert judge(unrestricted).verdict is Verdict.TRUSTED


def test_an_authority_may_not_sign_artifacts() -> None:
    leaf = issue("signer", INTERMEDIATE, authority=True, usages=CODE_SIGNING)
    assert_untrusted(judge(leaf, INTERMEDIATE), "the certificate is an authority's")
    assert_untrusted(judge(ROOT, subject="CN=root,O=Example Ltd,C=SI"), "the certificate is an authority's")


@pytest.mark.parametrize(
    "intermediate",
    [
        issue("intermediate", ROOT, authority=False, usages=CODE_SIGNING),
        issue("intermediate", ROOT, authority=None, usages=CODE_SIGNING),
        issue("intermediate", ROOT, authority=True, certificate_signature=False),
    ],
    ids=["not an authority", "without basicConstraints", "without keyCertSign"],
)
def test_who_is_no_authority_may_not_certify(intermediate: Holder) -> None:
    leaf = issue("signer", intermediate, usages=CODE_SIGNING)
    assert_untrusted(judge(leaf, intermediate), "no chain leads to a configured root")


def test_the_path_length_of_an_authority_holds() -> None:
    below = issue("below", INTERMEDIATE, authority=True)
    leaf = issue("signer", below, usages=CODE_SIGNING)
    assert_untrusted(judge(leaf, below, INTERMEDIATE), "path length")
    longer = issue("intermediate", ROOT, authority=True, path_length=1)
    below = issue("below", longer, authority=True)
    assert judge(issue("signer", below, usages=CODE_SIGNING), below, longer).verdict is Verdict.TRUSTED


def test_a_critical_extension_that_nobody_knows_is_refused() -> None:
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    assert_untrusted(judge(issue("signer", ROOT, usages=CODE_SIGNING, extensions=[(unknown, True)])), "critical")
    assert judge(issue("signer", ROOT, usages=CODE_SIGNING, extensions=[(unknown, False)])).verdict is Verdict.TRUSTED


# --- when ---------------------------------------------------------------------------------------------------------------


def test_a_certificate_is_good_to_the_last_second() -> None:
    ends = LEAF.certificate.not_valid_after_utc
    assert judge(LEAF, INTERMEDIATE, at=ends).verdict is Verdict.TRUSTED
    expired = judge(LEAF, INTERMEDIATE, at=ends + SECOND)
    assert (expired.verdict, expired.signer, expired.ends) == (Verdict.EXPIRED, SUBJECT, ends)
    assert expired.detail == "a certificate ended on 2027-06-01"


def test_a_certificate_is_good_from_its_first_second() -> None:
    leaf = issue("signer", ROOT, usages=CODE_SIGNING, begins=NOW)
    assert judge(leaf, at=NOW).verdict is Verdict.TRUSTED
    assert_untrusted(judge(leaf, at=NOW - SECOND), "the certificate begins on 2026-06-01")


@pytest.mark.parametrize("which", ["root", "intermediate"])
def test_an_expired_issuer_is_expired_too(which: str) -> None:
    ends = {which: NOW - SECOND}
    root = issue("root", None, authority=True, ends=ends.get("root", NOW + YEAR))
    intermediate = issue("intermediate", root, authority=True, ends=ends.get("intermediate", NOW + YEAR))
    leaf = issue("signer", intermediate, usages=CODE_SIGNING)
    assert judge(leaf, intermediate, roots=root.pem).verdict is Verdict.EXPIRED
    assert judge(leaf, intermediate, roots=root.pem, at=NOW - SECOND).verdict is Verdict.TRUSTED


def test_expired_is_said_only_of_a_chain_that_was_right() -> None:
    stranger = issue("root", None, authority=True)
    leaf = issue("signer", stranger, usages=CODE_SIGNING, ends=NOW - SECOND)
    assert_untrusted(judge(leaf), "no chain leads to a configured root")
    wrong = issue("somebody else", ROOT, usages=CODE_SIGNING, ends=NOW - SECOND)
    assert judge(wrong).verdict is Verdict.WRONG_IDENTITY
    never = issue("signer", issue("intermediate", ROOT, authority=True, ends=NOW - YEAR + SECOND), usages=CODE_SIGNING)
    assert_untrusted(judge(never), "no chain leads to a configured root")


# --- who ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "subject",
    [
        "CN=signer,O=Example Ltd",
        "CN=signer",
        "CN=signer,O=Example Ltd,C=SI,2.5.4.5=1",
        "CN=Signer,O=Example Ltd,C=SI",
        "CN=signer,O=Example  Ltd,C=SI",
        "CN=signer+O=Example Ltd,C=SI",
        "OU=signer,O=Example Ltd,C=SI",
        "CN=signer\\,O\\=Example Ltd,C=SI",
    ],
)
def test_a_name_must_be_whole_and_equal_attribute_by_attribute(subject: str) -> None:
    judged = judge(LEAF, INTERMEDIATE, subject=subject)
    assert judged.verdict is Verdict.WRONG_IDENTITY
    assert judged.signer == SUBJECT
    assert f"the certificate is for {SUBJECT}, expected " in judged.detail


def test_the_order_of_a_name_counts_and_the_hint_says_so() -> None:
    judged = judge(LEAF, INTERMEDIATE, subject="C=SI,O=Example Ltd,CN=signer")
    assert judged.verdict is Verdict.WRONG_IDENTITY
    assert judged.detail.endswith("the same attributes in another order")


@pytest.mark.parametrize(
    "encoding", [_ASN1Type.PrintableString, _ASN1Type.UTF8String, _ASN1Type.BMPString, _ASN1Type.T61String]
)
def test_the_encoding_of_a_name_does_not_count(encoding: _ASN1Type) -> None:
    country = x509.NameAttribute(NameOID.COUNTRY_NAME, "SI")
    others = [(NameOID.ORGANIZATION_NAME, "Example Ltd"), (NameOID.COMMON_NAME, "signer")]
    subject = x509.Name([country, *(x509.NameAttribute(oid, value, encoding) for oid, value in others)])
    assert judge(issue(subject, ROOT, usages=CODE_SIGNING)).verdict is Verdict.TRUSTED


def test_attributes_of_one_level_have_no_order() -> None:
    level = [x509.NameAttribute(NameOID.COMMON_NAME, "signer"), x509.NameAttribute(NameOID.SERIAL_NUMBER, "7")]
    subject = x509.Name([x509.RelativeDistinguishedName(level)])
    leaf = issue(subject, ROOT, usages=CODE_SIGNING)
    assert judge(leaf, subject="CN=signer+serialNumber=7").verdict is Verdict.TRUSTED
    assert judge(leaf, subject="2.5.4.5=7+CN=signer").verdict is Verdict.TRUSTED
    assert judge(leaf, subject="CN=signer,serialNumber=7").verdict is Verdict.WRONG_IDENTITY


def test_attributes_of_extended_validation_have_names() -> None:
    oids = {"jurisdictionC": NameOID.JURISDICTION_COUNTRY_NAME, "businessCategory": NameOID.BUSINESS_CATEGORY}
    subject = x509.Name([x509.NameAttribute(oid, "SI") for oid in oids.values()])
    leaf = issue(subject, ROOT, usages=CODE_SIGNING)
    assert judge(leaf, subject="businessCategory=SI,jurisdictionC=SI").verdict is Verdict.TRUSTED


# --- hostile chains and weak keys ---------------------------------------------------------------------------------------


def test_a_small_rsa_key_is_refused_unless_the_rule_says_otherwise() -> None:
    leaf = issue("signer", ROOT, usages=CODE_SIGNING, key=rsa_key(2048))
    assert_untrusted(judge(leaf), "the RSA key has 2048 bits, expected at least 3072")
    assert judge(leaf, minimum_rsa_bits=2048).verdict is Verdict.TRUSTED


def test_an_authority_may_have_a_small_rsa_key() -> None:
    root = issue("root", None, authority=True, key=rsa_key(2048))
    assert judge(issue("signer", root, usages=CODE_SIGNING), roots=root.pem).verdict is Verdict.TRUSTED


def test_too_many_certificates_are_refused_before_any_is_looked_at() -> None:
    extra = [issue(f"extra {number}", ROOT, authority=True) for number in range(MOST_CERTIFICATES)]
    assert_untrusted(judge(LEAF, INTERMEDIATE, *extra), "brings 10 certificates, expected at most 8")
    assert judge(LEAF, INTERMEDIATE, *extra[: MOST_CERTIFICATES - 2]).verdict is Verdict.TRUSTED


def test_issuers_that_could_stand_for_one_another_do_not_multiply_the_work() -> None:
    """Seven authorities of one name and one key, each able to certify all others."""
    key = p256()
    cross = Holder(issue("cross", None, authority=True, key=key).certificate, key)
    alike = [issue("cross", cross, authority=True, key=key) for _ in range(MOST_CERTIFICATES - 1)]
    leaf = issue("signer", cross, usages=CODE_SIGNING)
    assert_untrusted(judge(leaf, *alike), "no chain leads to a configured root")


def test_a_leaf_with_a_key_that_no_signature_is_by_is_untrusted() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    builder = x509.CertificateBuilder(name("root"), name("signer"), key.public_key(), 7, NOW - YEAR, NOW + YEAR)
    leaf = Holder(builder.sign(ROOT.key, SHA256()), p256())
    assert_untrusted(judge(leaf), "for another key")


def test_a_damaged_extension_is_a_verdict_and_no_trace() -> None:
    damaged = x509.UnrecognizedExtension(x509.ExtendedKeyUsage.oid, b"\xff")
    assert_untrusted(judge(issue("signer", ROOT, extensions=[(damaged, False)])), "a certificate is malformed")


def test_a_key_that_cannot_be_read_is_a_verdict_and_no_trace() -> None:
    p256_oid, no_oid = bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d030177")
    der = _der(issue("signer", ROOT, usages=CODE_SIGNING))
    leaf = Holder(x509.load_der_x509_certificate(der.replace(p256_oid, no_oid)), p256())
    assert_untrusted(judge(leaf), "a certificate is malformed")
    issuer = Holder(x509.load_der_x509_certificate(_der(INTERMEDIATE).replace(p256_oid, no_oid)), p256())
    assert_untrusted(judge(LEAF, issuer), "a certificate is malformed")


def test_a_name_of_which_cryptography_says_key_error_is_a_verdict_too() -> None:
    """Its versions before 50 raise it for a name that is damaged."""

    class Damaged:
        def public_key(self) -> object:
            raise KeyError

    assert_untrusted(judge(Holder(Damaged(), p256())), "a certificate is malformed")  # type: ignore[arg-type] # stands for one


def _der(holder: Holder) -> bytes:
    return holder.certificate.public_bytes(Encoding.DER)


# --- what the rule is made from -----------------------------------------------------------------------------------------


def test_files_are_read_through_the_configuration() -> None:
    read = {"roots.pem": ROOT.pem.encode(), "between.pem": INTERMEDIATE.pem.encode()}
    table = {"certificate-roots": "roots.pem", "certificate-intermediates": "between.pem", "subject": SUBJECT}
    rule = CertificateKind().parse(table, read.__getitem__)
    assert rule.evaluate(material(LEAF)).verdict is Verdict.TRUSTED
    assert rule.keys == ()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"subject": ""}, "`subject` is empty"),
        ({"subject": "Example Ltd"}, "`subject` is 'Example Ltd', expected a distinguished name"),
        ({"subject": "C=Slovenia"}, "`subject` is 'C=Slovenia', expected a distinguished name: Attribute's length"),
        ({"extended_key_usage": "codeSigning"}, "`extended-key-usage` is 'codeSigning'"),
        ({"extended_key_usage": "2.5.29.37.0"}, "expected `code-signing` or the dotted number of one usage"),
        ({"minimum_rsa_bits": 1024}, "`minimum-rsa-bits` is 1024"),
        ({"roots": " "}, "`certificate-roots` is empty"),
    ],
)
def test_a_rule_that_is_wrong_is_refused(settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(**settings)
    assert reason in str(caught.value)


def test_roots_without_a_subject_would_vouch_for_everybody() -> None:
    with pytest.raises(ConfigurationError, match="lacks `subject`"):
        CertificateKind().parse({"certificate-roots": ROOT.pem}, lambda _: b"")


@pytest.mark.parametrize("data", [b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"\xff"])
def test_a_file_without_certificates_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError, match=r"roots\.pem: holds no PEM certificate"):
        CertificateKind().parse({"certificate-roots": "roots.pem", "subject": SUBJECT}, lambda _: data)
