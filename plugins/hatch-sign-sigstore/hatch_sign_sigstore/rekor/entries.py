"""What is proposed to a log of Rekor v1, what it answers, and what an entry must speak of.

A message signature is proposed as ``hashedrekord`` 0.0.1, one in an envelope as ``dsse`` 0.0.1; the answer is put into the
form that bundles carry (TransparencyLogEntry of sigstore's protobuf-specs).
"""

from __future__ import annotations

import hashlib
from binascii import Error as NotHexError
from binascii import unhexlify
from typing import TYPE_CHECKING, Any

from hatch_sign.formats.dsse import parse_envelope
from hatch_sign.formats.sigstore.log_entry import normalise_log_entry
from hatch_sign.formats.strict_json import (
    as_list,
    as_object,
    decode_base64,
    encode_base64,
    encode_json_text,
    field,
    parse_json,
)
from hatch_sign.values.errors import MalformedError, UnsupportedError
from hatch_sign.values.public_keys import encode_public_key, encode_public_key_pem, parse_public_key

if TYPE_CHECKING:
    from hatch_sign.contract import WitnessRequest

_VERSION = "0.0.1"
_MAX_HASHES = 64


def propose_entry(request: WitnessRequest) -> bytes:
    """Return the entry, as JSON, that the log is asked to take up."""
    verifier = encode_base64(encode_public_key_pem(request.public_key))
    if request.envelope is not None:
        content = {"envelope": request.envelope.decode("ascii"), "verifiers": [verifier]}
        return _encode("dsse", {"proposedContent": content})
    data = {"hash": {"algorithm": request.scheme.hash, "value": request.digest.hex()}}
    signature = {"content": encode_base64(request.signature), "publicKey": {"content": verifier}}
    return _encode("hashedrekord", {"data": data, "signature": signature})


def parse_answer(data: bytes) -> dict[str, Any]:
    """Return the one entry in an answer of the log, as bundles carry it. Raises MalformedError."""
    table = as_object(parse_json(data, subject="the answer"), at="the answer")
    if len(table) != 1:
        message = f"the answer has {len(table)} entries, expected one"
        raise MalformedError(message)
    at = "the entry"
    entry = as_object(next(iter(table.values())), at=at)
    body = field(entry, "body", str, at=at)
    evidence = as_object(entry.get("verification"), at=f"{at}.verification")
    return normalise_log_entry(
        {
            "logIndex": str(field(entry, "logIndex", int, at=at)),
            "logId": {"keyId": _from_hex(entry, "logID", at)},
            "kindVersion": _kind_of(body),
            "integratedTime": str(field(entry, "integratedTime", int, at=at)),
            "inclusionPromise": {"signedEntryTimestamp": field(evidence, "signedEntryTimestamp", str, at=at)},
            "inclusionProof": _proof(evidence.get("inclusionProof"), f"{at}.inclusionProof"),
            "canonicalizedBody": body,
        },
        at=at,
    )


def require_about(request: WitnessRequest, entry: dict[str, Any]) -> None:
    """Raise MalformedError unless a normalised entry speaks of exactly this signature, digest and key."""
    kind = "hashedrekord" if request.envelope is None else "dsse"
    body = _parse_body(field(entry, "canonicalizedBody", str, at="the entry"))
    at = "the entry's body"
    if (body.get("kind"), body.get("apiVersion")) != (kind, _VERSION) or entry.get("kindVersion") != _kind(body):
        message = f"the entry is not of the kind {kind} {_VERSION}"
        raise MalformedError(message)
    spec = as_object(body.get("spec"), at=f"{at}.spec")
    signature, verifier = _signed(spec, at) if request.envelope is None else _enveloped(spec, at)
    if signature != request.signature or not _is_key(verifier, request):
        message = "the entry is about another signature, or a signature by another key"
        raise MalformedError(message)
    if not _is_over_the_same(spec, request, at):
        message = "the entry is about a signature over something else"
        raise MalformedError(message)


def _encode(kind: str, spec: dict[str, Any]) -> bytes:
    return encode_json_text({"apiVersion": _VERSION, "kind": kind, "spec": spec})


def _kind(body: dict[str, Any]) -> dict[str, str]:
    at = "the entry's body"
    return {"kind": field(body, "kind", str, at=at), "version": field(body, "apiVersion", str, at=at)}


def _kind_of(body: str) -> dict[str, str]:
    return _kind(_parse_body(body))


def _parse_body(text: str) -> dict[str, Any]:
    data = decode_base64(text, at="the entry's body")
    return as_object(parse_json(data, subject="the entry's body"), at="the entry's body")


def _proof(value: object, at: str) -> dict[str, Any]:
    proof = as_object(value, at=at)
    hashes = as_list(proof.get("hashes", []), at=f"{at}.hashes", longest=_MAX_HASHES)
    return {
        "logIndex": str(field(proof, "logIndex", int, at=at)),
        "rootHash": _from_hex(proof, "rootHash", at),
        "treeSize": str(field(proof, "treeSize", int, at=at)),
        "hashes": [_from_hex({"hash": item}, "hash", f"{at}.hashes") for item in hashes],
        "checkpoint": {"envelope": field(proof, "checkpoint", str, at=at)},
    }


def _from_hex(table: dict[str, Any], name: str, at: str) -> str:
    """Return in base64 what the log writes in hexadecimal."""
    try:
        return encode_base64(unhexlify(field(table, name, str, at=at)))
    except (NotHexError, ValueError):
        message = f"{at}.{name} is not hexadecimal"
        raise MalformedError(message) from None


def _signed(spec: dict[str, Any], at: str) -> tuple[bytes, str]:
    signature = as_object(spec.get("signature"), at=f"{at}.signature")
    key = as_object(signature.get("publicKey"), at=f"{at}.publicKey")
    return _bytes(signature, "content", at), field(key, "content", str, at=f"{at}.publicKey")


def _enveloped(spec: dict[str, Any], at: str) -> tuple[bytes, str]:
    signatures = as_list(spec.get("signatures"), at=f"{at}.signatures", longest=1)
    signature = as_object(signatures[0] if signatures else None, at=f"{at}.signatures[0]")
    return _bytes(signature, "signature", at), field(signature, "verifier", str, at=at)


def _is_over_the_same(spec: dict[str, Any], request: WitnessRequest, at: str) -> bool:
    if request.envelope is None:
        hashed = as_object(as_object(spec.get("data"), at=f"{at}.data").get("hash"), at=f"{at}.data.hash")
        return (hashed.get("algorithm"), hashed.get("value")) == (request.scheme.hash, request.digest.hex())
    envelope = parse_envelope(parse_json(request.envelope, subject="the envelope"), at="the envelope")
    hashed = as_object(spec.get("payloadHash"), at=f"{at}.payloadHash")
    return (hashed.get("algorithm"), hashed.get("value")) == ("sha256", hashlib.sha256(envelope.payload).hexdigest())


def _is_key(verifier: str, request: WitnessRequest) -> bool:
    pem = decode_base64(verifier, at="the entry's key")
    try:
        key = parse_public_key(pem, subject="the entry's key")
    except UnsupportedError:
        return False
    return encode_public_key(key) == encode_public_key(request.public_key)


def _bytes(table: dict[str, Any], name: str, at: str) -> bytes:
    return decode_base64(field(table, name, str, at=at), at=f"{at}.{name}")
