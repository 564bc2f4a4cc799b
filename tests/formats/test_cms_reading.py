"""What the verifier of CMS signatures finds: what other code signed, and what an attacker makes of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options

from hatch_sign.formats.cms import signers
from hatch_sign.testing.format_contract import certificate_for
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.certificates import is_issued_by
from hatch_sign.values.errors import MalformedError
from hatch_sign.values.outcomes import Verdict
from tests.authority import Authority, Holder, code_signing_chain

from .cms_samples import CHANGED, SCHEMES, SUBJECT, VERIFIER, find, made, made_by_cryptography
from .der_trees import INTEGER, NULL, OCTETS, OID, SET, Node, primitive, sequence, tree

if TYPE_CHECKING:
    from hatch_sign.contract import Finding

LOCAL = code_signing_chain("ecdsa-p256")
DETACHED = PKCS7Options.DetachedSignature

CONTENT_TYPE = bytes.fromhex("2a864886f70d010903")
MESSAGE_DIGEST = bytes.fromhex("2a864886f70d010904")
SIGNING_CERTIFICATE = bytes.fromhex("2a864886f70d010910020c")
SIGNING_CERTIFICATE_V2 = bytes.fromhex("2a864886f70d010910022f")
TST_INFO = bytes.fromhex("2a864886f70d0109100104")
SHA1, SHA512 = bytes.fromhex("2b0e03021a"), bytes.fromhex("608648016503040203")
ECDSA_SHA512 = bytes.fromhex("2a8648ce3d040304")
RSASSA_PSS = bytes.fromhex("2a864886f70d01010a")


class Parts:
    """One signature, taken apart into what the tests change."""

    def __init__(self, data: bytes) -> None:
        self.info = tree(data)
        (self.signed,) = self.info.children[1].children
        self.version, self.hashes, self.content, self.certificates, self.signers = self.signed.children
        (self.signer,) = self.signers.children
        self.name, self.hash, self.attributes, self.algorithm, self.signature = self.signer.children[1:6]

    def attribute(self, number: bytes) -> Node:
        """Return one signed attribute: its number and the set of its values."""
        return next(each for each in self.attributes.children if each.children[0].contents == number)

    def sign(self, key: ec.EllipticCurvePrivateKey) -> None:
        """Sign the attributes as they have become."""
        message = Node(SET, children=self.attributes.children).encoded()
        self.signature.contents = key.sign(message, ec.ECDSA(SHA256()))

    def encoded(self) -> bytes:
        return self.info.encoded()


def changed(change: Callable[[Parts], object], data: bytes | None = None, *, signed: bool = False) -> bytes:
    """Return a signature after `change`; with `signed`, the signer has signed what it made of the attributes."""
    parts = Parts(made() if data is None else data)
    change(parts)
    if signed:
        assert isinstance(LOCAL.key, ec.EllipticCurvePrivateKey)
        parts.sign(LOCAL.key)
    return parts.encoded()


def assert_untrusted(finding: Finding, reason: str) -> None:
    assert (finding.problem, finding.facts) == (Verdict.UNTRUSTED, ())
    assert reason in finding.detail


def certificate_node(certificate: x509.Certificate) -> Node:
    return tree(certificate.public_bytes(Encoding.DER))


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
SLOW = [rsa.RSAPublicNumbers(65537, (1 << 16384) + 1), rsa.RSAPublicNumbers((1 << 64) + 1, MODULUS)]


@pytest.mark.parametrize("numbers", SLOW, ids=["a modulus", "an exponent"])
def test_a_certificate_with_a_number_that_takes_long_is_refused(numbers: rsa.RSAPublicNumbers) -> None:
    data = made(holder_for(numbers.public_key()))
    with pytest.raises(MalformedError, match="is for a larger RSA key than anybody makes"):
        VERIFIER.parse(data)


def test_the_largest_numbers_that_are_read() -> None:
    data = made(holder_for(rsa.RSAPublicNumbers((1 << 64) - 1, MODULUS).public_key()))
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


# --- certificates put in the place of others


def twin(**changes: Any) -> tuple[Authority, Holder, Holder]:  # noqa: ANN401 - of Authority.issue
    """Return an authority and two certificates of the same key by it."""
    authority = Authority("Root")
    mine = authority.holder("Example")
    return authority, mine, authority.holder("Example", mine.key, **changes)


def named(parts: Parts, certificate: x509.Certificate) -> None:
    """Let the signer be named by another certificate."""
    serial = certificate.serial_number
    parts.name.children[1].contents = serial.to_bytes(serial.bit_length() // 8 + 1, "big")


def test_another_certificate_of_the_same_key_is_found_out() -> None:
    _, mine, other = twin()

    def change(parts: Parts) -> None:
        named(parts, other.certificate)
        parts.certificates.children = [certificate_node(other.certificate)]

    assert find(made(mine)).problem is None
    with pytest.raises(MalformedError, match=r"^the CMS signature holds 1 certificates of its signer's name, none of which"):
        VERIFIER.parse(changed(change, made(mine)))


def test_without_the_attribute_any_certificate_of_the_key_fits() -> None:
    """Such are signatures by openssl without -cades: nothing in them tells which was meant."""
    _, mine, other = twin()

    def change(parts: Parts) -> None:
        named(parts, other.certificate)
        parts.certificates.children = [certificate_node(other.certificate)]

    data = changed(change, made_by_cryptography(mine, Scheme.ECDSA_SHA256))
    assert find(data).facts[0].certificates == other.certificates


def test_two_certificates_of_one_name_are_told_apart_by_the_attribute_alone() -> None:
    """An authority that gives a number twice is broken; a stranger may also make a certificate of any name and number."""
    _, mine, other = twin()
    forged = certificate_node(other.certificate)
    forged.children[0].children[1] = certificate_node(mine.certificate).children[0].children[1]

    def change(parts: Parts) -> None:
        parts.certificates.children += [forged]

    assert find(changed(change, made(mine))).facts[0].certificates == mine.certificates
    with pytest.raises(
        MalformedError, match=r"2 certificates of its signer's name, any of which it may have been made with$"
    ):
        VERIFIER.parse(changed(change, made_by_cryptography(mine, Scheme.ECDSA_SHA256)))


@pytest.mark.parametrize("part", ["hash", "issuer", "serial"])
def test_the_attribute_holds_to_the_letter(part: str) -> None:
    def change(parts: Parts) -> None:
        identifier = parts.attribute(SIGNING_CERTIFICATE_V2).children[1].children[0].children[0].children[0]
        if part == "hash":
            identifier.children[0].contents = bytes(32)
        elif part == "issuer":
            identifier.children[1].children[0].children[0].children = [certificate_node(LOCAL.root).children[0].children[3]]
        else:
            identifier.children[1].children[1].contents = b"\7"

    with pytest.raises(MalformedError, match=r"1 certificates of its signer's name, none of which it was made with$"):
        VERIFIER.parse(changed(change, signed=True))


def test_the_older_attribute_binds_too() -> None:
    def older(certificate: x509.Certificate) -> Callable[[Parts], None]:
        def change(parts: Parts) -> None:
            digest = hashlib.sha1(certificate.public_bytes(Encoding.DER)).digest()  # noqa: S324 - the form wants it
            value = sequence(sequence(sequence(primitive(OCTETS, digest))))
            attribute = parts.attribute(SIGNING_CERTIFICATE_V2)
            attribute.children = [primitive(OID, SIGNING_CERTIFICATE), Node(SET, children=[value])]

        return change

    assert find(changed(older(LOCAL.certificate), signed=True)).problem is None
    with pytest.raises(MalformedError, match="none of which it was made with"):
        VERIFIER.parse(changed(older(LOCAL.root), signed=True))


def test_a_signer_named_by_its_key_identifier() -> None:
    identifier = x509.SubjectKeyIdentifier.from_public_key(LOCAL.key.public_key()).digest  # type: ignore[arg-type] # of a curve

    def change(parts: Parts) -> None:
        parts.signer.children[0].contents = b"\3"
        parts.signer.children[1] = primitive(0x80, identifier)

    assert find(changed(change)).facts[0].certificates == LOCAL.certificates
    key = LOCAL.key.public_key()

    def other(parts: Parts) -> None:
        change(parts)
        parts.signer.children[1].contents = bytes(20)

    assert_untrusted(find(changed(other)), "does not bring the certificate of its signer")
    assert find(changed(other), key).facts[0].certificates == ()


def test_certificates_without_a_key_identifier_are_nobodys_by_it() -> None:
    def change(parts: Parts, *bare: Node) -> None:
        parts.signer.children[0].contents = b"\3"
        parts.signer.children[1] = primitive(0x80, bytes(20))
        parts.certificates.children = [*bare]

    extensions = certificate_node(LOCAL.certificate)
    listed = extensions.children[0].children[-1].children[0].children
    listed.remove(next(each for each in listed if each.children[0].contents == bytes.fromhex("551d0e")))
    without = certificate_node(certificate_for(LOCAL.key))
    assert_untrusted(find(changed(lambda p: change(p, extensions, without))), "does not bring the certificate of its signer")


def test_certificates_that_cannot_be_read_are_passed_over_unless_one_is_the_signers() -> None:
    def broken(which: x509.Certificate) -> Callable[[Parts], None]:
        def change(parts: Parts) -> None:
            for each in parts.certificates.children:
                if each.encoded() == which.public_bytes(Encoding.DER):
                    each.children[0].children[0].children[0].contents = b"\7"  # the version

        return change

    plain = made_by_cryptography(LOCAL, Scheme.ECDSA_SHA256)
    assert find(changed(broken(LOCAL.certificates[1]), plain)).facts[0].certificates == LOCAL.certificates[:1]
    with pytest.raises(MalformedError, match=r"^the signer's certificate in the CMS signature is not one$"):
        VERIFIER.parse(changed(broken(LOCAL.certificate), plain))


def of_one_key() -> tuple[Authority, list[x509.Certificate]]:
    """Return an authority and others, of which each could have issued each."""
    authority = Authority("Root", key=LOCAL.key)
    return authority, [Authority("Root", above=authority, key=LOCAL.key).certificate for _ in range(30)]


def one_above_another() -> tuple[Authority, list[x509.Certificate]]:
    """Return an authority and those above it, of which each was issued by one, and any could have by its name."""
    line = [Authority("Root")]
    for _ in range(20):
        line.append(Authority("Root", above=line[-1]))
    return line[-1], [each.certificate for each in line]


@pytest.mark.parametrize("certified", [of_one_key, one_above_another])
def test_looks_for_issuers_a_bounded_number_of_times(
    certified: Callable[[], tuple[Authority, list[x509.Certificate]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, alike = certified()
    holder = authority.holder("Example", LOCAL.key)
    data = made_by_cryptography(holder, Scheme.ECDSA_SHA256, certificates=alike)
    count = 0
    real = is_issued_by

    def counting(*pair: x509.Certificate) -> bool:
        nonlocal count
        count += 1
        return real(*pair)

    monkeypatch.setattr(signers, "is_issued_by", counting)
    assert find(data).facts[0].certificates[0] == holder.certificate
    assert 0 < count <= signers.MOST_CHECKS


# --- structures that are not as they should be


def other_hash(number: bytes) -> Callable[[Parts], None]:
    def change(parts: Parts) -> None:
        for node in (parts.hash, parts.hashes.children[0]):
            node.children[0].contents = number

    return change


def double(node: Callable[[Parts], Node]) -> Callable[[Parts], None]:
    """Return what puts the last of a node's values into it once more."""
    return lambda parts: node(parts).children.append(node(parts).children[-1])


