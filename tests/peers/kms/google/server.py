"""The stand-in's door: a gRPC server on a port of loopback, plain or with TLS."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import grpc
from google.cloud import kms_v1

if TYPE_CHECKING:
    import proto

    from .service import KeyService

_TYPES: dict[str, tuple[type[proto.Message], type[proto.Message]]] = {
    "GetCryptoKey": (kms_v1.GetCryptoKeyRequest, kms_v1.CryptoKey),
    "ListCryptoKeys": (kms_v1.ListCryptoKeysRequest, kms_v1.ListCryptoKeysResponse),
    "CreateCryptoKey": (kms_v1.CreateCryptoKeyRequest, kms_v1.CryptoKey),
    "GetCryptoKeyVersion": (kms_v1.GetCryptoKeyVersionRequest, kms_v1.CryptoKeyVersion),
    "ListCryptoKeyVersions": (kms_v1.ListCryptoKeyVersionsRequest, kms_v1.ListCryptoKeyVersionsResponse),
    "GetPublicKey": (kms_v1.GetPublicKeyRequest, kms_v1.PublicKey),
    "AsymmetricSign": (kms_v1.AsymmetricSignRequest, kms_v1.AsymmetricSignResponse),
}


class Server:
    """A :class:`KeyService` behind a port of loopback, plain or with TLS, until it is stopped."""

    def __init__(self, service: KeyService, credentials: grpc.ServerCredentials | None = None) -> None:
        self.service = service
        # More threads than any client calls at once: the stand-in must not be what limits it.
        self._server = grpc.server(ThreadPoolExecutor(max_workers=32), options=[("grpc.so_reuseport", 0)])
        handlers = {method: self._handler(method) for method in _TYPES}
        generic = grpc.method_handlers_generic_handler("google.cloud.kms.v1.KeyManagementService", handlers)
        self._server.add_generic_rpc_handlers((generic,))
        if credentials is None:
            self.port = self._server.add_insecure_port("127.0.0.1:0")
        else:
            self.port = self._server.add_secure_port("127.0.0.1:0", credentials)
        self._server.start()

    def stop(self) -> None:
        self._server.stop(grace=None).wait()

    def _handler(self, method: str) -> grpc.RpcMethodHandler:
        request, response = _TYPES[method]
        return grpc.unary_unary_rpc_method_handler(
            lambda message, context: self.service.handle(method, message, context),
            request_deserializer=request.deserialize,
            response_serializer=response.serialize,
        )
