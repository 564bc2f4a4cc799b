"""A strict stand-in for Azure Key Vault: an HTTPS server on loopback that answers as the service's REST interface does.

Written from Microsoft's published reference (Key Vault REST, API versions from 7.4 on), because Lowkey Vault's
program is not served as a package here. It keeps what the service is documented to keep: the challenge before a login,
a token of the right audience, base64url, r and s of ECDSA one after the other, one algorithm for each curve, digests of
the algorithm's length, key operations, disabled and expired keys, versions, pages and permissions; it refuses what it
does not know. It has no Ed25519, as the service has none.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import parse_qs, urlsplit

from .material import Key, decode, encode, make_private_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cryptography.x509 import Certificate

_NAME = r"[0-9a-zA-Z-]{1,127}"
_ROUTES: tuple[tuple[str, str, str, str], ...] = (
    ("GET", r"/keys", "list", "keys/list"),
    ("POST", rf"/keys/(?P<name>{_NAME})/create", "create", "keys/create"),
    ("POST", rf"/keys/(?P<name>{_NAME})/(?P<version>[0-9a-f]{{32}})/sign", "sign", "keys/sign"),
    ("GET", rf"/keys/(?P<name>{_NAME})(?:/(?P<version>[0-9a-f]{{32}}))?/?", "get", "keys/get"),
    ("GET", rf"/certificates/(?P<name>{_NAME})/(?P<version>[0-9a-f]{{32}})", "certificate", "certificates/get"),
)
_API_VERSIONS = {"7.4", "7.5", "7.6", "2025-07-01", "2026-04-01"}
_DIGEST_SIZES = {"256": 32, "384": 48, "512": 64}


@dataclass(frozen=True)
class Reply:
    """One answer. `cut` sends only half of the body and closes the connection."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False


@dataclass
class Fault:
    """What the next calls of one operation get instead of the answer."""

    operation: str
    reply: Reply
    times: int = 1


class _RefusedError(Exception):
    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


