"""The stand-ins of Google Cloud KMS and Azure Key Vault, as the tests of the command line see them."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from google.protobuf.wrappers_pb2 import Int64Value

from .authority import make_loopback_certificate
from .azure import rig as azure
from .azure.material import encode
from .google import rig as google
from .google.material import crc32c

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import proto

FORGED = bytes.fromhex("3006020101020101")
"""The DER of a signature with r = s = 1: well-formed, and by nobody."""


@dataclass
class StandIn:
    """What the tests have to know of a service.

    `fail` lets the next calls that sign run into a trouble, `forge` has them answered by nobody's signature, `rotate`
    makes another key answer to a name from now on, `deny` takes the permission to sign away; `on_signing` is what happens
    in the world before each signature. `signing` is the operation that signs, as `calls` lists it.
    """

    scheme: str
    prefix: str
    signing: str
    permission: str
    environ: Mapping[str, str]
    secrets: tuple[str, ...]
    state: google.KeyService | azure.VaultService
    fail: Callable[[str, int], None]
    forge: Callable[[], None]
    rotate: Callable[[str], object]
    deny: Callable[[], None]

    def reference(self, name: str) -> str:
        return self.prefix + name

    def count(self, operation: str) -> int:
        return self.state.calls.count(operation)

    def reset(self) -> None:
        self.state.faults.clear()
        self.state.answers.clear()
        self.state.denied.clear()
        self.state.calls.clear()
        self.state.delay, self.state.most_at_once = 0.0, 0

    def on_signing(self, hook: Callable[[], None]) -> None:
        def unchanged(answer: object) -> object:
            hook()
            return answer

        self.state.answers[self.signing] = unchanged  # type: ignore[assignment] # of either kind of answer


@contextlib.contextmanager
def google_stand_in(folder: Path) -> Iterator[StandIn]:
    """Serve Google Cloud KMS over TLS, to a service account."""
    account = rsa.generate_private_key(65537, 2048)
    secret = account.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    content = {"type": "service_account", "client_email": "signer@example.iam.gserviceaccount.com"}
    content |= {"private_key": secret, "private_key_id": "1", "token_uri": "http://127.0.0.1:9/token"}
    (folder / "account.json").write_text(json.dumps(content))
    certificate = make_loopback_certificate(folder)
    service = google.KeyService(accepts=lambda token: token.count(".") == 2)
    statuses = {
        "throttled": "RESOURCE_EXHAUSTED",
        "failed": "INTERNAL",
        "unavailable": "UNAVAILABLE",
        "expired": "UNAUTHENTICATED",
    }

    def forge(answer: proto.Message) -> proto.Message:
        answer.signature, answer.signature_crc32c = FORGED, Int64Value(value=crc32c(FORGED))
        return answer

    with google.serving_tls(service, certificate) as server:
        yield StandIn(
            scheme="gcpkms",
            prefix=f"gcpkms://{google.RING}/cryptoKeys/",
            signing="AsymmetricSign",
            permission="cloudkms.cryptoKeyVersions.useToSign",
            environ=google.environment(server, scheme="https")
            | {
                "GOOGLE_APPLICATION_CREDENTIALS": str(folder / "account.json"),
                "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(certificate.roots),
            },
            secrets=(secret, *secret.splitlines()[1:-1]),
            state=service,
            fail=lambda trouble, times: service.fail("AsymmetricSign", statuses[trouble], secret, times=times),
            forge=lambda: service.answers.update(AsymmetricSign=forge),
            rotate=lambda name: service.add_version(f"{google.RING}/cryptoKeys/{name}"),
            deny=lambda: service.denied.add("cloudkms.cryptoKeyVersions.useToSign"),
        )


@contextlib.contextmanager
def azure_stand_in(folder: Path) -> Iterator[StandIn]:
    """Serve Azure Key Vault, to a managed identity."""
    certificate = make_loopback_certificate(folder)
    service = azure.VaultService()
    statuses = {
        "throttled": (429, "Throttled"),
        "failed": (500, "InternalServerError"),
        "unavailable": (503, ""),
        "expired": (401, "Unauthorized"),
    }
    forged = encode(bytes(31) + b"\1" + bytes(31) + b"\1")
    with azure.serving(service, certificate) as server:
        yield StandIn(
            scheme="azurekms",
            prefix=f"azurekms://{server.host}/",
            signing="sign",
            permission="keys/sign",
            environ=azure.environment(service, certificate),
            secrets=(service.token, service.identity),
            state=service,
            fail=lambda trouble, times: service.fail("sign", *statuses[trouble], times=times),
            forge=lambda: service.answers.update(sign=lambda answer: answer | {"value": forged}),
            rotate=lambda name: service.add_key(name, "EC-HSM", "P-256"),
            deny=lambda: service.denied.add("keys/sign"),
        )
