"""What the verifier of CMS signatures finds: what other code signed, and signatures that do not hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options

from hatch_sign.formats.cms import signers
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.certificates import is_issued_by
from hatch_sign.values.errors import MalformedError
from hatch_sign.values.outcomes import Verdict
from tests.authority import Authority, Holder, code_signing_chain

from .cms_parts import LOCAL, MESSAGE_DIGEST, Parts, assert_untrusted, changed
from .cms_samples import CHANGED, SCHEMES, SUBJECT, VERIFIER, find, made, made_by_cryptography

if TYPE_CHECKING:
    from cryptography import x509

DETACHED = PKCS7Options.DetachedSignature


# --- what other code made


@pytest.mark.parametrize("algorithm", SCHEMES)
def test_signatures_by_cryptography(algorithm: str) -> None:
    holder = code_signing_chain(algorithm)
    for scheme in SCHEMES[algorithm]:
        for options in ((DETACHED,), (DETACHED, PKCS7Options.NoCapabilities)):
            data = made_by_cryptography(holder, scheme, *options)
            (facts,) = find(data).facts
            assert (facts.public_key, facts.scheme) == (holder.key.public_key(), scheme)
            assert tuple(facts.certificates) == holder.certificates
            assert find(data, subject=CHANGED).problem is Verdict.HASH_MISMATCH


def test_no_signature_over_the_bare_content() -> None:
    data = made_by_cryptography(LOCAL, Scheme.ECDSA_SHA256, DETACHED, PKCS7Options.NoAttributes)
    with pytest.raises(MalformedError, match=r"^the CMS signature has no signed attributes with its content type$"):
        VERIFIER.parse(data)


def test_no_signature_that_brings_its_content() -> None:
    data = made_by_cryptography(LOCAL, Scheme.ECDSA_SHA256, PKCS7Options.NoCapabilities)
    with pytest.raises(MalformedError, match=r"^the CMS signature is not one over data that lies in a file of its own$"):
        VERIFIER.parse(data)


def test_without_its_certificate_a_signature_is_tried_under_the_keys_that_are_trusted() -> None:
    data = made_by_cryptography(LOCAL, Scheme.ECDSA_SHA256, DETACHED, PKCS7Options.NoCerts, certificates=[LOCAL.root])
    key, other = LOCAL.key.public_key(), code_signing_chain("ecdsa-p384").key.public_key()
    (facts,) = find(data, other, key).facts
    assert (facts.public_key, facts.certificates) == (key, ())
    for keys in ((), (other,)):
        assert_untrusted(find(data, *keys), "does not bring the certificate of its signer, and is by no trusted key")


def test_a_certificate_inside_is_not_passed_over_for_a_key_that_is_trusted() -> None:
    (facts,) = find(made(), code_signing_chain("ecdsa-p384").key.public_key()).facts
    assert facts.public_key == LOCAL.key.public_key()


# --- what does not hold


def test_a_changed_signature() -> None:
    data = changed(lambda parts: setattr(parts.signature, "contents", parts.signature.contents[:-1] + b"\0"))
    assert_untrusted(find(data), "the signature is not by the ecdsa-p256 key of the certificate in it")


def test_a_signature_that_is_none() -> None:
    data = changed(lambda parts: setattr(parts.signature, "contents", b""))
    assert_untrusted(find(data), "the signature is not by the ecdsa-p256 key of the certificate in it")


def test_attributes_put_into_another_order_are_not_what_was_signed() -> None:
    data = changed(lambda parts: parts.attributes.children.reverse())
    assert_untrusted(find(data), "the signature is not by the ecdsa-p256 key of the certificate in it")
    assert find(changed(lambda parts: parts.attributes.children.reverse(), signed=True)).problem is None


def test_a_digest_of_other_content() -> None:
    def change(parts: Parts) -> None:
        parts.attribute(MESSAGE_DIGEST).children[1].children[0].contents = CHANGED.digests["sha256"]

    data = changed(change)
    expected = f"the CMS signature is for an artifact with sha256 {CHANGED.digests['sha256'].hex()}"
    assert find(data).problem is Verdict.HASH_MISMATCH
    assert find(data).detail == expected
    assert_untrusted(find(data, subject=CHANGED), "the signature is not by the ecdsa-p256 key")
    assert find(changed(change, signed=True), subject=CHANGED).problem is None


def test_a_subject_that_was_not_hashed_by_what_was_signed() -> None:
    parsed = VERIFIER.parse(made(code_signing_chain("ecdsa-p384"), Scheme.ECDSA_SHA384))
    assert VERIFIER.digests(parsed) == {"sha384"}
    unread = type(SUBJECT)(SUBJECT.name, SUBJECT.size, {"sha256": SUBJECT.digests["sha256"]})
    assert VERIFIER.check(parsed, [unread], [])[SUBJECT.name].problem is Verdict.HASH_MISMATCH


def test_many_subjects_are_answered_one_by_one() -> None:
    names = {"a": SUBJECT, "b": CHANGED}
    subjects = [type(each)(name, each.size, each.digests) for name, each in names.items()]
    findings = VERIFIER.check(VERIFIER.parse(made()), subjects, [])
    assert {name: finding.problem for name, finding in findings.items()} == {"a": None, "b": Verdict.HASH_MISMATCH}


def test_the_key_of_the_curve_signs_by_the_hashes_of_the_table_alone() -> None:
    data = made_by_cryptography(LOCAL, Scheme.ECDSA_SHA512)
    assert_untrusted(find(data), "the CMS signature is by ecdsa-sha512, which ecdsa-p256 keys do not sign by")


def holder_for(key: Any) -> Holder:  # noqa: ANN401 - of any kind
    """Return a holder whose certificate is for another key than it signs by."""

    class Holding:
        def public_key(self) -> Any:  # noqa: ANN401 - as above
            return key

    authority = Authority("Root")
    certificate = authority.issue("Example", Holding())  # type: ignore[arg-type] # only the public half is asked for
    return Holder(LOCAL.key, (certificate,), authority.certificate)


def test_a_key_that_is_not_supported() -> None:
    data = made(holder_for(ec.generate_private_key(ec.SECP256K1()).public_key()))
    assert_untrusted(find(data), "the certificate is for a key of a kind that is not supported")


MODULUS = (1 << 3071) + 1
SLOW = [rsa.RSAPublicNumbers(65537, (1 << 8192) + 1), rsa.RSAPublicNumbers((1 << 32) + 1, MODULUS)]


@pytest.mark.parametrize("numbers", SLOW, ids=["a modulus", "an exponent"])
def test_a_certificate_with_a_number_that_takes_long_is_refused(numbers: rsa.RSAPublicNumbers) -> None:
    data = made(holder_for(numbers.public_key()))
    with pytest.raises(MalformedError, match="is for a larger RSA key than anybody makes"):
        VERIFIER.parse(data)


@pytest.mark.parametrize("numbers", [(65537, (1 << 8191) + 1), ((1 << 32) - 1, MODULUS)], ids=["a modulus", "an exponent"])
def test_the_largest_numbers_that_are_read(numbers: tuple[int, int]) -> None:
    data = made(holder_for(rsa.RSAPublicNumbers(*numbers).public_key()))
    assert find(data).problem is Verdict.UNTRUSTED


@pytest.mark.parametrize("numbers", SLOW, ids=["a modulus", "an exponent"])
def test_nothing_is_checked_by_an_issuer_with_such_a_number(
    numbers: rsa.RSAPublicNumbers, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = holder_for(numbers.public_key()).certificate
    authority = Authority("Root", above=Authority("Example"))
    holder = Authority("Example", above=authority).holder("Signer", LOCAL.key)
    asked = []

    def noting(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
        asked.append(issuer)
        return is_issued_by(certificate, issuer)

    monkeypatch.setattr(signers, "is_issued_by", noting)
    data = made_by_cryptography(holder, Scheme.ECDSA_SHA256, certificates=[*holder.certificates[1:], slow])
    assert slow.subject == holder.certificate.issuer
    assert tuple(find(data).facts[0].certificates) == holder.certificates
    assert asked
    assert slow not in asked