@dataclass
class VaultService:
    """The vault's state, the faults that a test asks for, and what was called.

    `denied` are permissions that the caller lacks; `answers` change an operation's answer before it is sent; `delay` is
    in seconds, for each call. `identity` is the secret header of the managed identity that hands out `token`.
    """

    base: str = ""
    resource: str = ""
    token: str = field(default_factory=lambda: f"token-{secrets.token_hex(8)}")
    identity: str = field(default_factory=lambda: f"identity-{secrets.token_hex(8)}")
    keys: dict[str, list[Key]] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    certificates: dict[str, Certificate] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    denied: set[str] = field(default_factory=set)
    answers: dict[str, Callable[[dict[str, object]], object]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    delay: float = 0.0
    premium: bool = True
    page_size: int = 25
    tokens_given: int = 0
    most_at_once: int = 0
    _at_once: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    # --- what a test does -------------------------------------------------------------------------------------------

    def add_key(self, name: str, kty: str = "EC", kind: str = "P-256", **attributes: object) -> Key:
        """Make a key, or its next version."""
        key = Key(name, kty, make_private_key(kty, kind), attributes=attributes)
        self.keys.setdefault(name, []).append(key)
        return key

    def fail(self, operation: str, status: int, code: str = "", inner: str = "", *, times: int = 1, wait: str = "") -> None:
        """Let the next `times` calls of `operation` fail as the service words it; `wait` is a Retry-After."""
        self.faults.append(Fault(operation, _error(status, code, inner, {"Retry-After": wait} if wait else {}), times))

    # --- what the service does --------------------------------------------------------------------------------------

    def handle(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            if self.delay:
                time.sleep(self.delay)
            with self._lock:
                return self._answer(method, target, headers, body)
        except _RefusedError as refused:
            return refused.reply
        finally:
            with self._lock:
                self._at_once -= 1

    def _answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        address = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        if address.path == "/identity":
            return self._give_token(query, headers)
        operation, permission, found = self._route(method, address.path)
        self._check_token(headers)
        self.calls.append(operation)
        self._meet_fault(operation)
        if query.get("api-version") not in _API_VERSIONS:
            _refuse(400, "BadParameter", "UnsupportedApiVersion")
        if permission in self.denied:
            _refuse(403, "Forbidden", "ForbiddenByRbac")
        handler = getattr(self, f"_{operation}")
        answer = handler(found, json.loads(body) if body else {}, query)
        return _json(200, self.answers.get(operation, lambda unchanged: unchanged)(answer))

    def _route(self, method: str, path: str) -> tuple[str, str, dict[str, str]]:
        for verb, pattern, operation, permission in _ROUTES:
            match = re.fullmatch(pattern, path)
            if match and verb == method:
                return operation, permission, {name: value or "" for name, value in match.groupdict().items()}
        return _refuse(404, "NotFound")

    def _give_token(self, query: Mapping[str, str], headers: Mapping[str, str]) -> Reply:
        """Answer as the endpoint of a managed identity does (App Service, 2019-08-01)."""
        if headers.get("x-identity-header") != self.identity or query.get("resource") != self.resource:
            return _json(400, {"statusCode": 400, "message": "No such identity or resource."})
        self.tokens_given += 1
        expires = str(int(time.time()) + 3600)
        answer = {"access_token": self.token, "expires_on": expires, "resource": self.resource, "token_type": "Bearer"}
        return _json(200, answer)

    def _check_token(self, headers: Mapping[str, str]) -> None:
        if headers.get("authorization") == f"Bearer {self.token}":
            return
        problem = 'error="invalid_token", ' if "authorization" in headers else ""
        challenge = f'Bearer {problem}authorization="https://login.example/tenant", resource="{self.resource}"'
        raise _RefusedError(_error(401, "Unauthorized", "", {"WWW-Authenticate": challenge}))

    def _meet_fault(self, operation: str) -> None:
        for fault in self.faults:
            if fault.operation == operation and fault.times:
                fault.times -= 1
                raise _RefusedError(fault.reply)

    def _list(self, _: Mapping[str, str], __: object, query: Mapping[str, str]) -> dict[str, object]:
        names = sorted(self.keys)
        start = int(query.get("$skiptoken", "0"))
        page = [self.keys[name][-1] for name in names[start : start + self.page_size]]
        items = [{"kid": f"{self.base}/keys/{key.name}", "attributes": key.described()} for key in page]
        more = start + self.page_size < len(names)
        link = f"{self.base}/keys?api-version={query['api-version']}&$skiptoken={start + self.page_size}" if more else None
        return {"value": items, "nextLink": link}

    def _get(self, found: Mapping[str, str], _: object, __: object) -> dict[str, object]:
        return self._bundle(self._find(found))

    def _create(self, found: Mapping[str, str], body: Mapping[str, object], _: object) -> dict[str, object]:
        if found["name"] in self.deleted:
            _refuse(409, "Conflict", "ObjectIsDeletedButRecoverable")
        kty = str(body.get("kty"))
        if kty not in {"EC", "EC-HSM", "RSA", "RSA-HSM"} or (kty.endswith("-HSM") and not self.premium):
            _refuse(400, "BadParameter")
        kind = str(body.get("crv", "P-256") if kty.startswith("EC") else body.get("key_size", 2048))
        return self._bundle(self.add_key(found["name"], kty, kind, key_ops=body.get("key_ops")))

    def _sign(self, found: Mapping[str, str], body: Mapping[str, object], _: object) -> dict[str, object]:
        key = self._find(found)
        if key.attributes.get("enabled") is False:
            _refuse(403, "Forbidden", "KeyDisabled")
        if "sign" not in key.key_ops:
            _refuse(403, "Forbidden", "KeyOperationForbidden")
        algorithm, digest = str(body.get("alg")), decode(str(body.get("value")))
        if not key.allows(algorithm) or len(digest) != _DIGEST_SIZES[algorithm[2:]]:
            _refuse(400, "BadParameter")
        return {"kid": self._kid(key), "value": encode(key.sign(algorithm, digest))}

    def _certificate(self, found: Mapping[str, str], _: object, __: object) -> dict[str, object]:
        from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - for this answer only

        if found["version"] not in self.certificates:
            _refuse(404, "CertificateNotFound")
        der = self.certificates[found["version"]].public_bytes(Encoding.DER)
        place = f"{found['name']}/{found['version']}"
        return {
            "id": f"{self.base}/certificates/{place}",
            "kid": f"{self.base}/keys/{place}",
            "sid": f"{self.base}/secrets/{place}",
            "cer": base64.b64encode(der).decode(),
            "attributes": {"enabled": True},
        }

    def _find(self, found: Mapping[str, str]) -> Key:
        versions = self.keys.get(found["name"], [])
        for key in reversed(versions):
            if found["version"] in {"", key.version}:
                return key
        return _refuse(404, "KeyNotFound")

    def _bundle(self, key: Key) -> dict[str, object]:
        return key.bundle(self._kid(key)) | {"managed": True} if key.managed else key.bundle(self._kid(key))

    def _kid(self, key: Key) -> str:
        return f"{self.base}/keys/{key.name}/{key.version}"


def _json(status: int, body: object, headers: Mapping[str, str] | None = None) -> Reply:
    content = json.dumps(body).encode()
    return Reply(status, content, {"Content-Type": "application/json; charset=utf-8", **(headers or {})})


def _error(status: int, code: str, inner: str = "", headers: Mapping[str, str] | None = None) -> Reply:
    error: dict[str, object] = {"code": code, "message": f"The stand-in's words for {code} {inner}."}
    if inner:
        error["innererror"] = {"code": inner}
    return _json(status, {"error": error}, headers)


def _refuse(status: int, code: str, inner: str = "") -> NoReturn:
    raise _RefusedError(_error(status, code, inner))
