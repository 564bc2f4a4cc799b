"""Sketches of the two sorts of witness, with real keys: an authority that proves a time, and a log of signatures.

The authority answers with 8 bytes of time (seconds, UTC, big-endian), SHA-256 of the signature, and an Ed25519
signature over both. The log answers with the JSON of an entry whose body holds what it logged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hatch_sign.contract import Evidence, hookimpl
from hatch_sign.formats.strict_json import decode_base64, encode_base64, encode_json_text, parse_json
from hatch_sign.values.errors import MalformedError, WitnessError
from hatch_sign.values.public_keys import key_hint

if TYPE_CHECKING:
    from hatch_sign.contract import BackendContext, Witness, WitnessRequest
    from hatch_sign.contract.witnesses import EvidenceKind

_IMPRINT = slice(8, 40)
_SIGNED = slice(0, 40)
_SEAL = slice(40, None)


@dataclass(frozen=True)
class ToyAuthority:
    """A witness of the time: its clock is a constant, because the point is what it signs."""

    time: int = 1_770_000_000
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    kind: EvidenceKind = "timestamp"

    def attest(self, request: WitnessRequest) -> Evidence:
        signed = self.time.to_bytes(8, "big") + hashlib.sha256(request.signature).digest()
        return Evidence(self.kind, signed + self.key.sign(signed))

    def check(self, request: WitnessRequest, evidence: Evidence) -> None:
        _require_signed(self.key, evidence.data[_SEAL], evidence.data[_SIGNED], "the timestamp")
        if evidence.data[_IMPRINT] != hashlib.sha256(request.signature).digest():
            message = "the timestamp is over another signature"
            raise WitnessError(message)


@dataclass(frozen=True)
class ToyLog:
    """A log that promises to include what it was given."""

    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    kind: EvidenceKind = "log-entry"

    def attest(self, request: WitnessRequest) -> Evidence:
        body = _body(request)
        entry = {
            "logIndex": "7",
            "logId": {"keyId": encode_base64(b"toy log")},
            "kindVersion": {"kind": "toy", "version": "0.0.1"},
            "integratedTime": "1770000000",
            "inclusionPromise": {"signedEntryTimestamp": encode_base64(self.key.sign(body))},
            "canonicalizedBody": encode_base64(body),
        }
        return Evidence(self.kind, encode_json_text(entry))

    def check(self, request: WitnessRequest, evidence: Evidence) -> None:
        body, promise = _parse_entry(evidence.data)
        _require_signed(self.key, promise, body, "the log entry")
        if body != _body(request):
            message = "the log entry is about another signature"
            raise WitnessError(message)


class ToyProvider:
    """A WitnessProvider: connects to the one authority and the one log that it was made with."""

    name = "toy"

    def __init__(self, witnesses: dict[str, Witness] | None = None) -> None:
        self._witnesses = witnesses or {"toy:time": ToyAuthority(), "toy:log": ToyLog()}

    @contextmanager
    def connect(self, address: str, context: BackendContext) -> Iterator[Witness]:
        del context  # it needs no secret
        yield self._witnesses[address]


@hookimpl
def hatch_sign_register_witness() -> ToyProvider:
    return ToyProvider()


def _body(request: WitnessRequest) -> bytes:
    logged = (request.signature, request.digest, hashlib.sha256(request.envelope or b"").digest())
    return encode_json_text([*map(encode_base64, logged), request.scheme.label, key_hint(request.public_key)])


def _parse_entry(data: bytes) -> tuple[bytes, bytes]:
    try:
        entry: Any = parse_json(data, subject="the log entry")
        body = decode_base64(entry["canonicalizedBody"], at="canonicalizedBody")
        return body, decode_base64(entry["inclusionPromise"]["signedEntryTimestamp"], at="signedEntryTimestamp")
    except (MalformedError, LookupError, TypeError):
        message = "what the log answered is no entry"
        raise WitnessError(message) from None


def _require_signed(key: Ed25519PrivateKey, signature: bytes, message: bytes, subject: str) -> None:
    try:
        key.public_key().verify(signature, message)
    except InvalidSignature:
        reason = f"{subject} is not by this witness"
        raise WitnessError(reason) from None
