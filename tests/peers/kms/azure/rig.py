"""Starts and ends the stand-in for Azure Key Vault, and says how a client is pointed at it and logs in."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from .server import Server
from .service import Fault, Reply, VaultService

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..authority import LoopbackCertificate

__all__ = ["Fault", "Reply", "Server", "VaultService", "environment", "serving"]


@contextmanager
def serving(service: VaultService, certificate: LoopbackCertificate) -> Iterator[Server]:
    """Serve over HTTPS."""
    server = Server(service, certificate.both)
    try:
        yield server
    finally:
        server.stop()


def environment(service: VaultService, certificate: LoopbackCertificate) -> dict[str, str]:
    """Return the variables of a managed identity and of a private authority, as Azure's users set them."""
    return {
        "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
        "IDENTITY_ENDPOINT": f"{service.base}/identity",
        "IDENTITY_HEADER": service.identity,
        "REQUESTS_CA_BUNDLE": str(certificate.roots),
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }
