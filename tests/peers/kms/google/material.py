"""The keys behind the stand-in for Google Cloud KMS: one algorithm each, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from google.cloud import kms_v1

if TYPE_CHECKING:
    from collections.abc import Mapping

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
_HASHES: Mapping[str, type[hashes.SHA256 | hashes.SHA384 | hashes.SHA512]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
_CURVES: Mapping[str, type[ec.SECP256R1 | ec.SECP384R1 | ec.SECP256K1]] = {
    "EC_SIGN_P256_SHA256": ec.SECP256R1,
    "EC_SIGN_P384_SHA384": ec.SECP384R1,
    "EC_SIGN_SECP256K1_SHA256": ec.SECP256K1,
}


@dataclass(frozen=True)
class Material:
    """A private key, and the algorithm that its version is of."""

    algorithm: str
    private: PrivateKey

    @property
    def hash(self) -> str | None:
        """The hash whose digests it signs; None where it signs data as it is."""
        last = self.algorithm.rpartition("_")[2].lower()
        return last if last in _HASHES else None

    def public_pem(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, data: bytes, *, prehashed: bool) -> bytes:
        """Sign `data`. Raises ValueError for what the service would refuse as an invalid argument."""
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            return self.private.sign(data)
        if self.hash is None and isinstance(self.private, rsa.RSAPrivateKey):
            return _sign_raw(self.private, data)
        algorithm = _HASHES[self.hash or ""]()
        hashed: hashes.HashAlgorithm | utils.Prehashed = utils.Prehashed(algorithm) if prehashed else algorithm
        if prehashed and len(data) != algorithm.digest_size:
            message = f"The digest has {len(data)} bytes, and {algorithm.digest_size} were expected."
            raise ValueError(message)
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            return self.private.sign(data, ec.ECDSA(hashed))
        if "_PSS_" in self.algorithm:
            return self.private.sign(data, padding.PSS(padding.MGF1(algorithm), algorithm.digest_size), hashed)
        return self.private.sign(data, padding.PKCS1v15(), hashed)


def make_material(algorithm: int) -> Material:
    """Make the key of a version of `algorithm`; RSA keys are taken from a small stock, for they take long to make."""
    name = kms_v1.CryptoKeyVersion.CryptoKeyVersionAlgorithm(algorithm).name
    if name == "EC_SIGN_ED25519":
        return Material(name, ed25519.Ed25519PrivateKey.generate())
    if name in _CURVES:
        return Material(name, ec.generate_private_key(_CURVES[name]()))
    return Material(name, rsa_key(next(size for size in (2048, 3072, 4096) if str(size) in name)))


@cache
def rsa_key(size: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, size)


def crc32c(data: bytes) -> int:
    """Return the CRC-32C of `data`, bit by bit (RFC 3720 appendix B.4): another way than the one it checks."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def _sign_raw(private: rsa.RSAPrivateKey, data: bytes) -> bytes:
    """Pad as PKCS#1 v1.5 block type 1 (RFC 8017 §9.2 step 5), without a DigestInfo of its own."""
    size = private.key_size // 8
    if len(data) > size - 11:
        message = "The data is too long for the key."
        raise ValueError(message)
    block = b"\0\1" + b"\xff" * (size - 3 - len(data)) + b"\0" + data
    numbers = private.private_numbers()
    power = pow(int.from_bytes(block, "big"), numbers.d, numbers.public_numbers.n)
    return power.to_bytes(size, "big")
