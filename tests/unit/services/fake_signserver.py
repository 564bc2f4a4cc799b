"""FakeSignServer: the wire format of SignServer's REST interface 1.3.0, as published, and no product of Keyfactor.

It refuses what the real one refuses: no hash where the worker allows none, a hash that the worker does not accept, a digest
of another length, data that is not base64, an unknown worker, a client that is not allowed, a token that is offline. Like
the real one, it counts the signatures of each key, and prepends the DigestInfo to RSA's hashes itself.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding

from hatch_sign.values.public_keys import hash_algorithm

from .https_server import Answer, Request

if TYPE_CHECKING:
    from cryptography import x509

_PROCESS = re.compile(r"/signserver/rest/v1/workers/([^/]+)/process\Z")
_DIGESTS = {"SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


class RefusedError(Exception):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.answer = Answer.of(status, {"error": text})


@dataclass
class Worker:
    """A Plain Signer. `algorithm` is its SIGNATUREALGORITHM, `accepted` its ACCEPTED_HASH_DIGEST_ALGORITHMS."""

    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    certificate: x509.Certificate | None
    algorithm: str
    accepted: tuple[str, ...] = tuple(_DIGESTS)
    client_hashing: bool = True
    authorization: str = "CLIENTCERT"
    clients: frozenset[str] = frozenset({"release engineer"})
    password: str = ""
    online: bool = True
    signatures: int = 0


@dataclass
class FakeSignServer:
    """The workers by name, and their numbers."""

    workers: dict[str, Worker] = field(default_factory=dict)
    numbers: dict[int, str] = field(default_factory=dict)

    def respond(self, request: Request) -> Answer:
        try:
            return self._respond(request)
        except RefusedError as refused:
            return refused.answer

    def _respond(self, request: Request) -> Answer:
        found = _PROCESS.match(request.path)
        if found is None:
            return Answer(404, b"<html>Not Found</html>", {"Content-Type": "text/html"})
        if request.method != "POST":
            return Answer(405)
        if request.headers.get("content-type") != "application/json":
            raise RefusedError(415, "Unsupported Media Type")
        worker = self._worker(unquote(found[1]))
        _authorize(worker, request)
        return self._process(worker, _parse(request.body))

    def _worker(self, name: str) -> Worker:
        resolved = self.numbers.get(int(name), "") if name.isdecimal() else name
        if resolved not in self.workers:
            raise RefusedError(404, f"No such worker: {name}")
        return self.workers[resolved]

    def _process(self, worker: Worker, document: dict[str, Any]) -> Answer:
        data, digest_name = _digest(worker, document)
        if not worker.online:
            raise RefusedError(503, "Signing failed: Crypto token is offline")
        worker.signatures += 1
        signature = _sign(worker, data, digest_name)
        answer = {
            "archiveId": hashlib.sha1(data).hexdigest(),  # noqa: S324 - an identifier, as the real one makes it
            "data": base64.b64encode(signature).decode(),
            "requestId": str(-1_000_000_007 * worker.signatures % 2**31 - 2**30),
            "metaData": {},
        }
        if worker.certificate is not None:
            answer["signerCertificate"] = base64.b64encode(worker.certificate.public_bytes(Encoding.DER)).decode()
        return Answer.of(200, answer)


def _authorize(worker: Worker, request: Request) -> None:
    if worker.authorization == "NOAUTH":
        return
    if worker.authorization == "CLIENTCERT":
        allowed = request.client in worker.clients
    else:
        expected = base64.b64encode(f"engineer:{worker.password}".encode()).decode()
        allowed = request.headers.get("authorization") == f"Basic {expected}"
    if not allowed:
        raise RefusedError(401, "Authorization failed: Client authentication is required")


def _parse(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        raise RefusedError(400, "Bad Request") from None
    if not isinstance(document, dict) or "data" not in document:
        raise RefusedError(400, "Missing data in request")
    if not all(isinstance(value, str) for value in document.get("metaData", {}).values()):
        raise RefusedError(400, "Bad Request")
    return document


def _digest(worker: Worker, document: dict[str, Any]) -> tuple[bytes, str]:
    metadata = document.get("metaData", {})
    try:
        raw = document["data"].encode()
        data = base64.b64decode(raw, validate=True) if document.get("encoding", "NONE") == "BASE64" else raw
    except binascii.Error:
        raise RefusedError(500, "Incorrect base64 data") from None
    if metadata.get("USING_CLIENTSUPPLIED_HASH") != "true":
        raise RefusedError(400, "This fake signs what clients have hashed")
    if not worker.client_hashing:
        raise RefusedError(400, "Client-side hashing requested but not allowed")
    if not worker.accepted:
        raise RefusedError(500, "Worker is misconfigured: ACCEPTED_HASH_DIGEST_ALGORITHMS")
    digest_name = metadata.get("CLIENTSIDE_HASHDIGESTALGORITHM")
    if digest_name not in worker.accepted:
        raise RefusedError(400, "Client specified a non-accepted digest hash algorithm")
    if len(data) != hashlib.new(_DIGESTS[digest_name]).digest_size:
        text = "Input length doesn't match hash digest algorithm specified through request metadata"
        raise RefusedError(400, text)
    return data, _DIGESTS[digest_name]


def _sign(worker: Worker, digest: bytes, digest_name: str) -> bytes:
    algorithm, key = hash_algorithm(digest_name), worker.key
    prehashed = utils.Prehashed(algorithm)
    if isinstance(key, ec.EllipticCurvePrivateKey) and worker.algorithm == "NONEwithECDSA":
        return key.sign(digest, ec.ECDSA(prehashed))
    if isinstance(key, rsa.RSAPrivateKey) and worker.algorithm == "NONEwithRSA":
        return key.sign(digest, padding.PKCS1v15(), prehashed)
    if isinstance(key, rsa.RSAPrivateKey) and worker.algorithm == "NONEwithRSAandMGF1":
        pss = padding.PSS(padding.MGF1(algorithm), len(digest))
        return key.sign(digest, pss, prehashed)
    raise RefusedError(500, "Signing failed")
