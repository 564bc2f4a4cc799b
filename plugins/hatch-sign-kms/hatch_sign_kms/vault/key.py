"""One version of a transit key, ready to sign."""

from __future__ import annotations

import base64
import binascii
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hatch_sign.remote import Failure, FailureKind, KeyFacts, open_remote_key, parse_public_key_pem
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.errors import UnsupportedError
from hatch_sign.values.public_keys import schemes_of_key
from hatch_sign_kms.vault.connection import connect
from hatch_sign_kms.vault.keeping import describe_keeping
from hatch_sign_kms.vault.reference import parse_vault_reference, require_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from cryptography.x509 import Certificate

    from hatch_sign.contract.backends import BackendContext, Signer
    from hatch_sign.remote import ServiceCaller
    from hatch_sign.values.protection import Protection
    from hatch_sign.values.public_keys import PublicKey
    from hatch_sign_kms.vault.connection import Connection
    from hatch_sign_kms.vault.reference import VaultReference

MAX_MESSAGE = 2**20
"""Bytes of the longest message for Ed25519. A server takes requests of 32 MiB unless it is told otherwise; a message
grows by a third on the way, and no statement of ours is near this."""

_SIGNATURE = re.compile(r"vault:v([0-9]{1,9}):([A-Za-z0-9+/]+={0,2})\Z")
_ED25519_SIZE = 32
_PADDINGS = {
    "rsa-pkcs1": {"signature_algorithm": "pkcs1v15"},
    "rsa-pss": {"signature_algorithm": "pss", "salt_length": "hash"},
}


@dataclass(slots=True)
class VaultKey:
    """A transit key; its version is pinned when it is described, and every signature is held against it."""

    connection: Connection
    name: str
    wanted_version: int | None = None
    version: int = field(init=False, default=0)
    _read: Mapping[str, Any] = field(init=False, default_factory=dict)

    def describe(self) -> KeyFacts:
        """Return the public key of the version, and the chain that the server holds for it.

        Raises UnsupportedError for a key that does not sign, or whose signatures depend on a context.
        """
        self._read = self.connection.transit("get", f"keys/{self.name}")
        caller = self.connection.caller
        signs = self._read.get("supports_signing")
        if not isinstance(signs, bool):
            caller.reject_answer("sent no key")
        if not signs or self._read.get("derived"):
            message = f"{caller.key}: the key is not one that signs releases: it does not sign, or is derived from a context"
            raise UnsupportedError(message, remedy="make one of type ecdsa-p256, and name that")
        self.version = self.wanted_version or _number(self._read.get("latest_version"), caller)
        entry = self._entry()
        public_key = _parse_public_key(entry, caller)
        schemes = schemes_of_key(public_key)
        chain = _parse_chain(entry.get("certificate_chain"), caller)
        return KeyFacts(public_key, schemes, MAX_MESSAGE if Scheme.ED25519 in schemes else 0, chain)

    def protection(self) -> Protection:
        """Return what the server says of the key; it was read with the public key."""
        connection = self.connection
        return describe_keeping(
            self._read, self.version, service=connection.caller.service, plain_channel=connection.plain_channel
        )

    def sign_digest(self, digest: bytes, scheme: Scheme) -> bytes:
        """Return the signature over `digest`; an RSA-PSS salt is as long as the digest."""
        options = _PADDINGS.get(scheme.family, {"marshaling_algorithm": "asn1"})
        hash_name = f"sha2-{(scheme.hash or '').removeprefix('sha')}"
        return self._sign(digest, {"prehashed": True, "hash_algorithm": hash_name, **options})

    def sign_message(self, message: bytes) -> bytes:
        """Return the Ed25519 signature over `message`, which crosses the network whole."""
        return self._sign(message, {})

    def _sign(self, content: bytes, options: Mapping[str, object]) -> bytes:
        request = {"input": base64.b64encode(content).decode("ascii"), "key_version": self.version, **options}
        answer = self.connection.transit("post", f"sign/{self.name}", request).get("signature")
        match = _SIGNATURE.match(answer) if isinstance(answer, str) else None
        if match is None:
            self.connection.caller.reject_answer("sent no signature")
        if int(match[1]) != self.version:
            self.connection.caller.reject_answer("signed with another version of the key than it was asked to")
        try:
            return base64.b64decode(match[2], validate=True)
        except binascii.Error:
            self.connection.caller.reject_answer("sent a signature that is not base64")

    def _entry(self) -> Mapping[str, Any]:
        versions = self._read.get("keys")
        entry = versions.get(str(self.version)) if isinstance(versions, dict) else None
        if not isinstance(entry, dict):
            raise self.connection.caller.error(
                Failure(FailureKind.MISSING, found=f"has no version {self.version} of the key")
            )
        return entry


def open_key(reference: str, context: BackendContext) -> AbstractContextManager[Signer]:
    """Return what logs in when it is entered. Raises ConfigurationError."""
    parsed = parse_vault_reference(reference)
    name = require_name(parsed)
    return open_remote_key(lambda: _connected(parsed, name, context), subject=parsed.text, context=context)


@contextmanager
def _connected(reference: VaultReference, name: str, context: BackendContext) -> Iterator[VaultKey]:
    with connect(reference, context) as connection:
        yield VaultKey(connection, name, reference.version)


def _number(value: object, caller: ServiceCaller) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        caller.reject_answer("sent no version of the key")
    return value


def _parse_public_key(entry: Mapping[str, Any], caller: ServiceCaller) -> PublicKey:
    text = entry.get("public_key")
    if not isinstance(text, str) or not text:
        caller.reject_answer("sent no public key")
    if text.startswith("-----"):
        return parse_public_key_pem(text.encode(errors="replace"), caller)
    # Ed25519 keys come bare, in base64.
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415 - for these only

    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:  # not base64, or not even ASCII
        raw = b""
    if len(raw) != _ED25519_SIZE:
        caller.reject_answer("sent a public key that cannot be read")
    return Ed25519PublicKey.from_public_bytes(raw)


def _parse_chain(chain: object, caller: ServiceCaller) -> tuple[Certificate, ...]:
    if not chain:
        return ()
    from cryptography.x509 import load_pem_x509_certificates  # noqa: PLC0415 - 40 ms, for keys with certificates only

    try:
        return tuple(load_pem_x509_certificates(str(chain).encode()))
    except ValueError:
        caller.reject_answer("sent a certificate chain that cannot be read")
