"""A signer in the shape of cryptography's private keys, so that its builders sign inside the token.

``CertificateSigningRequestBuilder``, ``CertificateBuilder`` and ``PKCS7SignatureBuilder`` accept these objects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

from hatch_sign.values.algorithms import DIGEST_SIZES, Scheme
from hatch_sign.values.errors import UnsupportedError

if TYPE_CHECKING:
    from cryptography.utils import Buffer

    from hatch_sign.custody.checked_signer import CheckedSigner
    from hatch_sign.values.public_keys import PublicKey

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
"""A private key of the closed table."""

_HashChoice = hashes.HashAlgorithm | utils.Prehashed


def as_private_key(signer: CheckedSigner) -> PrivateKey:
    """Return `signer` as a private key of its kind.

    What it signs is checked as everything that `signer` signs. Whatever would take the key out of its token, or use it
    otherwise than to sign, raises UnsupportedError, as does a padding or hash outside the closed table.
    """
    key = signer.public_key
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _EllipticCurveKey(signer, key)
    if isinstance(key, rsa.RSAPublicKey):
        return _RSAKey(signer, key)
    return _Ed25519Key(signer, key)


class _KeyInToken:
    """Everything but signing, refused in one place."""

    def __init__(self, signer: CheckedSigner, key: PublicKey) -> None:
        self._signer = signer
        self._public_key = key

    def refuse(self, *_arguments: object, **_options: object) -> NoReturn:
        """Raise UnsupportedError."""
        message = f"{self._signer.reference}: the key does not leave its token, and does nothing but sign"
        raise UnsupportedError(message)

    private_bytes = private_numbers = refuse
    __copy__ = __deepcopy__ = __reduce__ = __reduce_ex__ = refuse


class _EllipticCurveKey(_KeyInToken, ec.EllipticCurvePrivateKey):
    _public_key: ec.EllipticCurvePublicKey
    exchange = _KeyInToken.refuse

    @property
    def curve(self) -> ec.EllipticCurve:
        return self._public_key.curve

    @property
    def key_size(self) -> int:
        return self._public_key.key_size

    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self._public_key

    def sign(self, data: Buffer, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        if not isinstance(signature_algorithm, ec.ECDSA) or signature_algorithm.deterministic_signing:
            message = f"{self._signer.reference}: only plain ECDSA is supported, its nonce drawn by the token"
            raise UnsupportedError(message)
        return _sign(self._signer, data, "ecdsa", signature_algorithm.algorithm)


class _RSAKey(_KeyInToken, rsa.RSAPrivateKey):
    _public_key: rsa.RSAPublicKey
    decrypt = _KeyInToken.refuse

    @property
    def key_size(self) -> int:
        return self._public_key.key_size

    def public_key(self) -> rsa.RSAPublicKey:
        return self._public_key

    def sign(self, data: Buffer, padding: padding.AsymmetricPadding, algorithm: object) -> bytes:
        if isinstance(algorithm, hashes.HashAlgorithm | utils.Prehashed):
            return _sign(self._signer, data, _padding_family(padding, algorithm, self._signer.reference), algorithm)
        message = f"{self._signer.reference}: a bare PKCS#1 block without its hash is not signed"
        raise UnsupportedError(message)


class _Ed25519Key(_KeyInToken, ed25519.Ed25519PrivateKey):
    _public_key: ed25519.Ed25519PublicKey
    private_bytes_raw = _KeyInToken.refuse

    def public_key(self) -> ed25519.Ed25519PublicKey:
        return self._public_key

    def sign(self, data: Buffer) -> bytes:
        return self._signer.sign(bytes(data), Scheme.ED25519)


def _sign(signer: CheckedSigner, data: Buffer, family: str, algorithm: _HashChoice) -> bytes:
    scheme = _scheme(family, _hash_of(algorithm).name, signer.reference)
    if isinstance(algorithm, utils.Prehashed):
        return signer.sign_digest(bytes(data), scheme)
    return signer.sign(bytes(data), scheme)


def _scheme(family: str, name: str, reference: str) -> Scheme:
    try:
        return Scheme((family, name))
    except ValueError:
        message = f"{reference}: {family} with {name} is not supported"
    raise UnsupportedError(message, remedy=f"use {', '.join(DIGEST_SIZES)}")


def _hash_of(algorithm: _HashChoice) -> hashes.HashAlgorithm:
    # Prehashed tells its hash to nobody but the library itself.
    return algorithm._algorithm if isinstance(algorithm, utils.Prehashed) else algorithm  # noqa: SLF001 - as said above


def _padding_family(chosen: padding.AsymmetricPadding, algorithm: _HashChoice, reference: str) -> str:
    if isinstance(chosen, padding.PKCS1v15):
        return "rsa-pkcs1"
    digest = _hash_of(algorithm)
    if isinstance(chosen, padding.PSS) and _is_plain_pss(chosen, digest):
        return "rsa-pss"
    message = f"{reference}: the RSA padding is neither PKCS#1 v1.5 nor PSS with MGF1, one hash and a salt of its length"
    raise UnsupportedError(message)


def _is_plain_pss(chosen: padding.PSS, digest: hashes.HashAlgorithm) -> bool:
    lengths = (digest.digest_size, padding.PSS.DIGEST_LENGTH)
    return any(chosen == padding.PSS(padding.MGF1(digest), length) for length in lengths)
