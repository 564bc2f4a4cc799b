"""A key of the stand-in for Google Cloud KMS, with a policy for failures whose time stands still."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc
from google.cloud.kms_v1 import KeyManagementServiceClient

from hatch_sign.remote import NetworkLimits, ServiceCaller
from hatch_sign_kms.google.key import Connection, GoogleKey
from hatch_sign_kms.google.references import parse_google_reference
from hatch_sign_kms.google.translate import SERVICE, classify

from ...peers.kms.google.rig import RING, Algorithm, KeyService, Server, serving
from ..remote.services import Time

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Rig:
    """`key` is not described yet; `time` passes only when somebody sleeps."""

    service: KeyService
    server: Server
    client: KeyManagementServiceClient
    caller: ServiceCaller
    key: GoogleKey
    time: Time


@contextmanager
def opened(service: KeyService, *, version: str = "", read: float = 20.0, port: int = 0) -> Iterator[Rig]:
    """Serve, and lend the key ``signing`` of the ring; another `port` is called instead, if it is given."""
    text = f"gcpkms://{RING}/cryptoKeys/signing" + (f"/cryptoKeyVersions/{version}" if version else "")
    time = Time()
    caller = ServiceCaller(SERVICE, text, classify, NetworkLimits(read=read), time.timing)
    with serving(service) as server:
        channel = grpc.insecure_channel(f"127.0.0.1:{port or server.port}")
        transport = KeyManagementServiceClient.get_transport_class("grpc")(channel=channel)
        client = KeyManagementServiceClient(transport=transport)
        try:
            key = GoogleKey(Connection(client, plain_channel=False), parse_google_reference(text), caller)
            yield Rig(service, server, client, caller, key, time)
        finally:
            channel.close()


def make_service(algorithm: int = Algorithm.EC_SIGN_P256_SHA256) -> KeyService:
    """Return a service with the key ``signing`` of one version."""
    service = KeyService()
    service.add_key(RING, "signing", algorithm)
    return service
