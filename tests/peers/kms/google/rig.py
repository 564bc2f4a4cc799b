"""Starts and ends the stand-in for Google Cloud KMS, and says how a client is pointed at it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import grpc

from hatch_sign_kms.google.endpoint import VARIABLE

from .server import Server
from .service import Algorithm, KeyService, Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..authority import LoopbackCertificate

RING = "projects/example/locations/europe-west1/keyRings/release"

__all__ = ["RING", "Algorithm", "KeyService", "Level", "Server", "environment", "serving", "serving_tls"]


@contextmanager
def serving(service: KeyService) -> Iterator[Server]:
    """Serve on a plain channel, as an emulator does."""
    server = Server(service)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def serving_tls(service: KeyService, certificate: LoopbackCertificate) -> Iterator[Server]:
    """Serve over TLS, as Google does: a credential is needed."""
    pair = (certificate.key.read_bytes(), certificate.chain.read_bytes())
    server = Server(service, grpc.ssl_server_credentials([pair]))
    try:
        yield server
    finally:
        server.stop()


def environment(server: Server, *, scheme: str = "http") -> dict[str, str]:
    """Return the variables by which users of gcloud are pointed at another address."""
    return {VARIABLE: f"{scheme}://127.0.0.1:{server.port}/", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
