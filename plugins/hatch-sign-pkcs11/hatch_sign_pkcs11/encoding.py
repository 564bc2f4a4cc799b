"""What PKCS#11 encodes in ways of its own: public keys, curves, signatures, DigestInfo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, utils

from hatch_sign.values.algorithms import KeyAlgorithm

if TYPE_CHECKING:
    from hatch_sign.values.public_keys import PublicKey

CURVE_PARAMETERS = {
    KeyAlgorithm.ECDSA_P256: bytes.fromhex("06082a8648ce3d030107"),
    KeyAlgorithm.ECDSA_P384: bytes.fromhex("06052b81040022"),
    KeyAlgorithm.ECDSA_P521: bytes.fromhex("06052b81040023"),
    KeyAlgorithm.ED25519: bytes.fromhex("06032b6570"),
}
"""CKA_EC_PARAMS of a named curve: its object identifier in DER (RFC 5480 §2.1.1.1, RFC 8410 §3)."""

ED25519_BY_NAME = bytes.fromhex("130c656477617264733235353139")
"""The same for Ed25519 as a PrintableString, ``edwards25519`` (PKCS#11 v3.0 current §2.3.10), which some tokens prefer."""

_CURVES = {
    CURVE_PARAMETERS[KeyAlgorithm.ECDSA_P256]: ec.SECP256R1(),
    CURVE_PARAMETERS[KeyAlgorithm.ECDSA_P384]: ec.SECP384R1(),
    CURVE_PARAMETERS[KeyAlgorithm.ECDSA_P521]: ec.SECP521R1(),
}
_ED25519 = frozenset({CURVE_PARAMETERS[KeyAlgorithm.ED25519], ED25519_BY_NAME})
_OCTET_STRING = 0x04
_LONG_FORM = 0x80
_ED25519_SIZE = 32

_DIGEST_INFO = {
    "sha256": bytes.fromhex("3031300d060960864801650304020105000420"),
    "sha384": bytes.fromhex("3041300d060960864801650304020205000430"),
    "sha512": bytes.fromhex("3051300d060960864801650304020305000440"),
}
"""What stands before the digest in a DigestInfo (RFC 8017 §9.2, note 1)."""


def rsa_public_key(modulus: bytes, exponent: bytes) -> PublicKey:
    """Return the key of CKA_MODULUS and CKA_PUBLIC_EXPONENT, big-endian. Raises ValueError."""
    numbers = rsa.RSAPublicNumbers(int.from_bytes(exponent, "big"), int.from_bytes(modulus, "big"))
    return numbers.public_key()


def curve_public_key(parameters: bytes, point: bytes) -> PublicKey:
    """Return the key of CKA_EC_PARAMS and CKA_EC_POINT, which is an OCTET STRING, or with some tokens what is in one.

    Raises ValueError for another curve than P-256, P-384, P-521 and Ed25519, and for a point that is none.
    """
    if parameters in _ED25519:
        return ed25519.Ed25519PublicKey.from_public_bytes(_unwrap(point, _ED25519_SIZE))
    if parameters not in _CURVES:
        message = f"the curve {parameters.hex()}"
        raise ValueError(message)
    curve = _CURVES[parameters]
    return ec.EllipticCurvePublicKey.from_encoded_point(curve, _unwrap(point, 1 + 2 * _coordinate_size(curve)))


def ecdsa_signature(raw: bytes, key: ec.EllipticCurvePublicKey) -> bytes:
    """Return ``r‖s`` as DER (PKCS#11 v2.40 current §2.3.1, RFC 3279 §2.2.3). Raises ValueError for a wrong length."""
    size = _coordinate_size(key.curve)
    if len(raw) != 2 * size:
        message = f"an ECDSA signature of {len(raw)} bytes"
        raise ValueError(message)
    return utils.encode_dss_signature(int.from_bytes(raw[:size], "big"), int.from_bytes(raw[size:], "big"))


def digest_info(digest: bytes, hash_name: str) -> bytes:
    """Return the DigestInfo that CKM_RSA_PKCS pads and signs."""
    return _DIGEST_INFO[hash_name] + digest


def _coordinate_size(curve: ec.EllipticCurve) -> int:
    return (curve.key_size + 7) // 8


def _unwrap(point: bytes, size: int) -> bytes:
    """Return the point out of its OCTET STRING; one that came bare is told apart by its length."""
    if len(point) == size:
        return point
    header = len(point) - size
    lengths = {2: bytes([_OCTET_STRING, size]), 3: bytes([_OCTET_STRING, _LONG_FORM | 1, size])}
    if point[:header] != lengths.get(header):
        message = f"a point of {len(point)} bytes"
        raise ValueError(message)
    return point[header:]
