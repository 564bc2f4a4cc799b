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
from .clouds import FORGED, Cloud
from .google import rig as google
from .google.material import crc32c

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import proto


@dataclass
class StandIn(Cloud):
    """`signing` is the operation that signs, as the state's `calls` list it; `failing` lets the next ones fail by a word."""

    signing: str
    state: google.KeyService | azure.VaultService
    failing: Callable[[str, int], None]
    forged: Callable[[], None]
    rotated: Callable[[str], object]

    def reset(self) -> None:
        self.state.faults.clear()
        self.state.answers.clear()
        self.state.denied.clear()
        self.state.calls.clear()
        self.state.delay, self.state.most_at_once = 0.0, 0

    def fail(self, trouble: str, times: int) -> None:
        self.failing(trouble, times)

    def deny(self) -> None:
        self.state.denied.add(self.permission)

    def deny_reading(self) -> None:
        self.state.denied.add(self.reading_permission)

    def forge(self) -> None:
        self.forged()

    def rotate(self, name: str) -> None:
        self.rotated(name)

    def before_signing(self, hook: Callable[[], None]) -> None:
        def unchanged(answer: object) -> object:
            hook()
            return answer

        self.state.answers[self.signing] = unchanged  # type: ignore[assignment] # of either kind of answer

    def end_after(self, signatures: int) -> None:
        signed: list[int] = []

        def count() -> None:
            signed.append(1)
            if len(signed) == signatures:
                self.fail("unavailable", 10_000)

        self.before_signing(count)

    def slow_down(self, seconds: float) -> None:
        self.state.delay = seconds

    def signatures(self) -> int:
        return self.state.calls.count(self.signing)

    def most_at_once(self) -> int:
        return self.state.most_at_once


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
            whole=f"gcpkms://{google.RING}",
            signing="AsymmetricSign",
            permission="cloudkms.cryptoKeyVersions.useToSign",
            reading_permission="cloudkms.cryptoKeyVersions.viewPublicKey",
            protection=("provider-asserted", "protectionLevel", "HSM"),
            diagnosis=("google-cloud-kms", "127.0.0.1:"),
            credentials=("GOOGLE_APPLICATION_CREDENTIALS",),
            alone={"NO_GCE_CHECK": "true"},
            without_credential="needs a credential, and none.*; log in",
            environ=google.environment(server, scheme="https")
            | {
                "GOOGLE_APPLICATION_CREDENTIALS": str(folder / "account.json"),
                "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(certificate.roots),
            },
            secrets=(secret, *secret.splitlines()[1:-1]),
            state=service,
            failing=lambda trouble, times: service.fail("AsymmetricSign", statuses[trouble], secret, times=times),
            forged=lambda: service.answers.update(AsymmetricSign=forge),
            rotated=lambda name: service.add_version(f"{google.RING}/cryptoKeys/{name}"),
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
            whole=f"azurekms://{server.host}",
            signing="sign",
            permission="keys/sign",
            reading_permission="keys/get",
            protection=("provider-asserted", "kty", "EC-HSM"),
            diagnosis=("azure-keyvault-keys", "127.0.0.1:"),
            credentials=("IDENTITY_ENDPOINT", "IDENTITY_HEADER"),
            alone={"AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential"},
            without_credential="needs a credential, and none.*; log in",
            environ=azure.environment(service, certificate),
            secrets=(service.token, service.identity),
            state=service,
            failing=lambda trouble, times: service.fail("sign", *statuses[trouble], times=times),
            forged=lambda: service.answers.update(sign=lambda answer: answer | {"value": forged}),
            rotated=lambda name: service.add_key(name, "EC-HSM", "P-256"),
        )
