"""Where a certificate says that its issuer tells what was revoked: responders and lists that http or https reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cryptography.x509 import Certificate, DistributionPoint, ExtensionType, GeneralName

MOST_LISTS, MOST_RESPONDERS = 3, 2
"""Addresses of one certificate that are asked; real ones name one or two of each."""

_SCHEMES = ("http://", "https://")


def responders_of(certificate: Certificate) -> tuple[str, ...]:
    """Return the addresses of OCSP responders (RFC 5280 §4.2.2.1); none for an extension that cannot be read."""
    from cryptography.x509 import AuthorityInformationAccess  # noqa: PLC0415 - where a certificate is asked about only
    from cryptography.x509.oid import AuthorityInformationAccessOID  # noqa: PLC0415 - as above

    places = _extension(certificate, AuthorityInformationAccess) or ()
    named = (each.access_location for each in places if each.access_method == AuthorityInformationAccessOID.OCSP)
    return _addresses(named, MOST_RESPONDERS)


def lists_of(certificate: Certificate) -> tuple[str, ...]:
    """Return the addresses of whole revocation lists of the issuer itself (RFC 5280 §4.2.1.13); none as above."""
    from cryptography.x509 import CRLDistributionPoints  # noqa: PLC0415 - as above

    points = _extension(certificate, CRLDistributionPoints) or ()
    return _addresses(_names(point for point in points if not point.crl_issuer and not point.reasons), MOST_LISTS)


def _extension(certificate: Certificate, kind: type[ExtensionType]) -> Any:  # noqa: ANN401 - of any kind of extension
    from cryptography.x509 import DuplicateExtension, ExtensionNotFound, UnsupportedGeneralNameType  # noqa: PLC0415 - as above

    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except (ExtensionNotFound, DuplicateExtension, UnsupportedGeneralNameType, ValueError):
        return None


def _names(points: Iterable[DistributionPoint]) -> Iterator[GeneralName]:
    for point in points:
        yield from point.full_name or ()


def _addresses(names: Iterable[GeneralName], most: int) -> tuple[str, ...]:
    from cryptography.x509 import UniformResourceIdentifier  # noqa: PLC0415 - as above

    found = (name.value for name in names if isinstance(name, UniformResourceIdentifier))
    return tuple(dict.fromkeys(each for each in found if each.lower().startswith(_SCHEMES)))[:most]
