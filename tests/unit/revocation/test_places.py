"""Which addresses in a certificate are asked."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from hatch_sign.revocation.places import MOST_LISTS, MOST_RESPONDERS, lists_of, responders_of
from tests.authority import Authority, make_key, name

ISSUER = Authority("Issuer")
KEY = make_key("ecdsa-p256")


def certificate(*extensions: x509.ExtensionType) -> x509.Certificate:
    return ISSUER.issue("signer", KEY, extensions=[(each, False) for each in extensions])


def uri(text: str) -> x509.UniformResourceIdentifier:
    return x509.UniformResourceIdentifier(text)


def point(*texts: str, **settings: object) -> x509.DistributionPoint:
    wanted = {"full_name": [uri(text) for text in texts] or None, "relative_name": None, "reasons": None, "crl_issuer": None}
    return x509.DistributionPoint(**{**wanted, **settings})


def places(*points: x509.DistributionPoint) -> tuple[str, ...]:
    return lists_of(certificate(x509.CRLDistributionPoints(points)))


def access(*texts: str, method: x509.ObjectIdentifier = AuthorityInformationAccessOID.OCSP) -> tuple[str, ...]:
    descriptions = [x509.AccessDescription(method, uri(text)) for text in texts]
    return responders_of(certificate(x509.AuthorityInformationAccess(descriptions)))


def test_a_certificate_that_names_none_has_none() -> None:
    assert lists_of(certificate()) == responders_of(certificate()) == ()


def test_lists_are_told_in_order_and_once() -> None:
    first, second = "http://one.example/a.crl", "HTTPS://two.example/b.crl?x=1"
    assert places(point(first, second), point(first)) == (first, second)


@pytest.mark.parametrize(
    "other",
    [
        point("ldap://one.example/cn=list"),
        point("file:///etc/passwd"),
        point("ftp://one.example/a.crl"),
        point("/a.crl"),
        point("http://one.example/a.crl", crl_issuer=[x509.DirectoryName(name("Another"))]),
        point("http://one.example/a.crl", reasons=frozenset([x509.ReasonFlags.key_compromise])),
        point(full_name=[x509.DNSName("http://one.example")]),
        point(relative_name=name("list").rdns[0]),
    ],
)
def test_what_is_no_whole_list_of_the_issuer_by_http_is_passed_over(other: x509.DistributionPoint) -> None:
    assert places(other, point("http://good.example/")) == ("http://good.example/",)


def test_responders_are_those_of_ocsp() -> None:
    assert access("http://one.example", "ldap://two.example") == ("http://one.example",)
    assert access("http://one.example", method=AuthorityInformationAccessOID.CA_ISSUERS) == ()


def test_only_a_few_addresses_count() -> None:
    many = [f"http://{number}.example/" for number in range(9)]
    assert places(point(*many)) == tuple(many[:MOST_LISTS])
    assert access(*many) == tuple(many[:MOST_RESPONDERS])


@pytest.mark.parametrize("kind", [x509.CRLDistributionPoints, x509.AuthorityInformationAccess])
def test_an_extension_that_cannot_be_read_names_none(kind: type[x509.ExtensionType]) -> None:
    damaged = certificate(x509.UnrecognizedExtension(kind.oid, b"\xff"))
    assert lists_of(damaged) == responders_of(damaged) == ()
