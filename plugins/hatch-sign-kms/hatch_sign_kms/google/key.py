"""One key of Google Cloud KMS: what it says of itself, and how it signs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hatch_sign.remote import KeyFacts
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.display import display
from hatch_sign.values.errors import KeyNotFoundError, UnsupportedError
from hatch_sign_kms.google.algorithms import LARGEST_MESSAGE, digest_info, schemes_of, signs_raw
from hatch_sign_kms.google.answers import check_signature, name_of, read_public_key
from hatch_sign_kms.google.checksum import crc32c
from hatch_sign_kms.google.keeping import describe_keeping

if TYPE_CHECKING:
    from google.cloud.kms_v1 import CryptoKeyVersion, KeyManagementServiceClient

    from hatch_sign.remote import ServiceCaller
    from hatch_sign.values.protection import Protection
    from hatch_sign_kms.google.references import GoogleReference

_PAGE = 1000
"""Versions in one answer, the most that the service gives."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A client of the service; `plain_channel` says that no TLS vouches for who is at the other end."""

    client: KeyManagementServiceClient
    plain_channel: bool


class GoogleKey:
    """A :class:`~hatch_sign.remote.RemoteKey`; asks through `caller`, which carries the policy for failures."""

    def __init__(self, connection: Connection, reference: GoogleReference, caller: ServiceCaller) -> None:
        self._client = connection.client
        self._plain_channel = connection.plain_channel
        self._reference = reference
        self._caller = caller
        self._version = reference.version or ""
        self._algorithm = ""
        self._level = ""

    @property
    def version(self) -> str:
        """The resource name of the version that was pinned; empty before :meth:`describe`."""
        return self._version

    def describe(self) -> KeyFacts:
        """Return the facts of the version that the reference names, or else of the newest enabled one."""
        self._version = self._version or self._newest_version()
        answer = self._caller.call(
            lambda: self._client.get_public_key(name=self._version, retry=None, timeout=self._caller.limits.read),
            permission="cloudkms.cryptoKeyVersions.viewPublicKey",
        )
        self._algorithm, self._level = name_of(answer.algorithm), name_of(answer.protection_level)
        schemes = schemes_of(self._algorithm)
        if not schemes:
            message = f"{self._reference.text}: the algorithm {display(self._algorithm)} is not one that hatch-sign signs by"
            raise UnsupportedError(message, remedy="use a key for asymmetric signing: ECDSA P-256 or P-384, RSA, Ed25519")
        public_key = read_public_key(answer, self._version, self._caller)
        return KeyFacts(public_key, schemes, LARGEST_MESSAGE if Scheme.ED25519 in schemes else 0)

    def protection(self) -> Protection:
        """Return how the version is kept; what only ``cryptoKeyVersions.get`` tells is missing without that permission."""
        version = self._caller.call(self._look)
        return describe_keeping(self._level, version, plain_channel=self._plain_channel)

    def sign_digest(self, digest: bytes, scheme: Scheme) -> bytes:
        """Return the signature over `digest`."""
        if signs_raw(self._algorithm):
            return self.sign_message(digest_info(digest, scheme))
        request = {"name": self._version, "digest": {scheme.hash: digest}, "digest_crc32c": crc32c(digest)}
        return self._sign(request)

    def sign_message(self, message: bytes) -> bytes:
        """Return the signature over `message`, which the service takes as it is."""
        return self._sign({"name": self._version, "data": message, "data_crc32c": crc32c(message)})

    def _sign(self, request: dict[str, object]) -> bytes:
        answer = self._caller.call(
            lambda: self._client.asymmetric_sign(request=request, retry=None, timeout=self._caller.limits.read),
            permission="cloudkms.cryptoKeyVersions.useToSign",
        )
        verified = answer.verified_data_crc32c if "data" in request else answer.verified_digest_crc32c
        return check_signature(answer, self._version, self._caller, verified=verified)

    def _newest_version(self) -> str:
        """Return the enabled version with the greatest number: the service orders names as text, 10 before 9."""
        versions = self._caller.call(self._enabled_versions, permission="cloudkms.cryptoKeyVersions.list")
        if not versions:
            message = f"{self._reference.text}: the key has no enabled version"
            raise KeyNotFoundError(message, remedy="enable one, or make a new one")
        return max(versions, key=_number)

    def _enabled_versions(self) -> list[str]:
        request = {"parent": self._reference.key, "filter": "state=ENABLED", "page_size": _PAGE}
        pages = self._client.list_crypto_key_versions(request=request, retry=None, timeout=self._caller.limits.read)
        return [version.name for version in pages]

    def _look(self) -> CryptoKeyVersion | None:
        from google.api_core.exceptions import PermissionDenied  # noqa: PLC0415 - comes with the SDK

        try:
            return self._client.get_crypto_key_version(name=self._version, retry=None, timeout=self._caller.limits.read)
        except PermissionDenied:
            return None  # The usual role for signing, signerVerifier, is without it.


def _number(version: str) -> int:
    last = version.rpartition("/")[2]
    return int(last) if last.isascii() and last.isdecimal() else 0
