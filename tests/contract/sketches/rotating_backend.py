"""A sketch of a cloud service whose certificate lives for days: it answers with the leaf that it signed with."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from hatch_sign.values.errors import CredentialRotatedError, CustodyError, UnsupportedError
from hatch_sign.values.protection import Protection, ProtectionLevel
from hatch_sign.values.public_keys import PublicKey, schemes_of_key

from .software_keys import PrivateKey, algorithm_of, sign_digest, software_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from hatch_sign.contract.backends import BackendContext, Signer
    from hatch_sign.values.algorithms import KeyAlgorithm, Scheme


@dataclass
class RotatingService:
    """The service itself: one profile for each kind of key."""

    generation: int = 0
    leaves: dict[tuple[KeyAlgorithm, int], x509.Certificate] = field(default_factory=dict)

    def key(self, algorithm: KeyAlgorithm) -> PrivateKey:
        return software_key(algorithm, self.generation)

    def leaf(self, algorithm: KeyAlgorithm) -> x509.Certificate:
        wanted = (algorithm, self.generation)
        if wanted not in self.leaves:
            self.leaves[wanted] = _certify(self.key(algorithm), self.generation)
        return self.leaves[wanted]

    def sign(self, algorithm: KeyAlgorithm, digest: bytes, scheme: Scheme) -> tuple[bytes, x509.Certificate]:
        return sign_digest(self.key(algorithm), digest, scheme), self.leaf(algorithm)


class RotatingSigner:
    """Remembers the leaf that it announced."""

    concurrency = 8
    max_message = 0
    protection = Protection(ProtectionLevel.PROVIDER_ASSERTED, "a sketch")

    def __init__(self, service: RotatingService, algorithm: KeyAlgorithm) -> None:
        self._service: RotatingService | None = service
        self._algorithm = algorithm
        self._leaf = service.leaf(algorithm)

    @property
    def public_key(self) -> PublicKey:
        return self._leaf.public_key()  # type: ignore[return-value] # of the closed table, as the service made it

    @property
    def certificates(self) -> Sequence[x509.Certificate]:
        return (self._leaf,)

    @property
    def schemes(self) -> Sequence[Scheme]:
        return schemes_of_key(self.public_key)

    def sign_digest(self, digest: bytes, scheme: Scheme) -> bytes:
        if self._service is None:
            message = "rotating: signed out"
            raise CustodyError(message)
        if scheme not in self.schemes:
            message = f"rotating: the profile does not sign by {scheme.label}"
            raise UnsupportedError(message)
        signature, leaf = self._service.sign(self._algorithm, digest, scheme)
        if leaf != self._leaf:
            self._leaf = leaf
            message = "rotating: the service signed with another certificate"
            raise CredentialRotatedError(message)
        return signature

    def sign_message(self, message: bytes) -> bytes:
        text = f"rotating: {len(message)} bytes; it signs digests"
        raise UnsupportedError(text)

    def sign_out(self) -> None:
        self._service = None

    def __reduce__(self) -> NoReturn:
        message = "a session cannot be copied"
        raise TypeError(message)


class RotatingBackend:
    """Opens ``rotating:ALGORITHM``; the environment signs in, and no secret is asked for."""

    name = "rotating"
    uri_schemes = ("rotating",)

    def __init__(self, service: RotatingService) -> None:
        self._service = service

    def open(self, reference: str, context: BackendContext) -> AbstractContextManager[Signer]:  # noqa: ARG002 (the port's)
        return _sign_in(self._service, algorithm_of(reference))


@contextmanager
def _sign_in(service: RotatingService, algorithm: KeyAlgorithm) -> Iterator[RotatingSigner]:
    signer = RotatingSigner(service, algorithm)
    try:
        yield signer
    finally:
        signer.sign_out()


def _certify(key: PrivateKey, serial: int) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "rotating")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), serial + 1, start, start.replace(year=2027))
    return builder.sign(key, hashes.SHA256())
