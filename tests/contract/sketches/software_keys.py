"""Keys in memory, for sketches of backends that are about something else."""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, utils

from hatch_sign.contract.references import parse_reference
from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.errors import KeyNotFoundError, UnsupportedError
from hatch_sign.values.public_keys import hash_algorithm, rsa_padding

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

_CURVES: dict[KeyAlgorithm, type[ec.SECP256R1 | ec.SECP384R1 | ec.SECP521R1]] = {
    KeyAlgorithm.ECDSA_P256: ec.SECP256R1,
    KeyAlgorithm.ECDSA_P384: ec.SECP384R1,
    KeyAlgorithm.ECDSA_P521: ec.SECP521R1,
}


@cache
def software_key(algorithm: KeyAlgorithm, generation: int = 0) -> PrivateKey:  # noqa: ARG001 (tells keys apart in the cache)
    """Return the one key of a kind and generation in this process."""
    if algorithm in _CURVES:
        return ec.generate_private_key(_CURVES[algorithm]())
    if algorithm is KeyAlgorithm.ED25519:
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(65537, int(algorithm.value.removeprefix("rsa-")))


def algorithm_of(reference: str) -> KeyAlgorithm:
    """Return the kind of key that ``SCHEME:ALGORITHM`` names."""
    parsed = parse_reference(reference)
    try:
        return KeyAlgorithm(parsed.path)
    except ValueError:
        message = f"{parsed.name}: no such key"
    raise KeyNotFoundError(message)


def sign_digest(key: PrivateKey, digest: bytes, scheme: Scheme) -> bytes:
    """Sign, or refuse what does not fit."""
    if scheme.hash is not None and isinstance(key, ec.EllipticCurvePrivateKey) and scheme.family == "ecdsa":
        return key.sign(digest, ec.ECDSA(utils.Prehashed(hash_algorithm(scheme.hash))))
    if scheme.hash is not None and isinstance(key, rsa.RSAPrivateKey) and scheme.family.startswith("rsa"):
        return key.sign(digest, rsa_padding(scheme), utils.Prehashed(hash_algorithm(scheme.hash)))
    message = f"the key does not sign by {scheme.label}"
    raise UnsupportedError(message)


def sign_message(key: PrivateKey, message: bytes) -> bytes:
    """Sign, or refuse what does not fit."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message)
    text = "the key signs digests"
    raise UnsupportedError(text)
