"""A certificate for loopback, from an authority of its own, as the stand-ins of services need one."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

if TYPE_CHECKING:
    from pathlib import Path

ISSUING = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)
_ADDRESS = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))


@dataclass(frozen=True)
class LoopbackCertificate:
    """`roots` is the authority's certificate in PEM, `chain` the server's, `key` its private key."""

    roots: Path
    chain: Path
    key: Path
    both: Path


def make_loopback_certificate(folder: Path) -> LoopbackCertificate:
    """Write a certificate for 127.0.0.1 and its authority into `folder`."""
    authority_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority, server = _name("loopback authority"), _name("127.0.0.1")
    constraints = x509.BasicConstraints(ca=True, path_length=None)
    root = _builder(authority, authority, authority_key).add_extension(constraints, critical=True)
    root = root.add_extension(ISSUING, critical=True)
    leaf = _builder(server, authority, server_key)
    leaf = leaf.add_extension(x509.SubjectAlternativeName([_ADDRESS]), critical=False)
    own_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    leaf = leaf.add_extension(own_key, critical=False)
    identifier = x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key())
    root = root.add_extension(identifier, critical=False)
    written = {
        "roots": root.sign(authority_key, hashes.SHA256()).public_bytes(Encoding.PEM),
        "chain": leaf.sign(authority_key, hashes.SHA256()).public_bytes(Encoding.PEM),
        "key": server_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    }
    written["both"] = written["chain"] + written["key"]
    for name, content in written.items():
        (folder / f"{name}.pem").write_bytes(content)
    return LoopbackCertificate(**{name: folder / f"{name}.pem" for name in written})


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    return builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])
