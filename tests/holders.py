"""Private keys of the tests, and the certificates that their holders show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

if TYPE_CHECKING:
    from cryptography import x509

    from tests.authority import Authority

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey

_CURVES: Mapping[str, type[ec.EllipticCurve]] = {
    "ecdsa-p256": ec.SECP256R1,
    "ecdsa-p384": ec.SECP384R1,
    "ecdsa-p521": ec.SECP521R1,
}


def make_key(algorithm: str) -> PrivateKey:
    """Return a new key: ``ecdsa-p256``, ``ecdsa-p384``, ``ecdsa-p521``, ``ed25519``, or ``rsa-`` and its bits."""
    if algorithm == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm.startswith("rsa-"):
        return rsa.generate_private_key(65537, int(algorithm.removeprefix("rsa-")))
    return ec.generate_private_key(_CURVES[algorithm]())


@cache
def rsa_key(bits: int, label: str = "") -> rsa.RSAPrivateKey:  # noqa: ARG001 - tells keys apart
    """Return the same key each time for the same `bits` and `label`."""
    return rsa.generate_private_key(65537, bits)


@dataclass(frozen=True)
class Holder:
    """A private key and its certificates, leaf first and without the root, which `authority` may lead up to."""

    key: PrivateKey
    certificates: tuple[x509.Certificate, ...]
    root: x509.Certificate
    authority: Authority | None = None

    @property
    def certificate(self) -> x509.Certificate:
        return self.certificates[0]

    @property
    def pem(self) -> bytes:
        """Return the certificates in PEM, leaf first and without the root."""
        return chain_pem(*self.certificates)

    @property
    def key_pem(self) -> bytes:
        return private_pem(self.key)

    def write(self, folder: Path, stem: str = "signer") -> HolderFiles:
        """Write everything into `folder`, as programs want it."""
        names = ("key.pem", "chain.pem", "above.pem", "root.pem", "both.p12")
        files = HolderFiles(*(folder / f"{stem}-{each}" for each in names))
        files.key.write_bytes(self.key_pem)
        files.chain.write_bytes(self.pem)
        files.above.write_bytes(chain_pem(*self.certificates[1:]))
        files.root.write_bytes(chain_pem(self.root))
        files.pkcs12.write_bytes(self.pkcs12())
        return files

    def pkcs12(self, password: str = "secret") -> bytes:  # noqa: S107 - it guards nothing
        how = BestAvailableEncryption(password.encode())
        return pkcs12.serialize_key_and_certificates(b"signer", self.key, self.certificate, self.certificates[1:], how)


@dataclass(frozen=True)
class HolderFiles:
    """Files in PEM, and one in PKCS #12 under the password ``secret``; `above` is the chain without the leaf."""

    key: Path
    chain: Path
    above: Path
    root: Path
    pkcs12: Path


def chain_pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates)


def private_pem(key: PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
