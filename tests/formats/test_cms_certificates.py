"""Which certificate a CMS signature is by: named, bound by an attribute, or put in the place of another."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from hatch_sign.formats.cms import signers
from hatch_sign.testing.format_contract import certificate_for
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.certificates import is_issued_by
from hatch_sign.values.errors import MalformedError
from tests.authority import Authority, Holder

from .cms_parts import (
    LOCAL,
    SIGNING_CERTIFICATE,
    SIGNING_CERTIFICATE_V2,
    Parts,
    assert_untrusted,
    certificate_node,
    changed,
)
from .cms_samples import VERIFIER, find, made, made_by_cryptography
from .der_trees import OCTETS, OID, SET, Node, primitive, sequence


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
