"""A strict stand-in for Google Cloud KMS: a gRPC server on loopback that answers the service's own messages.

Written from the published interface (``google/cloud/kms/v1/service.proto`` and its reference pages), because Google's
own fake is built by Bazel alone: its module holds no generated code, and is not served as a Go module either. It keeps
what the service is documented to keep: the state of a version, one algorithm for each, digests of that algorithm's
hash, CRC32C both ways, keys that take a moment to be generated, pages, and the permission of each call. It refuses
what it does not know, and a credential that comes over a plain channel.
"""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

import grpc
from google.cloud import kms_v1
from google.protobuf import wrappers_pb2

from .material import Material, crc32c, make_material

if TYPE_CHECKING:
    from collections.abc import Callable

    import proto

    Answer = Callable[[proto.Message], proto.Message]

Algorithm = kms_v1.CryptoKeyVersion.CryptoKeyVersionAlgorithm
State = kms_v1.CryptoKeyVersion.CryptoKeyVersionState
Level = kms_v1.ProtectionLevel
Purpose = kms_v1.CryptoKey.CryptoKeyPurpose

LARGEST_MESSAGE = 64 * 1024
"""Bytes of data that one request may hold."""
_Trailing = tuple[tuple[str, bytes | str], ...]
_ID = r"[a-zA-Z0-9_-]{1,63}"
_RING = rf"projects/[a-z0-9-]+/locations/[a-z0-9-]+/keyRings/{_ID}"
_KEY_NAME = re.compile(rf"{_RING}/cryptoKeys/{_ID}\Z")
_VERSION_NAME = re.compile(rf"{_RING}/cryptoKeys/{_ID}/cryptoKeyVersions/[0-9]+\Z")
_PERMISSIONS = {
    "GetCryptoKey": "cloudkms.cryptoKeys.get",
    "ListCryptoKeys": "cloudkms.cryptoKeys.list",
    "CreateCryptoKey": "cloudkms.cryptoKeys.create",
    "GetCryptoKeyVersion": "cloudkms.cryptoKeyVersions.get",
    "ListCryptoKeyVersions": "cloudkms.cryptoKeyVersions.list",
    "GetPublicKey": "cloudkms.cryptoKeyVersions.viewPublicKey",
    "AsymmetricSign": "cloudkms.cryptoKeyVersions.useToSign",
}


@dataclass
class Version:
    """One version of a key: what the service says of it, its material, and the looks until it is generated."""

    described: kms_v1.CryptoKeyVersion
    material: Material
    looks: int = 0

    def become(self, state: int) -> None:
        """Change the version's state."""
        self.described.state = state  # type: ignore[assignment] # the SDK's types call its own members integers


@dataclass
class Fault:
    """What happens to the next calls of one method instead of the answer."""

    method: str
    code: grpc.StatusCode
    details: str = ""
    times: int = 1
    trailing: _Trailing = ()


class _RefusedError(Exception):
    def __init__(self, code: grpc.StatusCode, details: str, trailing: _Trailing = ()) -> None:
        super().__init__(details)
        self.code, self.details, self.trailing = code, details, trailing


