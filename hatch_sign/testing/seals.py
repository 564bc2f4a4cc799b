"""A seal for tests of formats: real keys in memory, signing and checking as the core does."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, utils

from hatch_sign.contract import Evidence, WitnessRequest
from hatch_sign.values.algorithms import DIGEST_SIZES, KeyAlgorithm, Scheme
from hatch_sign.values.errors import UnsupportedError, WrongSignatureError
from hatch_sign.values.public_keys import as_public_key, hash_algorithm, rsa_padding, verify_digest, verify_message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cryptography.x509 import Certificate

    from hatch_sign.contract import Witness
    from hatch_sign.values.artifacts import Release
    from hatch_sign.values.public_keys import PublicKey

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
"""A private key of the closed table."""

_CURVES = {
    KeyAlgorithm.ECDSA_P256: ec.SECP256R1(),
    KeyAlgorithm.ECDSA_P384: ec.SECP384R1(),
    KeyAlgorithm.ECDSA_P521: ec.SECP521R1(),
}


@cache
def private_key(algorithm: KeyAlgorithm, which: int = 0) -> PrivateKey:
    """Return a key of this kind, always the same for one number `which` within a process."""
    del which  # it only tells keys apart in the cache
    if algorithm is KeyAlgorithm.ED25519:
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm in _CURVES:
        return ec.generate_private_key(_CURVES[algorithm])
    return rsa.generate_private_key(65537, int(algorithm.value.removeprefix("rsa-")))


@dataclass(frozen=True)
class KeySeal:
    """A :class:`~hatch_sign.contract.Seal` over a private key in memory, which verifies each signature that it makes.

    `witnesses` are asked in turn, and what they answer is checked, as the core does. With `hashes_messages` it stands for a
    token that signs no digests.
    """

    key: PrivateKey
    scheme: Scheme
    certificates: Sequence[Certificate] = ()
    now: datetime = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
    release: Release | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] | None = None
    witnesses: Sequence[Witness] = ()
    hashes_messages: bool = False

    @property
    def public_key(self) -> PublicKey:
        """The public half of the key."""
        return as_public_key(self.key.public_key(), subject="the key of the test")

    @property
    def takes_digests(self) -> bool:
        """Whether `sign_digest` can be called."""
        return self.scheme.hash is not None and not self.hashes_messages

    def sign(self, message: bytes) -> bytes:
        """Return a checked signature over `message`."""
        if self.scheme.hash is not None:
            return self._sign_digest(hashlib.new(self.scheme.hash, message).digest())
        assert isinstance(self.key, ed25519.Ed25519PrivateKey)  # noqa: S101 - a seal's key fits its scheme
        made = self.key.sign(message)
        return _verified(made, valid=verify_message(self.public_key, made, message, self.scheme))

    def sign_digest(self, digest: bytes) -> bytes:
        """Return a checked signature. Raises UnsupportedError unless `takes_digests`, and for a digest of a wrong length."""
        if not self.takes_digests or len(digest) != DIGEST_SIZES[self.scheme.hash or ""]:
            message = f"{self.scheme.label} signs no digest of {len(digest)} bytes"
            raise UnsupportedError(message)
        return self._sign_digest(digest)

    def _sign_digest(self, digest: bytes) -> bytes:
        made = _sign_digest(self.key, digest, self.scheme)
        return _verified(made, valid=verify_digest(self.public_key, made, digest, self.scheme))

    def witness(self, signature: bytes, digest: bytes, envelope: bytes | None = None) -> Sequence[Evidence]:
        """Return the checked evidence of every witness."""
        request = WitnessRequest(signature, digest, self.scheme, self.public_key, tuple(self.certificates), envelope)
        return [_attested(witness, request) for witness in self.witnesses]


def _verified(made: bytes, *, valid: bool) -> bytes:
    if not valid:
        message = "the signature does not verify"
        raise WrongSignatureError(message)
    return made


def _attested(witness: Witness, request: WitnessRequest) -> Evidence:
    evidence = witness.attest(request)
    witness.check(request, evidence)
    return evidence


def _sign_digest(key: PrivateKey, digest: bytes, scheme: Scheme) -> bytes:
    algorithm = utils.Prehashed(hash_algorithm(str(scheme.hash)))
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(digest, rsa_padding(scheme), algorithm)
    assert isinstance(key, ec.EllipticCurvePrivateKey)  # noqa: S101 - as above
    return key.sign(digest, ec.ECDSA(algorithm))
