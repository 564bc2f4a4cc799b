"""One key of AWS KMS, ready to sign."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hatch_sign.remote import Exposure, KeyFacts, open_remote_key, parse_public_key_der, service_protection
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.display import display
from hatch_sign.values.errors import UnsupportedError
from hatch_sign_kms.aws.client import SERVICE, connect
from hatch_sign_kms.aws.reference import is_named_by, parse_aws_reference, require_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from hatch_sign.contract.backends import BackendContext, Signer
    from hatch_sign.values.protection import Protection
    from hatch_sign_kms.aws.client import Connection
    from hatch_sign_kms.aws.reference import AwsReference

MAX_MESSAGE = 4096
"""Bytes that ``Sign`` takes with ``MessageType=RAW``."""

_ALGORITHMS = {
    Scheme.ECDSA_SHA256: "ECDSA_SHA_256",
    Scheme.ECDSA_SHA384: "ECDSA_SHA_384",
    Scheme.ECDSA_SHA512: "ECDSA_SHA_512",
    Scheme.RSA_PKCS1_SHA256: "RSASSA_PKCS1_V1_5_SHA_256",
    Scheme.RSA_PKCS1_SHA384: "RSASSA_PKCS1_V1_5_SHA_384",
    Scheme.RSA_PKCS1_SHA512: "RSASSA_PKCS1_V1_5_SHA_512",
    Scheme.RSA_PSS_SHA256: "RSASSA_PSS_SHA_256",
    Scheme.RSA_PSS_SHA384: "RSASSA_PSS_SHA_384",
    Scheme.RSA_PSS_SHA512: "RSASSA_PSS_SHA_512",
    Scheme.ED25519: "ED25519_SHA_512",
}
"""What the service calls each scheme, best first. Its PSS salts are as long as the digest."""

_ORIGINS = {
    "AWS_KMS": ("in an HSM", None),
    "AWS_CLOUDHSM": ("in an AWS CloudHSM cluster", None),
    "EXTERNAL": ("in an HSM", Exposure.IMPORTED),
    "EXTERNAL_KEY_STORE": ("outside AWS", Exposure.EXTERNAL),
}
"""Where the service keeps keys of each origin, and what speaks against its word."""


@dataclass(slots=True)
class AwsKey:
    """A key of AWS KMS. `name` is what the reference says; its ARN is asked for once, and signs from then on.

    An alias that is turned to another key in the middle of a run changes nothing.
    """

    connection: Connection
    name: str
    arn: str = field(init=False, default="")

    def describe(self) -> KeyFacts:
        """Return the public key and its schemes. Raises UnsupportedError for a key that is not for signing."""
        answer = self.connection.ask("GetPublicKey", {"KeyId": self.name})
        usage = read_text(answer, "KeyUsage", self.connection)
        if usage != "SIGN_VERIFY":
            message = f"{self.connection.caller.key}: the key is for {display(usage)}, expected one for SIGN_VERIFY"
            raise UnsupportedError(message, remedy="name a key for signing; what a key is for cannot be changed")
        self.arn = read_text(answer, "KeyId", self.connection)
        if not is_named_by(self.arn, self.name):
            self.connection.caller.reject_answer("answered for another key than the one that was asked for")
        public_key = parse_public_key_der(_bytes(answer, "PublicKey", self.connection), self.connection.caller)
        offered = answer.get("SigningAlgorithms") or ()
        schemes = tuple(scheme for scheme, algorithm in _ALGORITHMS.items() if algorithm in offered)
        return KeyFacts(public_key, schemes, max_message=MAX_MESSAGE if Scheme.ED25519 in schemes else 0)

    def protection(self) -> Protection:
        """Return what the service says of the key's origin; needs ``kms:DescribeKey``."""
        metadata = self.connection.ask_for("DescribeKey", {"KeyId": self.arn}, "KeyMetadata")
        return read_protection(metadata, plain_channel=self.connection.plain_channel)

    def sign_digest(self, digest: bytes, scheme: Scheme) -> bytes:
        """Return the signature over `digest`."""
        return self._sign(digest, "DIGEST", scheme)

    def sign_message(self, message: bytes) -> bytes:
        """Return the Ed25519 signature over `message`, which crosses the network whole."""
        return self._sign(message, "RAW", Scheme.ED25519)

    def _sign(self, message: bytes, kind: str, scheme: Scheme) -> bytes:
        algorithm = _ALGORITHMS[scheme]
        arguments = {"KeyId": self.arn, "Message": message, "MessageType": kind, "SigningAlgorithm": algorithm}
        answer = self.connection.ask("Sign", arguments)
        if answer.get("KeyId") != self.arn or answer.get("SigningAlgorithm") != algorithm:
            self.connection.caller.reject_answer("signed with another key or algorithm than it was asked to")
        return _bytes(answer, "Signature", self.connection)


def read_protection(metadata: dict[str, Any], *, plain_channel: bool) -> Protection:
    """Return what the ``KeyMetadata`` of ``DescribeKey`` says of how a key is kept."""
    origin = metadata.get("Origin")
    place, exposure = _ORIGINS.get(str(origin), ("in a way that this version does not know", Exposure.UNSAID))
    claims = {
        "service": SERVICE,
        "arn": metadata.get("Arn"),
        "origin": origin,
        "key spec": metadata.get("KeySpec"),
        "key store": metadata.get("CustomKeyStoreId"),
        "key manager": metadata.get("KeyManager"),
        "multi-region": metadata.get("MultiRegion"),
        "created": metadata.get("CreationDate"),
    }
    return service_protection(place, claims, service=SERVICE, plain_channel=plain_channel, exposure=exposure)


def open_key(reference: str, context: BackendContext) -> AbstractContextManager[Signer]:
    """Return what looks the key up when it is entered. Raises ConfigurationError."""
    parsed = parse_aws_reference(reference)
    name = require_key(parsed)
    return open_remote_key(lambda: _connected(parsed, name, context), subject=parsed.text, context=context)


@contextmanager
def _connected(reference: AwsReference, name: str, context: BackendContext) -> Iterator[AwsKey]:
    with connect(reference, context) as connection:
        yield AwsKey(connection, name)


def _bytes(answer: dict[str, Any], name: str, connection: Connection) -> bytes:
    value = answer.get(name)
    if not isinstance(value, bytes):
        connection.caller.reject_answer(f"sent no {name}")
    return value


def read_text(answer: dict[str, Any], name: str, connection: Connection) -> str:
    """Return the text `name` of an answer. Raises CustodyError where there is none."""
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        connection.caller.reject_answer(f"sent no {name}")
    return value
