"""Extensions of the certificates of the tests (RFC 5280 §4.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

Usage = Literal["code-signing", "timestamping", "ocsp", "server", "client"]
Extensions = Sequence[tuple[x509.ExtensionType, bool]]
"""Each with whether it is critical."""

_PURPOSES: Mapping[str, x509.ObjectIdentifier] = {
    "code-signing": ExtendedKeyUsageOID.CODE_SIGNING,
    "timestamping": ExtendedKeyUsageOID.TIME_STAMPING,
    "ocsp": ExtendedKeyUsageOID.OCSP_SIGNING,
    "server": ExtendedKeyUsageOID.SERVER_AUTH,
    "client": ExtendedKeyUsageOID.CLIENT_AUTH,
}


def key_usage(*purposes: str) -> x509.KeyUsage:
    """Return a key usage with these bits, named as ``cryptography`` names them."""
    bits = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    others = ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{bit: bit in purposes for bit in (*bits, *others)})


def for_usage(usage: Usage | None) -> Extensions:
    """Return the extended key usage: that of timestamping is critical and alone, and an OCSP signer is not looked up."""
    if usage is None:
        return ()
    purpose = (x509.ExtendedKeyUsage([_PURPOSES[usage]]), usage == "timestamping")
    return (purpose, (x509.OCSPNoCheck(), False)) if usage == "ocsp" else (purpose,)


def places_of_status(crl_url: str | None, ocsp_url: str | None) -> Extensions:
    """Return where a certificate says that its revocation can be asked for."""
    found: list[tuple[x509.ExtensionType, bool]] = []
    if crl_url:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(crl_url)], None, None, None)
        found.append((x509.CRLDistributionPoints([point]), False))
    if ocsp_url:
        where = x509.UniformResourceIdentifier(ocsp_url)
        access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, where)
        found.append((x509.AuthorityInformationAccess([access]), False))
    return found