@dataclass
class KeyService:
    """The service's state, the faults that a test asks for, and what was called.

    `denied` are permissions that the caller lacks; `answers` change a method's answer before it is sent; `delay` is in
    seconds, for each call; `accepts` says whether the bearer token of a call over TLS is good.
    """

    keys: dict[str, kms_v1.CryptoKey] = field(default_factory=dict)
    versions: dict[str, list[Version]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    denied: set[str] = field(default_factory=set)
    answers: dict[str, Answer] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    delay: float = 0.0
    generation_looks: int = 1
    page_size: int = 1000
    accepts: Callable[[str], bool] | None = None
    most_at_once: int = 0
    _at_once: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    # --- what a test does -------------------------------------------------------------------------------------------

    def add_key(self, ring: str, name: str, algorithm: int, *, level: int = Level.SOFTWARE) -> str:
        """Make a key with one enabled version, and return the name of the key."""
        full = f"{ring}/cryptoKeys/{name}"
        template = kms_v1.CryptoKeyVersionTemplate(algorithm=algorithm, protection_level=level)
        self.keys[full] = kms_v1.CryptoKey(name=full, purpose=Purpose.ASYMMETRIC_SIGN, version_template=template)
        self.versions[full] = []
        self.add_version(full)
        return full

    def add_version(self, key: str, *, looks: int = 0, state: int = State.ENABLED) -> Version:
        """Make the next version of a key, as its template says."""
        template = self.keys[key].version_template
        described = kms_v1.CryptoKeyVersion(
            name=f"{key}/cryptoKeyVersions/{len(self.versions[key]) + 1}",
            state=State.PENDING_GENERATION if looks else state,
            protection_level=template.protection_level,
            algorithm=template.algorithm,
        )
        version = Version(described, make_material(template.algorithm), looks)
        self.versions[key].append(version)
        return version

    def fail(
        self,
        method: str,
        code: str,
        details: str = "",
        *,
        times: int = 1,
        trailing: tuple[tuple[str, bytes | str], ...] = (),
    ) -> None:
        """Let the next `times` calls of `method` fail by the gRPC status `code`."""
        self.faults.append(Fault(method, grpc.StatusCode[code], details, times, trailing))

    # --- what the service does --------------------------------------------------------------------------------------

    def handle(self, method: str, request: proto.Message, context: grpc.ServicerContext) -> proto.Message:
        with self._lock:
            self.calls.append(method)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            if self.delay:
                time.sleep(self.delay)
            self._check_credential(context)
            with self._lock:
                self._meet_fault(method)
                self._check_permission(method, request)
                answer = getattr(self, _method_name(method))(request)
            return self.answers.get(method, lambda unchanged: unchanged)(answer)
        except _RefusedError as refused:
            context.set_trailing_metadata(refused.trailing)
            return context.abort(refused.code, refused.details)
        finally:
            with self._lock:
                self._at_once -= 1

    def _check_credential(self, context: grpc.ServicerContext) -> None:
        sent = dict(context.invocation_metadata()).get("authorization")
        if self.accepts is None:
            if sent is not None:
                _refuse("UNAUTHENTICATED", "a credential came over a plain channel")
        elif not self.accepts(str(sent).removeprefix("Bearer ")):
            _refuse("UNAUTHENTICATED", "Request had invalid authentication credentials. Expected OAuth 2 access token.")

    def _meet_fault(self, method: str) -> None:
        for fault in self.faults:
            if fault.method == method and fault.times:
                fault.times -= 1
                raise _RefusedError(fault.code, fault.details, fault.trailing)

    def _check_permission(self, method: str, request: proto.Message) -> None:
        permission = _PERMISSIONS[method]
        if permission in self.denied:
            resource = getattr(request, "name", "") or getattr(request, "parent", "")
            _refuse("PERMISSION_DENIED", f"Permission '{permission}' denied on resource '{resource}' (or it may not exist).")

    def _get_crypto_key(self, request: kms_v1.GetCryptoKeyRequest) -> kms_v1.CryptoKey:
        return self._key(request.name)

    def _list_crypto_keys(self, request: kms_v1.ListCryptoKeysRequest) -> kms_v1.ListCryptoKeysResponse:
        found = [key for name, key in sorted(self.keys.items()) if name.startswith(f"{request.parent}/cryptoKeys/")]
        page, token = self._page(found, request)
        return kms_v1.ListCryptoKeysResponse(crypto_keys=page, next_page_token=token, total_size=len(found))

    def _create_crypto_key(self, request: kms_v1.CreateCryptoKeyRequest) -> kms_v1.CryptoKey:
        name = f"{request.parent}/cryptoKeys/{request.crypto_key_id}"
        template = request.crypto_key.version_template
        if not _KEY_NAME.match(name) or request.crypto_key.purpose != Purpose.ASYMMETRIC_SIGN or template.algorithm == 0:
            _refuse("INVALID_ARGUMENT", "The request is not that of an asymmetric signing key.")
        if name in self.keys:
            _refuse("ALREADY_EXISTS", f"CryptoKey {name} already exists.")
        level = template.protection_level if template.protection_level != 0 else Level.SOFTWARE
        made = kms_v1.CryptoKeyVersionTemplate(algorithm=template.algorithm, protection_level=level)
        self.keys[name] = kms_v1.CryptoKey(name=name, purpose=Purpose.ASYMMETRIC_SIGN, version_template=made)
        self.versions[name] = []
        self.add_version(name, looks=self.generation_looks)
        return self.keys[name]

    def _get_crypto_key_version(self, request: kms_v1.GetCryptoKeyVersionRequest) -> kms_v1.CryptoKeyVersion:
        version = self._version(request.name)
        if version.looks:
            version.looks -= 1
            if not version.looks:
                version.become(State.ENABLED)
        return version.described

    def _list_crypto_key_versions(
        self, request: kms_v1.ListCryptoKeyVersionsRequest
    ) -> kms_v1.ListCryptoKeyVersionsResponse:
        if request.filter not in {"", "state=ENABLED"} or request.order_by:
            _refuse("INVALID_ARGUMENT", "This stand-in knows no such filter or order.")
        self._key(request.parent)
        found = [version.described for version in self.versions[request.parent]]
        found = [version for version in found if not request.filter or version.state == State.ENABLED]
        page, token = self._page(found, request)
        return kms_v1.ListCryptoKeyVersionsResponse(crypto_key_versions=page, next_page_token=token, total_size=len(found))

    def _get_public_key(self, request: kms_v1.GetPublicKeyRequest) -> kms_v1.PublicKey:
        version = self._enabled(request.name)
        pem = version.material.public_pem()
        return kms_v1.PublicKey(
            name=request.name,
            algorithm=version.described.algorithm,
            pem=pem.decode(),
            pem_crc32c=wrappers_pb2.Int64Value(value=crc32c(pem)),
            protection_level=version.described.protection_level,
        )

    def _asymmetric_sign(self, request: kms_v1.AsymmetricSignRequest) -> kms_v1.AsymmetricSignResponse:
        version = self._enabled(request.name)
        digest, data = self._what_to_sign(request, version.material)
        try:
            signature = version.material.sign(digest if digest is not None else data or b"", prehashed=digest is not None)
        except ValueError as error:
            _refuse("INVALID_ARGUMENT", str(error))
        return kms_v1.AsymmetricSignResponse(
            signature=signature,
            signature_crc32c=wrappers_pb2.Int64Value(value=crc32c(signature)),
            verified_digest_crc32c=request.digest_crc32c is not None,
            verified_data_crc32c=request.data_crc32c is not None,
            name=request.name,
            protection_level=version.described.protection_level,
        )

    def _what_to_sign(self, request: kms_v1.AsymmetricSignRequest, material: Material) -> tuple[bytes | None, bytes | None]:
        given = {hash_: getattr(request.digest, hash_) for hash_ in ("sha256", "sha384", "sha512")}
        given = {hash_: digest for hash_, digest in given.items() if digest}
        if bool(given) == bool(request.data):
            _refuse("INVALID_ARGUMENT", "Exactly one of digest and data must be set.")
        if len(request.data) > LARGEST_MESSAGE:
            _refuse("INVALID_ARGUMENT", f"data is {len(request.data)} bytes, and may have {LARGEST_MESSAGE}.")
        if given and set(given) != {material.hash}:
            _refuse("INVALID_ARGUMENT", "The digest is not of the hash of the key version's algorithm.")
        sent = next(iter(given.values()), request.data)
        checksum = request.digest_crc32c if given else request.data_crc32c
        if checksum is not None and checksum != crc32c(sent):
            _refuse("INVALID_ARGUMENT", "The checksum does not match what was received.")
        return (sent, None) if given else (None, sent)

    def _key(self, name: str) -> kms_v1.CryptoKey:
        if not _KEY_NAME.match(name):
            _refuse("INVALID_ARGUMENT", f"Resource name [{name}] is not that of a CryptoKey.")
        if name not in self.keys:
            _refuse("NOT_FOUND", f"CryptoKey {name} not found.")
        return self.keys[name]

    def _version(self, name: str) -> Version:
        if not _VERSION_NAME.match(name):
            _refuse("INVALID_ARGUMENT", f"Resource name [{name}] is not that of a CryptoKeyVersion.")
        key, _, _ = name.partition("/cryptoKeyVersions/")
        for version in self.versions.get(key, ()):
            if version.described.name == name:
                return version
        return _refuse("NOT_FOUND", f"CryptoKeyVersion {name} not found.")

    def _enabled(self, name: str) -> Version:
        version = self._version(name)
        if version.described.state != State.ENABLED:
            state = State(version.described.state).name
            _refuse("FAILED_PRECONDITION", f"{name} is not enabled, current state is: {state}.")
        return version

    def _page(self, found: list[proto.Message], request: proto.Message) -> tuple[list[proto.Message], str]:
        size = min(request.page_size or 100, self.page_size)
        start = int(request.page_token or 0)
        return found[start : start + size], str(start + size) if start + size < len(found) else ""


def _refuse(code: str, details: str) -> NoReturn:
    raise _RefusedError(grpc.StatusCode[code], details)


def _method_name(method: str) -> str:
    return re.sub(r"(?=[A-Z])", "_", method).lower()
