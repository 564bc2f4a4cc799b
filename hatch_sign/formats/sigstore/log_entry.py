"""The JSON of transparency-log entries in bundles: its shape is checked here, what it proves is not.

Shape: TransparencyLogEntry of sigstore's protobuf-specs, ``sigstore_rekor.proto``.
"""

from __future__ import annotations

import re
from typing import Any

from hatch_sign.formats.strict_json import (
    as_list,
    as_object,
    decode_base64,
    encode_json_text,
    field,
    optional_field,
    parse_json,
)
from hatch_sign.values.errors import MalformedError

_MEMBERS = frozenset(
    {"logIndex", "logId", "kindVersion", "integratedTime", "inclusionPromise", "inclusionProof", "canonicalizedBody"},
)
_PROOF_MEMBERS = frozenset({"logIndex", "rootHash", "treeSize", "hashes", "checkpoint"})
_MAX_HASHES = 64
"""Steps from a leaf to the root: a tree of 2^64 leaves has no more."""
_INT64 = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


def normalise_log_entry(value: object, *, at: str) -> dict[str, Any]:
    """Return the entry with its members checked and in order, and with the zeros that some writers leave out.

    64-bit numbers are strings. Raises MalformedError.
    """
    table = as_object(value, at=at, allowed=_MEMBERS)
    entry: dict[str, Any] = {"logIndex": _int64(table, "logIndex", at)}
    if "logId" in table:
        entry["logId"] = _strings(table["logId"], ("keyId",), f"{at}.logId", base64=True)
    if "kindVersion" in table:
        entry["kindVersion"] = _strings(table["kindVersion"], ("kind", "version"), f"{at}.kindVersion")
    entry["integratedTime"] = _int64(table, "integratedTime", at)
    if "inclusionPromise" in table:
        place = f"{at}.inclusionPromise"
        entry["inclusionPromise"] = _strings(table["inclusionPromise"], ("signedEntryTimestamp",), place, base64=True)
    if "inclusionProof" in table:
        entry["inclusionProof"] = _proof(table["inclusionProof"], f"{at}.inclusionProof")
    return entry | ({"canonicalizedBody": _base64(table, "canonicalizedBody", at)} if "canonicalizedBody" in table else {})


def parse_log_entry(data: bytes) -> dict[str, Any]:
    """Read one entry as a log or a witness gave it; raises MalformedError."""
    return normalise_log_entry(parse_json(data, subject="the log entry"), at="the log entry")


def encode_log_entry(entry: dict[str, Any]) -> bytes:
    """Return a normalised entry as compact JSON: the form in which it is evidence."""
    return encode_json_text(entry)


def _proof(value: object, at: str) -> dict[str, Any]:
    table = as_object(value, at=at, allowed=_PROOF_MEMBERS)
    hashes = as_list(table.get("hashes", []), at=f"{at}.hashes", longest=_MAX_HASHES)
    proof: dict[str, Any] = {
        "logIndex": _int64(table, "logIndex", at),
        "rootHash": _base64(table, "rootHash", at),
        "treeSize": _int64(table, "treeSize", at),
        "hashes": [_base64({"hash": item}, "hash", f"{at}.hashes") for item in hashes],
    }
    if "checkpoint" in table:
        proof["checkpoint"] = _strings(table["checkpoint"], ("envelope",), f"{at}.checkpoint")
    return proof


def _strings(value: object, names: tuple[str, ...], at: str, *, base64: bool = False) -> dict[str, str]:
    table = as_object(value, at=at, allowed=frozenset(names))
    return {name: _base64(table, name, at) if base64 else field(table, name, str, at=at) for name in names}


def _base64(table: dict[str, Any], name: str, at: str) -> str:
    text = field(table, name, str, at=at)
    decode_base64(text, at=f"{at}.{name}")
    return text


def _int64(table: dict[str, Any], name: str, at: str) -> str:
    text = optional_field(table, name, str, "0", at=at)
    if not _INT64.fullmatch(text):
        message = f"{at}.{name} is not a whole number from 0 of at most 19 digits, as a string"
        raise MalformedError(message)
    return text
