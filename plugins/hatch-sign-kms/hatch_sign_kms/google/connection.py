"""The connection to the service: its client, and the credential of Google's own tools."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from hatch_sign.remote import NetworkLimits, ServiceCaller, missing_extra, open_remote_key
from hatch_sign_kms.google.endpoint import find_endpoint
from hatch_sign_kms.google.key import Connection, GoogleKey
from hatch_sign_kms.google.references import parse_google_reference
from hatch_sign_kms.google.translate import SERVICE, classify
from hatch_sign_kms.logs import keep_quiet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from google.auth.credentials import Credentials
    from google.cloud.kms_v1 import KeyManagementServiceClient

    from hatch_sign.contract.backends import BackendContext, Signer
    from hatch_sign_kms.google.endpoint import Endpoint
    from hatch_sign_kms.google.references import GoogleReference

NORMAL = NetworkLimits()

_SCOPE = "https://www.googleapis.com/auth/cloudkms"
"""The narrowest that may sign."""


def open_key(reference: str, context: BackendContext) -> AbstractContextManager[Signer]:
    """Return what connects when it is entered, and disconnects when it is left. Raises ConfigurationError."""
    parsed = parse_google_reference(reference)
    return open_remote_key(lambda: _connect_to_key(parsed, context), subject=parsed.text, context=context)


def make_caller(reference: GoogleReference, context: BackendContext, *, limits: NetworkLimits = NORMAL) -> ServiceCaller:
    """Return what asks the service about one reference."""
    return ServiceCaller(SERVICE, reference.text, classify, limits, stopped=lambda: context.stopped)


def require_sdk() -> type[KeyManagementServiceClient]:
    """Return the class of the SDK's client. Raises PluginError where the SDK is missing."""
    try:
        from google.cloud.kms_v1 import KeyManagementServiceClient  # noqa: PLC0415 - an extra, and half a second
    except ImportError:
        raise missing_extra(scheme="gcpkms:", package="google.cloud.kms", requirement="hatch-sign-kms[google]") from None
    return KeyManagementServiceClient


@contextmanager
def connect(caller: ServiceCaller, environ: Mapping[str, str]) -> Iterator[Connection]:
    """Log in and lend a connection; one channel carries all calls at once.

    Raises PluginError where the SDK is missing, ConfigurationError for an endpoint that may not be called, CustodyError.
    """
    endpoint = find_endpoint(environ)
    kind = require_sdk()
    keep_quiet("google")
    client = caller.call(lambda: _make_client(kind, endpoint, caller))
    try:
        yield Connection(client, plain_channel=endpoint is not None and endpoint.plain)
    finally:
        client.transport.close()  # type: ignore[no-untyped-call] # the SDK left it without types


@contextmanager
def _connect_to_key(reference: GoogleReference, context: BackendContext) -> Iterator[GoogleKey]:
    caller = make_caller(reference, context)
    with connect(caller, context.environ) as connection:
        yield GoogleKey(connection, reference, caller)


def _make_client(
    kind: type[KeyManagementServiceClient], endpoint: Endpoint | None, caller: ServiceCaller
) -> KeyManagementServiceClient:
    if endpoint is not None and endpoint.plain:
        import grpc  # noqa: PLC0415 - comes with the SDK

        transport = kind.get_transport_class("grpc")
        return kind(transport=transport(channel=grpc.insecure_channel(endpoint.address)))
    options = {"api_endpoint": endpoint.address} if endpoint is not None else {}
    return kind(credentials=_log_in(caller.limits), client_options=options)


def _log_in(limits: NetworkLimits) -> Credentials:
    """Return the default credential, renewed: inside a call, gRPC would take a refused renewal for a broken network."""
    import google.auth  # noqa: PLC0415 - comes with the SDK
    from google.auth.transport.requests import Request  # noqa: PLC0415 - as above

    credentials, _ = google.auth.default(scopes=[_SCOPE])
    if hasattr(credentials, "with_always_use_jwt_access"):
        # The key of a service account signs its own tokens, as the SDK does: no token service has to be reached.
        credentials = credentials.with_always_use_jwt_access(True)  # noqa: FBT003 - the SDK named it no parameter
    renewal = partial(Request(), timeout=limits.connect + limits.read)
    credentials.refresh(renewal)  # type: ignore[no-untyped-call] # as above
    return credentials
