"""A certificate authority of the tests: certificates of servers, of clients, and of keys that sign."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from tests.peers.kms.authority import ISSUING

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

BEGIN = datetime.now(UTC) - timedelta(hours=1)


def name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


@dataclass
class Authority:
    """An authority whose own certificate is `certificate`, issued by `above` or by itself."""

    title: str = "Test Root"
    above: Authority | None = None
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @cached_property
    def certificate(self) -> x509.Certificate:
        extensions = [x509.BasicConstraints(ca=True, path_length=None), ISSUING]
        return (self.above or self)._issue(self.title, self.key, extensions)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def server(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        """Return a certificate for the loopback, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
        return self._issue("127.0.0.1", key, [x509.SubjectAlternativeName(names)]), key

    def certify(self, common: str, key: CertificateIssuerPrivateKeyTypes) -> x509.Certificate:
        """Return a certificate of the public half of `key`."""
        return self._issue(common, key, [])

    def _issue(
        self, common: str, key: CertificateIssuerPrivateKeyTypes, extensions: list[x509.ExtensionType]
    ) -> x509.Certificate:
        builder = x509.CertificateBuilder(
            issuer_name=name(self.title),
            subject_name=name(common),
            public_key=key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=BEGIN,
            not_valid_after=BEGIN + timedelta(days=3),
        )
        # From Python 3.13 on, TLS is strict about these (RFC 5280 §4.2.1.1, §4.2.1.2).
        own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        for extension in (*extensions, own, issuer):
            critical = isinstance(extension, x509.BasicConstraints | x509.KeyUsage)
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(self.key, hashes.SHA256())


def write_pair(
    path: Path, certificate: x509.Certificate, key: CertificateIssuerPrivateKeyTypes, *, password: str | None = None
) -> Path:
    """Write a certificate and its key into one PEM file, as TLS wants them."""
    how: KeySerializationEncryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how)
    path.write_bytes(certificate.public_bytes(Encoding.PEM) + private)
    return path


def write_chain(path: Path, *certificates: x509.Certificate) -> Path:
    path.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in certificates))
    return path
