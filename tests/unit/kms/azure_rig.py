"""A key of the stand-in for Azure Key Vault, with a policy for failures whose time stands still."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from azure.keyvault.keys._shared import http_challenge_cache

from hatch_sign.remote import NetworkLimits, ServiceCaller
from hatch_sign_kms.azure.connection import connect
from hatch_sign_kms.azure.key import AzureKey
from hatch_sign_kms.azure.references import parse_azure_reference
from hatch_sign_kms.azure.translate import classify

from ...peers.kms.azure.rig import Server, VaultService, environment, serving
from ..remote.services import Time

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from ...peers.kms.authority import LoopbackCertificate


@dataclass(frozen=True)
class Rig:
    """`key` is not described yet; `time` passes only when somebody sleeps; `warnings` are what the user was told."""

    service: VaultService
    server: Server
    caller: ServiceCaller
    key: AzureKey
    time: Time
    warnings: list[str] = field(default_factory=list)


@contextmanager
def opened(
    service: VaultService,
    certificate: LoopbackCertificate,
    monkeypatch: pytest.MonkeyPatch,
    *,
    version: str = "",
    read: float = 20.0,
) -> Iterator[Rig]:
    """Serve, log in as a managed identity, and lend the key ``signing``."""
    # The SDK remembers what each host and port wants for the life of the process, and ports come back.
    http_challenge_cache.clear()
    time = Time()
    with serving(service, certificate) as server:
        for name, value in environment(service, certificate).items():
            monkeypatch.setenv(name, value)
        text = f"azurekms://{server.host}/signing" + (f"/{version}" if version else "")
        reference = parse_azure_reference(text)
        caller = ServiceCaller(reference.service, text, classify, NetworkLimits(read=read), time.timing)
        warnings: list[str] = []
        with connect(reference, caller, connections=4) as vault:
            key = AzureKey(vault, reference, caller, warn=warnings.append)
            yield Rig(service, server, caller, key, time, warnings)


def make_service(kty: str = "EC", kind: str = "P-256", **attributes: object) -> VaultService:
    """Return a vault with the key ``signing`` of one version."""
    service = VaultService()
    service.add_key("signing", kty, kind, **attributes)
    return service
