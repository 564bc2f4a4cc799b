"""FakeArtifactSigning: the wire format of Azure Artifact Signing, 2022-06-15-preview, and no product of Microsoft.

It refuses what the real one refuses: another version of the interface, a token that it did not give or that has ended, an
account or profile that is not there, an identity without the role, an algorithm it has not, a digest of another length. A
signature is not there at once: it has to be asked for, as often as `rounds` says.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from hatch_sign.values.algorithms import DIGEST_SIZES
from hatch_sign.values.public_keys import hash_algorithm

from .authority import Authority
from .https_server import Answer, Request

if TYPE_CHECKING:
    from cryptography import x509

VERSION = "2022-06-15-preview"
TOKEN = "fake-token-of-azure"  # noqa: S105 - the fake's own

_PATH = re.compile(r"/codesigningaccounts/([^/]+)/certificateprofiles/([^/]+)(/sign(?:/[^/]+)?)\Z")
_ALGORITHMS = {"256": "sha256", "384": "sha384", "512": "sha512"}


class RefusedError(Exception):
    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def _detail(status: int, code: str, message: str, **headers: str) -> RefusedError:
    return RefusedError(Answer.of(status, {"errorDetail": {"code": code, "message": message, "target": None}}, **headers))


def _problem(status: int, title: str, **errors: list[str]) -> RefusedError:
    return RefusedError(Answer.of(status, {"status": status, "title": title, "errors": errors}))


@dataclass
class Leaf:
    """One of the profile's daily certificates, with the key that it certifies."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate


@dataclass
class FakeArtifactSigning:
    """One account with one profile. `turn` gives it a new key and certificate, as midnight does."""

    keys: list[rsa.RSAPrivateKey]
    account: str = "releases"
    profile: str = "public-trust"
    rounds: int = 0
    retry_after: str = "0"
    has_role: bool = True
    final: str = "Succeeded"
    token: str = TOKEN
    leaves: list[Leaf] = field(default_factory=list)
    operations: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.root = Authority("Identity Verification Root")
        self.intermediate = Authority("Verified CS EOC CA 01", self.root)
        self.turn()

    @property
    def leaf(self) -> Leaf:
        return self.leaves[-1]

    def turn(self) -> None:
        key = self.keys[len(self.leaves) % len(self.keys)]
        self.leaves.append(Leaf(key, self.intermediate.certify("Example Ltd", key)))

    def chain(self, leaf: Leaf) -> bytes:
        """Return PKCS#7, whose set has an order of its own."""
        certificates = [self.root.certificate, leaf.certificate, self.intermediate.certificate]
        return pkcs7.serialize_certificates(certificates, Encoding.DER)

    def respond(self, request: Request) -> Answer:
        try:
            return self._respond(request)
        except RefusedError as refused:
            return refused.answer

    def _respond(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return Answer(401, b"", {"WWW-Authenticate": 'Bearer error="invalid_token"'})
        address = urlsplit(request.path)
        if parse_qs(address.query).get("api-version") != [VERSION]:
            raise _problem(400, "Unsupported API version", version=["The version is not supported."])
        found = _PATH.match(address.path)
        if found is None or found.group(1, 2) != (self.account, self.profile):
            raise _detail(404, "NotFound", "The account or certificate profile was not found.")
        if not self.has_role:
            text = "Response status code does not indicate success: 403 (Forbidden)."
            raise _detail(404, "InternalError", text)
        return self._route(request, found[3])

    def _route(self, request: Request, path: str) -> Answer:
        if (request.method, path) == ("GET", "/sign/certchain"):
            if "application/pkcs7-mime" not in request.headers.get("accept", ""):
                return Answer(406)
            return Answer(200, self.chain(self.leaf), {"Content-Type": "application/pkcs7-mime"})
        if (request.method, path) == ("POST", "/sign"):
            return self._submit(request.body)
        if request.method == "GET" and path.startswith("/sign/"):
            return self._poll(path.removeprefix("/sign/"))
        return Answer(405)

    def _submit(self, body: bytes) -> Answer:
        identifier = str(uuid.uuid4())
        signature = self._sign(*_parse(body))
        inner = base64.encodebytes(self.chain(self.leaf)).replace(b"\n", b"\r\n")
        done = {"signature": base64.b64encode(signature).decode(), "signingCertificate": base64.b64encode(inner).decode()}
        self.operations[identifier] = (self.rounds, done)
        waiting = {"operationId": identifier, "status": "InProgress", "signature": None, "signingCertificate": None}
        return Answer.of(202, waiting, Retry_After=self.retry_after)

    def _poll(self, identifier: str) -> Answer:
        if identifier not in self.operations:
            raise _detail(404, "NotFound", "The operation was not found.")
        rounds, done = self.operations[identifier]
        self.operations[identifier] = (rounds - 1, done)
        empty = {"operationId": identifier, "signature": None, "signingCertificate": None}
        if rounds > 0:
            return Answer.of(200, {**empty, "status": "Running"}, Retry_After=self.retry_after)
        if self.final != "Succeeded":
            return Answer.of(200, {**empty, "status": self.final})
        return Answer.of(200, {**empty, **done, "status": "Succeeded"})

    def _sign(self, family: str, hash_name: str, digest: bytes) -> bytes:
        algorithm = hash_algorithm(hash_name)
        pss = padding.PSS(padding.MGF1(algorithm), len(digest))
        return self.leaf.key.sign(digest, padding.PKCS1v15() if family == "RS" else pss, utils.Prehashed(algorithm))


def _parse(body: bytes) -> tuple[str, str, bytes]:
    try:
        document = json.loads(body)
        algorithm, digest = document["signatureAlgorithm"], base64.b64decode(document["digest"], validate=True)
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise _problem(400, "One or more validation errors occurred.", digest=["The digest is invalid."]) from None
    family, hash_name = algorithm[:2], _ALGORITHMS.get(algorithm[2:])
    if family not in {"RS", "PS"} or hash_name is None:
        raise _problem(400, "One or more validation errors occurred.", signatureAlgorithm=["It is not supported."])
    if len(digest) != DIGEST_SIZES[hash_name]:
        raise _detail(400, "BadRequest", "The digest does not match the signature algorithm.")
    return family, hash_name, digest
