"""Attestation objects: what a Sigstore bundle with a statement holds, in the shape that indexes take (PEP 740)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.formats.dsse import Envelope
from hatch_sign.formats.intoto import PAYLOAD_TYPE
from hatch_sign.formats.sigstore.bundle import MAX_EVIDENCE, Bundle, encode_bundle
from hatch_sign.formats.sigstore.log_entry import encode_log_entry, normalise_log_entry, parse_log_entry
from hatch_sign.formats.strict_json import as_list, as_object, decode_base64, encode_base64, encode_json, field, parse_json
from hatch_sign.values.errors import MalformedError, UnsupportedError

if TYPE_CHECKING:
    from typing import Any

PUBLISH = "https://docs.pypi.org/attestations/publish/v1"
PROVENANCE = "https://slsa.dev/provenance/v1"
PREDICATES = frozenset({PUBLISH, PROVENANCE})
"""The kinds of statement that indexes take."""
DISTRIBUTIONS = (".whl", ".tar.gz")
"""How the names of artifacts end that attestations are for."""
LARGEST = 1 << 20
"""Bytes in one attestation; PyPI takes far smaller ones."""

_SUBJECT = "the attestation"
_MEMBERS = frozenset({"version", "verification_material", "envelope"})
_MATERIAL_MEMBERS = frozenset({"certificate", "transparency_entries"})
_ENVELOPE_MEMBERS = frozenset({"statement", "signature"})


def encode_attestation(bundle: Bundle) -> bytes:
    """Return the attestation that holds what `bundle` holds, as JSON and a newline.

    Raises UnsupportedError for a bundle that it has no room for: one without a statement, a certificate or exactly one log
    entry with a signed time of its own. There is no place for timestamps.
    """
    if not isinstance(bundle.content, Envelope) or not bundle.certificates or len(bundle.log_entries) != 1:
        message = "an attestation holds a statement, an identity's certificate and one log entry, and the bundle does not"
        raise UnsupportedError(message)
    entry = parse_log_entry(bundle.log_entries[0])
    if "inclusionPromise" not in entry:
        message = "the log entry has no signed time, and an attestation has no place for a timestamp instead"
        raise UnsupportedError(message, remedy="sign with a log of version 1 of Rekor")
    table = {
        "version": 1,
        "verification_material": {
            "certificate": encode_base64(bundle.certificates[0]),
            "transparency_entries": [entry],
        },
        "envelope": {
            "statement": encode_base64(bundle.content.payload),
            "signature": encode_base64(bundle.content.signature),
        },
    }
    return encode_json(table)


def parse_attestation(data: bytes) -> bytes:
    """Return the bundle of version 0.3 that an attestation stands for. Raises MalformedError, and nothing else."""
    if len(data) > LARGEST:
        message = f"{_SUBJECT} has {len(data)} bytes, expected at most {LARGEST}"
        raise MalformedError(message)
    table = as_object(parse_json(data, subject=_SUBJECT), at=_SUBJECT, allowed=_MEMBERS)
    if field(table, "version", int, at=_SUBJECT) != 1:
        message = f"{_SUBJECT} is of version {table['version']}, expected 1"
        raise MalformedError(message)
    material = as_object(table.get("verification_material"), at="verification_material", allowed=_MATERIAL_MEMBERS)
    envelope = as_object(table.get("envelope"), at="envelope", allowed=_ENVELOPE_MEMBERS)
    entries = as_list(material.get("transparency_entries"), at="transparency_entries", longest=MAX_EVIDENCE)
    if not entries:
        message = "transparency_entries is empty"
        raise MalformedError(message)
    payload, signature = (_bytes(envelope, name, "envelope") for name in ("statement", "signature"))
    bundle = Bundle(
        content=Envelope(payload, PAYLOAD_TYPE, signature),
        certificates=(_bytes(material, "certificate", "verification_material"),),
        log_entries=tuple(encode_log_entry(normalise_log_entry(entry, at="transparency_entries")) for entry in entries),
    )
    return encode_bundle(bundle)


def _bytes(table: dict[str, Any], name: str, at: str) -> bytes:
    """Read base64 that may be in lines of 76 characters: older releases of pypi-attestations wrote it so (RFC 2045 §6.8)."""
    text = field(table, name, str, at=at)
    return decode_base64(text.replace("\n", ""), at=f"{at}.{name}")
