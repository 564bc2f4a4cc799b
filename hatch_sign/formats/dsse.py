"""DSSE: a signed payload together with its type (https://github.com/secure-systems-lab/dsse, protocol 1.0)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hatch_sign.formats.strict_json import as_list, as_object, decode_base64, encode_base64, field, optional_field

_MEMBERS = frozenset({"payload", "payloadType", "signatures"})
_SIGNATURE_MEMBERS = frozenset({"sig", "keyid"})


@dataclass(frozen=True, slots=True)
class Envelope:
    """One payload, its media type, and the one signature over both."""

    payload: bytes
    payload_type: str
    signature: bytes


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """Return the bytes that are signed: type and payload, each after its length in bytes (DSSE protocol, "PAE")."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def encode_envelope(envelope: Envelope) -> dict[str, Any]:
    """Return the envelope as a JSON object.

    The key's id stays empty: cosign passes over a signature whose id is neither empty nor its own kind of fingerprint.
    """
    return {
        "payload": encode_base64(envelope.payload),
        "payloadType": envelope.payload_type,
        "signatures": [{"sig": encode_base64(envelope.signature), "keyid": ""}],
    }


def parse_envelope(value: object, *, at: str) -> Envelope:
    """Read an envelope with exactly one signature, whose key id is not looked at; raises MalformedError."""
    table = as_object(value, at=at, allowed=_MEMBERS)
    signatures = as_list(table.get("signatures"), at=f"{at}.signatures", longest=1)
    place = f"{at}.signatures[0]"
    signature = as_object(signatures[0] if signatures else None, at=place, allowed=_SIGNATURE_MEMBERS)
    optional_field(signature, "keyid", str, "", at=place)
    return Envelope(
        payload=decode_base64(field(table, "payload", str, at=at), at=f"{at}.payload"),
        payload_type=field(table, "payloadType", str, at=at),
        signature=decode_base64(field(signature, "sig", str, at=place), at=f"{place}.sig", longest=1 << 16),
    )
