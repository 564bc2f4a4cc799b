"""Chains of certificates, each with one mistake or one peculiarity (RFC 5280 §6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hatch_sign.trust.chains import Chain, check_chain
from tests.authority import BEGINS, DAY, ENDS, NOW, Authority, Holder, Usage, key_usage, make_key, name, rsa_key

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

ROOT = Authority("Root")
ISSUER = Authority("Issuer", above=ROOT)
SIGNER = ISSUER.holder("signer")
NO_CHAIN = "no chain leads to a configured root: "


def check(
    *certificates: x509.Certificate,
    roots: Sequence[Authority] = (ROOT,),
    usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.CODE_SIGNING,
    at: datetime = NOW,
    intermediates: Sequence[x509.Certificate] = (),
) -> Chain:
    anchors = [root.certificate for root in roots]
    return check_chain(certificates, roots=anchors, intermediates=intermediates, usage=usage, at=at)


def problem(holder: Holder, authority: Authority = ROOT) -> str:
    return check(*holder.certificates, roots=[authority]).problem


def test_the_chain_that_holds_is_told_from_leaf_to_root() -> None:
    whole = (*SIGNER.certificates, ROOT.certificate)
    assert check(*SIGNER.certificates) == Chain(certificates=whole)
    assert check(SIGNER.certificate, intermediates=[ISSUER.certificate]).certificates == whole
    assert check(SIGNER.certificate, roots=[ISSUER]).certificates == (SIGNER.certificate, ISSUER.certificate)
    unneeded = Authority("Unneeded", above=ROOT).certificate
    assert check(SIGNER.certificate, unneeded, ISSUER.certificate, ROOT.certificate).certificates == whole


def test_a_chain_that_has_ended_is_told_as_it_was() -> None:
    chain = check(*SIGNER.certificates, at=ENDS + DAY)
    assert chain.ended == ENDS
    assert chain.certificates == (*SIGNER.certificates, ROOT.certificate)
    stranger = Authority("Root")
    assert check(*SIGNER.certificates, roots=[stranger]).certificates == ()


def test_what_many_artifacts_have_in_common_is_checked_once() -> None:
    again = [x509.load_der_x509_certificate(each.public_bytes(Encoding.DER)) for each in SIGNER.certificates]
    assert check(*again) is check(*SIGNER.certificates)
    assert check(*again, at=NOW + DAY) is not check(*SIGNER.certificates)
    assert check(*again, roots=[Authority("Root")]).problem.startswith(NO_CHAIN)


# --- what it is for -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made_for", "asked", "reason"),
    [
        ("code-signing", ExtendedKeyUsageOID.TIME_STAMPING, "the certificate is not for timestamps (extendedKeyUsage)"),
        ("timestamping", ExtendedKeyUsageOID.CODE_SIGNING, "the certificate is not for code signing (extendedKeyUsage)"),
        ("timestamping", ExtendedKeyUsageOID.TIME_STAMPING, ""),
        ("server", ExtendedKeyUsageOID.CODE_SIGNING, "the certificate is not for code signing (extendedKeyUsage)"),
        (None, ExtendedKeyUsageOID.TIME_STAMPING, "the certificate is not for timestamps (extendedKeyUsage)"),
    ],
)
def test_a_leaf_is_for_what_it_says(made_for: Usage | None, asked: x509.ObjectIdentifier, reason: str) -> None:
    assert check(*ISSUER.holder("signer", usage=made_for).certificates, usage=asked).problem == reason


@pytest.mark.parametrize(("bit", "signs", "stamps"), [("content_commitment", False, True), ("key_agreement", False, False)])
def test_timestamps_may_be_for_either_kind_of_signature(bit: str, *, signs: bool, stamps: bool) -> None:
    for usage, fits in ((ExtendedKeyUsageOID.CODE_SIGNING, signs), (ExtendedKeyUsageOID.TIME_STAMPING, stamps)):
        key = make_key("ecdsa-p256")
        builder = x509.CertificateBuilder(ROOT.certificate.subject, name("signer"), key.public_key(), 7, BEGINS, ENDS)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
        leaf = builder.add_extension(key_usage(bit), critical=True).sign(ROOT.key, hashes.SHA256())
        expected = "" if fits else "the certificate is not for digital signatures (keyUsage)"
        assert check(leaf, usage=usage).problem == expected


# --- names ----------------------------------------------------------------------------------------------------------


def constrained(*, critical: bool = True, excluded: bool = False, by: x509.GeneralName) -> Authority:
    constraints = x509.NameConstraints(None, [by]) if excluded else x509.NameConstraints([by], None)
    return Authority("Issuer", above=ROOT, extensions=[(constraints, critical)])


def named(*names: x509.GeneralName) -> list[tuple[x509.ExtensionType, bool]]:
    return [(x509.SubjectAlternativeName(names), False)]


@pytest.mark.parametrize("critical", [True, False])
@pytest.mark.parametrize("excluded", [True, False])
def test_constraints_of_directory_names_are_refused_since_nobody_holds_them(*, critical: bool, excluded: bool) -> None:
    issuer = constrained(critical=critical, excluded=excluded, by=x509.DirectoryName(name("signer")))
    reason = problem(issuer.holder("signer"))
    assert reason.startswith(NO_CHAIN)
    assert "directory" in reason


def test_constraints_of_a_root_hold_too() -> None:
    directory = x509.NameConstraints([x509.DirectoryName(name("signer"))], None)
    root = Authority("Root", extensions=[(directory, False)])
    assert problem(root.holder("signer"), root) == f"{NO_CHAIN}an issuer constrains directory names, which is not supported"
    hosts = Authority("Root", extensions=[(x509.NameConstraints([x509.DNSName("good.example")], None), True)])
    assert problem(hosts.holder("signer", extensions=named(x509.DNSName("bad.example"))), hosts) != ""
    assert problem(hosts.holder("signer", extensions=named(x509.DNSName("a.good.example"))), hosts) == ""


@pytest.mark.parametrize("critical", [True, False])
def test_constraints_of_alternative_names_hold(*, critical: bool) -> None:
    issuer = constrained(critical=critical, by=x509.DNSName("good.example"))
    assert problem(issuer.holder("signer")) == ""
    assert problem(issuer.holder("signer", extensions=named(x509.DNSName("good.example")))) == ""
    reason = problem(issuer.holder("signer", extensions=named(x509.DNSName("bad.example"))))
    assert reason == f"{NO_CHAIN}candidates exhausted: no permitted name constraints matched SAN"


def test_constraints_of_addresses_hold_for_a_subject_with_an_address() -> None:
    issuer = constrained(by=x509.RFC822Name("good.example"))
    assert problem(issuer.holder("signer")) == ""
    assert problem(issuer.holder("signer", extensions=named(x509.RFC822Name("a@bad.example")))) != ""
    attributes = [*name("signer"), x509.NameAttribute(NameOID.EMAIL_ADDRESS, "a@bad.example")]
    key = make_key("ecdsa-p256")
    leaf = issuer.issue(x509.Name(attributes), key)
    reason = check(leaf, issuer.certificate).problem
    assert reason == f"{NO_CHAIN}an issuer constrains e-mail addresses, and a subject below it holds one"
    assert check(ISSUER.issue(x509.Name(attributes), key), ISSUER.certificate).problem == ""


# --- algorithms -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hash_", [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
@pytest.mark.parametrize("algorithm", ["rsa-2048", "ecdsa-p256", "ecdsa-p384"])
def test_issuers_sign_by_what_is_in_use(hash_: hashes.HashAlgorithm, algorithm: str) -> None:
    assert check(_issued(_root(algorithm), hash_), roots=[_root(algorithm)]).problem == ""


def test_issuers_may_sign_by_pss() -> None:
    root = _root("rsa-2048")
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size)
    assert check(_issued(root, hashes.SHA256(), rsa_padding=pss), roots=[root]).problem == ""


@pytest.mark.parametrize("algorithm", ["rsa-2048", "ecdsa-p256"])
def test_a_weak_hash_of_an_issuer_is_refused(algorithm: str) -> None:
    root = _root(algorithm)
    reason = check(_issued(root, hashes.SHA224()), roots=[root]).problem
    found = "RsaWithSha224" if algorithm.startswith("rsa") else "EcDsaWithSha224"
    assert reason == f"{NO_CHAIN}candidates exhausted: Forbidden signature algorithm ({found})"


def test_an_issuer_with_an_edwards_key_is_refused() -> None:
    root = Authority("Root", algorithm="ed25519")
    reason = check(root.issue("signer", make_key("ecdsa-p256")), roots=[root]).problem
    assert reason == f"{NO_CHAIN}candidates exhausted: Forbidden public key algorithm (Ed25519)"


def test_an_issuer_with_a_key_that_can_be_factored_is_refused() -> None:
    root = Authority("Root", key=rsa_key(1024))
    reason = check(root.issue("signer", make_key("ecdsa-p256")), roots=[root]).problem
    assert reason == f"{NO_CHAIN}candidates exhausted: RSA key is too weak"


def _root(algorithm: str) -> Authority:
    key = rsa_key(2048) if algorithm == "rsa-2048" else make_key(algorithm)
    return _ROOTS.setdefault(algorithm, Authority("Root", key=key))


_ROOTS: dict[str, Authority] = {}


def _issued(root: Authority, hash_: hashes.HashAlgorithm, **options: padding.PSS) -> x509.Certificate:
    key = make_key("ecdsa-p256")
    builder = x509.CertificateBuilder(root.certificate.subject, name("signer"), key.public_key(), 7, BEGINS, ENDS)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
    return builder.sign(root.key, hash_, **options)


# --- shapes ---------------------------------------------------------------------------------------------------------


def test_a_root_that_another_has_certified_serves_under_either() -> None:
    older = Authority("Older")
    crossed = Authority("Root", above=older, key=ROOT.key)
    chain = (*SIGNER.certificates, crossed.certificate)
    assert check(*chain).certificates == (*SIGNER.certificates, ROOT.certificate)
    assert check(*chain, roots=[older]).certificates == (*chain, older.certificate)
    assert check(*SIGNER.certificates, roots=[older]).problem.startswith(NO_CHAIN)


def test_authorities_that_certify_each_other_lead_nowhere() -> None:
    first = Authority("First")
    second = Authority("Second", above=first)
    back = Authority("First", above=second, key=first.key)
    leaf = second.issue("signer", make_key("ecdsa-p256"))
    chain = check(leaf, second.certificate, back.certificate)
    assert chain.problem.startswith(NO_CHAIN)
    assert chain.certificates == ()
    assert check(leaf, second.certificate, back.certificate, roots=[first]).problem == ""


def test_an_intermediate_that_has_ended_ends_the_chain() -> None:
    ended = Authority("Issuer", above=ROOT, not_after=NOW - DAY)
    chain = check(*ended.holder("signer").certificates)
    assert chain.problem == f"a certificate ended on {NOW - DAY:%Y-%m-%d}"
    assert chain.ended == NOW - DAY
    renewed = Authority("Issuer", above=ROOT, key=ended.key)
    assert check(ended.issue("signer", SIGNER.key), ended.certificate, renewed.certificate).problem == ""


def test_a_longer_way_than_an_authority_allows_is_refused() -> None:
    short = Authority("Short", above=ROOT, path_length=0)
    assert problem(short.holder("signer")) == ""
    assert "path length" in problem(Authority("Below", above=short).holder("signer"))
