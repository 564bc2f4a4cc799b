"""A transparency log on the loopback that speaks Rekor v1, strictly: quick, and wrong in any way that is wanted."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from .unit.services.https_server import Answer, Request, Service, serving

ENTRIES = "/api/v1/log/entries"
_HASHES = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}

Entry = dict[str, Any]


class RefusedError(Exception):
    """The log does not take up what was proposed."""


@dataclass
class TransparencyLog:
    """It checks each signature, keeps a tree, and gives every entry once.

    `wrong` changes the entry of an answer; `before` is how many entries of older trees come before its own.
    """

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    wrong: Callable[[Entry], Entry] = lambda entry: entry
    before: int = 1000
    start: str = "2026-01-01T00:00:00Z"
    service: Service = field(init=False)
    bodies: list[bytes] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.service = Service(self._answer)

    @property
    def url(self) -> str:
        return self.service.origin

    @property
    def public(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def id(self) -> bytes:
        return hashlib.sha256(self.public).digest()

    def trusted_root(self) -> dict[str, Any]:
        """Return the trusted root of an instance with this log and nothing else."""
        log = {
            "baseUrl": self.url,
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": b64(self.public),
                "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                "validFor": {"start": self.start},
            },
            "logId": {"keyId": b64(self.id)},
        }
        return {"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1", "tlogs": [log]}

    def grow(self, count: int) -> None:
        """Take up so many entries of others."""
        self.bodies += [f"entry {number}".encode() for number in range(count)]

    def entry(self, index: int) -> Entry:
        """Return an entry as answers hold it, with its promise and its proof."""
        leaves = [hashlib.sha256(b"\0" + body).digest() for body in self.bodies]
        root = tree_root(leaves)
        body, at, number = b64(self.bodies[index]), int(time.time()), self.before + index
        promised = json.dumps(
            {"body": body, "integratedTime": at, "logID": self.id.hex(), "logIndex": number}, separators=(",", ":")
        )
        return {
            "body": body,
            "integratedTime": at,
            "logID": self.id.hex(),
            "logIndex": number,
            "verification": {
                "inclusionProof": {
                    "checkpoint": self.checkpoint(len(leaves), root),
                    "hashes": [sibling.hex() for sibling in tree_path(index, leaves)],
                    "logIndex": index,
                    "rootHash": root.hex(),
                    "treeSize": len(leaves),
                },
                "signedEntryTimestamp": b64(self.sign(promised.encode())),
            },
        }

    def checkpoint(self, size: int, root: bytes) -> str:
        """Return the signed note over a tree, with a line of a witness that nobody asked for."""
        note = f"log.example - 42\n{size}\n{b64(root)}\n"
        own, foreign = b64(self.id[:4] + self.sign(note.encode())), b64(bytes(40))
        return f"{note}\n\u2014 witness.example {foreign}\n\u2014 log.example {own}\n"

    def sign(self, data: bytes) -> bytes:
        return self.key.sign(data, ec.ECDSA(hashes.SHA256()))

    def _answer(self, request: Request) -> Answer:
        with self._lock:
            if request.method == "GET" and request.path.startswith(f"{ENTRIES}/"):
                return self._look_up(request.path.rpartition("/")[2])
            if (request.method, request.path) != ("POST", ENTRIES):
                return Answer.of(404, {"code": 404, "message": "no such path"})
            if request.headers.get("content-type") != "application/json":
                return Answer.of(415, {"code": 415, "message": "unsupported media type"})
            try:
                body = canonical_body(json.loads(request.body))
            except (RefusedError, ValueError, KeyError) as error:
                return Answer.of(400, {"code": 400, "message": f"error processing entry: {error}"})
            if body in self.bodies:
                return Answer.of(409, {"code": 409}, Location=f"{ENTRIES}/{self._name(self.bodies.index(body))}")
            self.bodies.append(body)
            return self._give(len(self.bodies) - 1, 201)

    def _look_up(self, name: str) -> Answer:
        found = [index for index in range(len(self.bodies)) if self._name(index) == name]
        return self._give(found[0], 200) if found else Answer.of(404, {"code": 404, "message": "no such entry"})

    def _give(self, index: int, status: int) -> Answer:
        return Answer.of(status, {self._name(index): self.wrong(self.entry(index))})

    def _name(self, index: int) -> str:
        return "0" * 16 + hashlib.sha256(b"\0" + self.bodies[index]).hexdigest()


@contextmanager
def logging(**options: Any) -> Iterator[TransparencyLog]:  # noqa: ANN401 - those of a TransparencyLog
    """Run a log on a free port until the block ends."""
    log = TransparencyLog(**options)
    with serving(log.service, None):
        yield log


def canonical_body(proposed: dict[str, Any]) -> bytes:
    """Return what a log keeps of a proposed entry. Raises RefusedError unless its signature holds."""
    kind, spec = proposed["kind"], proposed["spec"]
    if proposed["apiVersion"] != "0.0.1" or kind not in {"hashedrekord", "dsse"}:
        raise RefusedError(kind)
    if kind == "hashedrekord":
        digest, key = spec["data"]["hash"], base64.b64decode(spec["signature"]["publicKey"]["content"])
        _require_signed(key, spec["signature"]["content"], bytes.fromhex(digest["value"]), digest["algorithm"])
        kept = spec
    else:
        kept = _kept_of_envelope(spec["proposedContent"])
    return json.dumps({"apiVersion": "0.0.1", "kind": kind, "spec": kept}, sort_keys=True, separators=(",", ":")).encode()


def _kept_of_envelope(content: dict[str, Any]) -> dict[str, Any]:
    envelope = json.loads(content["envelope"])
    payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"].encode()
    message = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    (signature,), (verifier,) = envelope["signatures"], content["verifiers"]
    _require_signed_message(base64.b64decode(verifier), signature["sig"], message)
    hashed = {
        name: {"algorithm": "sha256", "value": hashlib.sha256(data).hexdigest()}
        for name, data in (("envelopeHash", content["envelope"].encode()), ("payloadHash", payload))
    }
    return {**hashed, "signatures": [{"signature": signature["sig"], "verifier": verifier}]}


def _require_signed(pem: bytes, signature: str, digest: bytes, algorithm: str) -> None:
    key, made, hashed = load_pem_public_key(pem), base64.b64decode(signature), utils.Prehashed(_HASHES[algorithm])
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(made, digest, ec.ECDSA(hashed))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(made, digest, padding.PKCS1v15(), hashed)
        else:
            message = "no digest is signed by such a key"
            raise RefusedError(message)
    except InvalidSignature:
        message = "the signature does not verify"
        raise RefusedError(message) from None


def _require_signed_message(pem: bytes, signature: str, message: bytes) -> None:
    key = load_pem_public_key(pem)
    if not isinstance(key, ed25519.Ed25519PublicKey):
        return _require_signed(pem, signature, hashlib.sha256(message).digest(), "sha256")
    try:
        key.verify(base64.b64decode(signature), message)
    except InvalidSignature:
        found = "the signature does not verify"
        raise RefusedError(found) from None
    return None


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """Return the root of a tree by its definition (RFC 9162 §2.1.1)."""
    if len(leaves) == 1:
        return leaves[0]
    split = _split(len(leaves))
    return hashlib.sha256(b"\1" + tree_root(leaves[:split]) + tree_root(leaves[split:])).digest()


def tree_path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """Return the inclusion proof of a leaf by its definition (RFC 9162 §2.1.3.1)."""
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*tree_path(index, leaves[:split]), tree_root(leaves[split:])]
    return [*tree_path(index - split, leaves[split:]), tree_root(leaves[:split])]


def _split(count: int) -> int:
    """Return the largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
