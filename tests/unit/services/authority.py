"""A certificate authority of the tests: certificates of servers, of clients, and of keys that sign."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from tests import authority
from tests.authority import PrivateKey, chain_pem

if TYPE_CHECKING:
    from pathlib import Path


class Authority(authority.Authority):
    """An authority whose certificates are for any use."""

    def __init__(self, title: str = "Test Root", above: Authority | None = None) -> None:
        super().__init__(title, above=above)

    def certify(self, common: str, key: PrivateKey) -> x509.Certificate:
        """Return a certificate of the public half of `key`, whose subject is that common name alone."""
        return self.issue(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)]), key, usage=None)


def write_pair(path: Path, certificate: x509.Certificate, key: PrivateKey, *, password: str | None = None) -> Path:
    """Write a certificate and its key into one PEM file, as TLS wants them."""
    how: KeySerializationEncryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    path.write_bytes(chain_pem(certificate) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how))
    return path


def write_chain(path: Path, *certificates: x509.Certificate) -> Path:
    path.write_bytes(chain_pem(*certificates))
    return path
