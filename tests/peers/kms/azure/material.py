"""The keys behind the stand-in for Azure Key Vault, as JSON Web Keys (RFC 7517)."""

from __future__ import annotations

import base64
import secrets
import time
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

if TYPE_CHECKING:
    from collections.abc import Mapping

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_CURVES: Mapping[str, type[ec.EllipticCurve]] = {
    "P-256": ec.SECP256R1,
    "P-384": ec.SECP384R1,
    "P-521": ec.SECP521R1,
    "P-256K": ec.SECP256K1,
}
_HASHES: Mapping[str, hashes.HashAlgorithm] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
_EC_ALGORITHMS = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512", "secp256k1": "ES256K"}
_OPERATIONS = ["sign", "verify"]


@dataclass
class Key:
    """One version of a key."""

    name: str
    kty: str
    private: PrivateKey
    attributes: Mapping[str, object] = field(default_factory=dict)
    version: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def key_ops(self) -> list[str]:
        given = self.attributes.get("key_ops")
        return [str(operation) for operation in given] if isinstance(given, list) else _OPERATIONS

    @property
    def managed(self) -> bool:
        return bool(self.attributes.get("managed"))

    def allows(self, algorithm: str) -> bool:
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            return algorithm == _EC_ALGORITHMS[self.private.curve.name]
        return algorithm[:2] in {"RS", "PS"} and algorithm[2:] in _HASHES

    def sign(self, algorithm: str, digest: bytes) -> bytes:
        hashed = _HASHES[algorithm[2:5]]
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            size = (self.private.key_size + 7) // 8
            r, s = utils.decode_dss_signature(self.private.sign(digest, ec.ECDSA(utils.Prehashed(hashed))))
            return r.to_bytes(size, "big") + s.to_bytes(size, "big")
        pss = padding.PSS(padding.MGF1(hashed), hashed.digest_size)
        return self.private.sign(digest, pss if algorithm.startswith("PS") else padding.PKCS1v15(), utils.Prehashed(hashed))

    def described(self) -> dict[str, object]:
        own = {name: value for name, value in self.attributes.items() if name not in {"managed", "key_ops"}}
        platform = "2" if self.kty.endswith("-HSM") else "0"
        fixed = {"enabled": True, "created": int(time.time()), "recoveryLevel": "Recoverable", "hsmPlatform": platform}
        return fixed | {"exportable": False} | own

    def bundle(self, kid: str) -> dict[str, object]:
        jwk: dict[str, object] = {"kid": kid, "kty": self.kty, "key_ops": self.key_ops, **_public_part(self.private)}
        return {"key": jwk, "attributes": self.described()}


def make_private_key(kty: str, kind: str) -> PrivateKey:
    """Make the private half: `kind` is a curve, or the size of an RSA key, which is taken from a small stock."""
    return ec.generate_private_key(_CURVES[kind]()) if kty.startswith("EC") else _rsa_key(int(kind))


def encode(data: bytes) -> str:
    """Return base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@cache
def _rsa_key(size: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, size)


def _public_part(private: PrivateKey) -> dict[str, str]:
    numbers = private.public_key().public_numbers()
    if isinstance(numbers, ec.EllipticCurvePublicNumbers):
        curve = next(name for name, kind in _CURVES.items() if kind().name == numbers.curve.name)
        size = (numbers.curve.key_size + 7) // 8
        return {"crv": curve, "x": encode(numbers.x.to_bytes(size, "big")), "y": encode(numbers.y.to_bytes(size, "big"))}
    size = (private.key_size + 7) // 8
    return {"n": encode(numbers.n.to_bytes(size, "big")), "e": encode(numbers.e.to_bytes(3, "big"))}