def retype(content_type: bytes) -> Callable[[Parts], None]:
    def change(parts: Parts) -> None:
        parts.content.children[0].contents = content_type
        parts.attribute(CONTENT_TYPE).children[1].children[0].contents = content_type

    return change


HOSTILE: dict[str, tuple[Callable[..., object], str]] = {
    "another kind of content": (retype(TST_INFO), "the CMS signature is not one over data"),
    "another kind of content than is signed": (
        lambda p: setattr(p.content.children[0], "contents", TST_INFO),
        "the CMS signature has no signed attributes with its content type",
    ),
    "enveloped data": (
        lambda p: setattr(p.info.children[0], "contents", p.info.children[0].contents[:-1] + b"\3"),
        "the CMS signature is no signature in CMS",
    ),
    "content of its own": (
        lambda p: p.content.children.append(sequence(primitive(OCTETS, b"x"), tag=0xA0)),
        "the CMS signature is not one over data",
    ),
    "two contents": (
        lambda p: p.content.children.append(sequence(primitive(OCTETS, b"x"), primitive(OCTETS, b"y"), tag=0xA0)),
        "the CMS signature is not well-formed",
    ),
    "an unknown version": (lambda p: setattr(p.version, "contents", b"\2"), "the CMS signature is of a version that is not"),
    "a version without end": (
        lambda p: setattr(p.version, "contents", b"\x7f" * 100_000),
        "the CMS signature is of a version that is not known, expected one of 1, 3, 4, 5",
    ),
    "an unknown version of the signer": (
        lambda p: setattr(p.signer.children[0], "contents", b"\0"),
        "the CMS signature is of a version that is not known, expected one of 1, 3",
    ),
    "nobody": (lambda p: p.signers.children.clear(), "the CMS signature holds 0 signatures and 1 hashes, expected 1 to 8"),
    "two signers": (double(lambda p: p.signers), "the CMS signature is by 2 signers, expected one"),
    "nine signers": (
        lambda p: setattr(p.signers, "children", p.signers.children * 9),
        "the CMS signature holds 9 signatures and 1 hashes, expected 1 to 8",
    ),
    "nine hashes": (
        lambda p: setattr(p.hashes, "children", p.hashes.children * 9),
        "the CMS signature holds 1 signatures and 9 hashes, expected 1 to 8",
    ),
    "no hash that is announced": (
        lambda p: p.hashes.children.clear(),
        "the CMS signature does not announce the hash sha256 of a signature in it",
    ),
    "33 certificates": (
        lambda p: p.certificates.children.extend([certificate_node(LOCAL.root)] * 31),
        "the CMS signature holds 33 certificates, expected at most 32",
    ),
    "a certificate that is none": (
        lambda p: p.certificates.children.append(sequence(primitive(NULL, b""))),
        "a certificate in the CMS signature is not well-formed",
    ),
    "an attribute twice": (double(lambda p: p.attributes), "the CMS signature has the attribute .* twice"),
    "two values of a digest": (
        double(lambda p: p.attribute(MESSAGE_DIGEST).children[1]),
        "the CMS signature has 2 values of the attribute 1.2.840.113549.1.9.4, expected one",
    ),
    "no value of a digest": (
        lambda p: p.attribute(MESSAGE_DIGEST).children[1].children.clear(),
        "the CMS signature has the attribute .* twice, or 0 values of it",
    ),
    "33 values": (
        lambda p: p.attribute(MESSAGE_DIGEST).children[1].children.extend([primitive(NULL, b"")] * 32),
        "the CMS signature has the attribute .* twice, or 33 values of it",
    ),
    "33 attributes": (
        lambda p: p.attributes.children.extend(
            sequence(primitive(OID, bytes([42, n])), sequence(primitive(NULL, b""), tag=SET)) for n in range(29)
        ),
        "the CMS signature has 33 attributes, expected at most 32",
    ),
    "no attributes": (lambda p: p.signer.children.remove(p.attributes), "the CMS signature has no signed attributes with"),
    "empty attributes": (lambda p: p.attributes.children.clear(), "the CMS signature has no signed attributes with"),
    "no content type": (
        lambda p: p.attributes.children.remove(p.attribute(CONTENT_TYPE)),
        "the CMS signature has no signed attributes with its content type",
    ),
    "no digest": (
        lambda p: p.attributes.children.remove(p.attribute(MESSAGE_DIGEST)),
        "the CMS signature has no message digest by sha256 among its signed attributes",
    ),
    "a digest of another length": (
        lambda p: setattr(p.attribute(MESSAGE_DIGEST).children[1].children[0], "contents", bytes(31)),
        "the CMS signature has no message digest by sha256 among its signed attributes",
    ),
    "a digest of another kind": (
        lambda p: setattr(p.attribute(MESSAGE_DIGEST).children[1].children[0], "tag", 0x0C),
        "the CMS signature is not well-formed",
    ),
    "SHA-1": (other_hash(SHA1), "the CMS signature is made with the hash sha1, expected one of sha256, sha384, sha512"),
    "a hash that nobody knows": (other_hash(b"\x2a\x03"), "the CMS signature is made with the hash 1.2.3, expected one of"),
    "a hash with parameters": (
        lambda p: setattr(p.hash, "children", [p.hash.children[0], primitive(INTEGER, b"\1")]),
        "the CMS signature is not well-formed",
    ),
    "another hash than the scheme's": (
        lambda p: setattr(p.algorithm.children[0], "contents", ECDSA_SHA512),
        "the CMS signature is made with ecdsa-sha512 and a digest by sha256, expected one hash throughout",
    ),
    "an algorithm that nobody knows": (
        lambda p: setattr(p.algorithm.children[0], "contents", b"\x2a\x03"),
        "the CMS signature is made with the algorithm 1.2.3, which is not supported",
    ),
    "an algorithm with parameters": (
        lambda p: p.algorithm.children.append(primitive(INTEGER, b"\1")),
        "the CMS signature is made with sha256_ecdsa and parameters, expected none",
    ),
    "PSS without parameters": (
        lambda p: setattr(p.algorithm.children[0], "contents", RSASSA_PSS),
        "the CMS signature is made with PSS of other parameters",
    ),
    "PSS of SHA-1, by default": (
        lambda p: setattr(p.algorithm, "children", [primitive(OID, RSASSA_PSS), sequence()]),
        "the CMS signature is made with PSS of other parameters",
    ),
    "a long object identifier": (
        lambda p: setattr(p.algorithm.children[0], "contents", b"\x81" * 1000 + b"\1"),
        "the CMS signature is not DER: an object identifier has 1001 bytes",
    ),
    "an attribute without end": (
        lambda p: setattr(p.attribute(SIGNING_CERTIFICATE_V2).children[1].children[0].children[0], "children", []),
        "the CMS signature is not well-formed",
    ),
} | {
    f"fields that nobody knows, in {name}": (
        lambda p, node=node: node(p).children.extend([primitive(NULL, b"")] * 2),
        "the CMS signature is not well-formed",
    )
    for name, node in {
        "the whole": lambda p: p.info,
        "the explicit tag": lambda p: p.info.children[1],
        "the structure": lambda p: p.signed,
        "the content": lambda p: p.content,
        "the signer": lambda p: p.signer,
        "its name": lambda p: p.name,
        "its algorithm": lambda p: p.algorithm,
        "its hash": lambda p: p.hash,
        "an attribute": lambda p: p.attributes.children[0],
    }.items()
}


@pytest.mark.parametrize("case", HOSTILE)
def test_refuses(case: str) -> None:
    change, reason = HOSTILE[case]
    with pytest.raises(MalformedError, match=f"^{reason}") as caught:
        VERIFIER.parse(changed(change))
    assert "\n" not in str(caught.value)


def test_parameters_that_are_null_say_nothing() -> None:
    def change(parts: Parts) -> None:
        parts.algorithm.children.append(primitive(NULL, b""))
        parts.hash.children = parts.hash.children[:1]

    assert find(changed(change)).problem is None


def test_refuses_more_than_four_mebibytes() -> None:
    with pytest.raises(MalformedError, match=r"^the CMS signature has 4194305 bytes, expected at most 4194304$"):
        VERIFIER.parse(bytes((4 << 20) + 1))


def test_revocation_lists_and_other_certificates_are_passed_over() -> None:
    def change(parts: Parts) -> None:
        parts.certificates.children.append(sequence(primitive(NULL, b""), tag=0xA1))
        parts.signed.children.insert(4, sequence(sequence(primitive(NULL, b"")), tag=0xA1))

    assert find(changed(change)).facts[0].certificates == LOCAL.certificates
