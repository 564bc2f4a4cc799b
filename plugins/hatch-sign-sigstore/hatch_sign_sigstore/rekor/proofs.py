"""What a log proves of an entry: that it was taken up then (the promise), and that it is in the tree (the inclusion proof).

Trees and proofs: RFC 9162 §2.1; checkpoints: the signed notes of https://github.com/C2SP/C2SP, ``tlog-checkpoint``.
"""

from __future__ import annotations

import binascii
import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hatch_sign.formats.strict_json import as_object, decode_base64, encode_json_text, field
from hatch_sign.values.errors import MalformedError
from hatch_sign.values.public_keys import schemes_of_key, verify_message

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hatch_sign_sigstore.rekor.trusted_logs import TrustedLog

_HINT = 4
"""Bytes before a signature in a note: the first of the log's id (Rekor v1)."""
_MAX_SIGNATURES = 16
_MAX_CHECKPOINT = 1 << 16
_NO_CHECKPOINT = "the checkpoint in the entry is not a signed note with the size and root of a tree"


def require_proven(entry: dict[str, Any], logs: Sequence[TrustedLog]) -> None:
    """Raise MalformedError unless one of `logs` promised and included a normalised entry while its key was in use."""
    identity = _bytes(as_object(entry.get("logId"), at="logId"), "keyId")
    log = next((log for log in logs if log.id == identity), None)
    if log is None:
        message = f"the entry is by a log that the trusted root does not name: {identity.hex()}"
        raise MalformedError(message)
    _require_in_use(entry, log)
    _require_promise(entry, log)
    _require_inclusion(entry, log)


def _require_in_use(entry: dict[str, Any], log: TrustedLog) -> None:
    try:
        at = datetime.fromtimestamp(int(entry["integratedTime"]), UTC)
    except (ValueError, OverflowError, OSError):
        message = "the entry's time is none"
        raise MalformedError(message) from None
    if not log.was_in_use(at):
        message = f"the entry is of {at:%Y-%m-%d}, when the log's key in the trusted root was not in use"
        raise MalformedError(message)


def _require_promise(entry: dict[str, Any], log: TrustedLog) -> None:
    """Check the signed entry timestamp: a signature over the canonical JSON of the entry (RFC 8785)."""
    promise = _bytes(as_object(entry.get("inclusionPromise"), at="inclusionPromise"), "signedEntryTimestamp")
    promised = {
        "body": entry["canonicalizedBody"],
        "integratedTime": int(entry["integratedTime"]),
        "logID": log.id.hex(),
        "logIndex": int(entry["logIndex"]),
    }
    if not _is_by(log, promise, encode_json_text(promised)):
        message = "the log's key did not promise the entry at that time"
        raise MalformedError(message)


def _require_inclusion(entry: dict[str, Any], log: TrustedLog) -> None:
    proof = as_object(entry.get("inclusionProof"), at="inclusionProof")
    size, root = _parse_checkpoint(proof, log)
    leaf = hashlib.sha256(b"\x00" + _bytes(entry, "canonicalizedBody")).digest()
    hashes = [decode_base64(item, at="inclusionProof.hashes") for item in proof["hashes"]]
    found = _root_of(leaf, int(proof["logIndex"]), size, hashes)
    if int(proof["treeSize"]) != size or _bytes(proof, "rootHash") != root or found != root:
        message = "the entry is not in the tree of the log"
        raise MalformedError(message)


def _parse_checkpoint(proof: dict[str, Any], log: TrustedLog) -> tuple[int, bytes]:
    """Return the size and the root that the log signed."""
    note = field(as_object(proof.get("checkpoint"), at="checkpoint"), "envelope", str, at="checkpoint")
    text, blank, signatures = note.partition("\n\n")
    lines = text.split("\n")
    if not blank or len(note) > _MAX_CHECKPOINT or len(lines) < 3:  # noqa: PLR2004 - origin, size, root
        raise MalformedError(_NO_CHECKPOINT)
    try:
        size, root = int(lines[1]), binascii.a2b_base64(lines[2], strict_mode=True)
    except ValueError:
        raise MalformedError(_NO_CHECKPOINT) from None
    signed = f"{text}\n".encode()
    if not any(_is_by(log, signature, signed) for signature in _signatures(signatures, log)):
        message = "the checkpoint in the entry is not signed by the log"
        raise MalformedError(message)
    return size, root


def _signatures(text: str, log: TrustedLog) -> Iterator[bytes]:
    """Yield the signatures below a note that claim to be by the log: witnesses of the log may sign it, too."""
    for line in text.split("\n")[:_MAX_SIGNATURES]:
        _, _, encoded = line.removeprefix("\u2014 ").partition(" ")
        try:
            data = binascii.a2b_base64(encoded.encode("ascii"), strict_mode=True)
        except ValueError:
            continue
        if data[:_HINT] == log.id[:_HINT]:
            yield data[_HINT:]


def _root_of(leaf: bytes, index: int, size: int, hashes: Sequence[bytes]) -> bytes | None:
    """Return the root of the tree in which `hashes` lead up from the leaf (RFC 9162 §2.1.3.2); None where they do not."""
    if not 0 <= index < size:
        return None
    node, last, found = index, size - 1, leaf
    for sibling in hashes:
        if last == 0:
            return None
        if node & 1 or node == last:
            found = _parent(sibling, found)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            found = _parent(found, sibling)
        node, last = node >> 1, last >> 1
    return found if last == 0 else None


def _parent(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _is_by(log: TrustedLog, signature: bytes, message: bytes) -> bool:
    return verify_message(log.key, signature, message, schemes_of_key(log.key)[0])


def _bytes(table: dict[str, Any], name: str) -> bytes:
    return decode_base64(field(table, name, str, at="the entry"), at=f"the entry's {name}")
