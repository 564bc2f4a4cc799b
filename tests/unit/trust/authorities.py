"""Certificates made for the tests: authorities, signers, and the mistakes that either can make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hatch_sign.contract import Facts, Material
from hatch_sign.values.algorithms import Scheme

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
YEAR = timedelta(days=365)
CODE_SIGNING = (ExtendedKeyUsageOID.CODE_SIGNING,)
ORGANISATION = {"C": NameOID.COUNTRY_NAME, "O": NameOID.ORGANIZATION_NAME, "CN": NameOID.COMMON_NAME}

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def p256() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@cache
def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def name(common_name: str) -> x509.Name:
    values = {"C": "SI", "O": "Example Ltd", "CN": common_name}
    return x509.Name([x509.NameAttribute(ORGANISATION[key], value) for key, value in values.items()])


@dataclass(frozen=True)
class Holder:
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: PrivateKey

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()


def issue(  # noqa: PLR0913 - each argument is a mistake that some test makes
    subject: x509.Name | str,
    issuer: Holder | None,
    *,
    authority: bool | None = False,
    path_length: int | None = None,
    usages: Sequence[x509.ObjectIdentifier] | None = None,
    digital_signature: bool | None = True,
    certificate_signature: bool | None = None,
    begins: datetime = NOW - YEAR,
    ends: datetime = NOW + YEAR,
    key: PrivateKey | None = None,
    extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
) -> Holder:
    """Return a new holder; without an issuer it signs itself. None leaves an extension out."""
    key = key or p256()
    subject = name(subject) if isinstance(subject, str) else subject
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
    )
    if authority is not None:
        builder = builder.add_extension(x509.BasicConstraints(authority, path_length), critical=True)
    if digital_signature is not None:
        signs = bool(authority) if certificate_signature is None else certificate_signature
        builder = builder.add_extension(_key_usage(digital_signature, signs), critical=True)
    if usages is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return Holder(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


def facts(*chain: Holder, key: PrivateKey | None = None) -> Facts:
    """Return what a signature by the first of `chain`, or by `key`, proves."""
    signer = key or chain[0].key
    scheme = Scheme.RSA_PKCS1_SHA256 if isinstance(signer, rsa.RSAPrivateKey) else Scheme.ECDSA_SHA256
    return Facts(
        public_key=signer.public_key(),
        scheme=scheme,
        signature=b"checked by the format",
        certificates=tuple(holder.certificate for holder in chain),
    )


def material(*chain: Holder, at: datetime = NOW, key: PrivateKey | None = None) -> Material:
    return Material(artifact="app-1.0.whl", format="sigstore", facts=facts(*chain, key=key), at=at)


def _key_usage(digital_signature: bool, certificate_signature: bool) -> x509.KeyUsage:  # noqa: FBT001 - two bits
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=not digital_signature,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificate_signature,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
