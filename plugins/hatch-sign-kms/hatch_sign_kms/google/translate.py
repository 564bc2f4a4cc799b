"""What each exception of Google's libraries means; their texts are never shown, for they may repeat a credential."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.remote import Failure, FailureKind, classify_status, proxy_login_wanted, untrusted_certificate

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVICE = "Google Cloud KMS"
LOGIN = "log in: gcloud auth application-default login, GOOGLE_APPLICATION_CREDENTIALS, or workload identity"

_LOST_LOGIN = "Getting metadata from plugin failed"
"""How gRPC says that it was the credential's renewal that failed, and not the call."""
_UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
"""How gRPC says that no repetition will help."""
_PROXY_LOGIN = "HTTP proxy returned response code 407"
"""How gRPC says that the proxy wants a login."""
_TRUST = "check the address; for a proxy or a private authority, set GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"
_FINAL_LOGIN = ("invalid_grant", "invalid_client", "unauthorized_client", "Reauthentication")


def classify(error: Exception) -> Failure | None:
    """Return what `error` means, None for what is no exception of Google's."""
    from google.api_core import exceptions as api  # noqa: PLC0415 - with the SDK only
    from google.auth import exceptions as auth  # noqa: PLC0415 - as above

    if isinstance(error, auth.GoogleAuthError):
        return _classify_login(error)
    if isinstance(error, api.GoogleAPICallError):
        return _classify_status(error)
    return None


def _classify_status(error: object) -> Failure:
    status = getattr(getattr(error, "grpc_status_code", None), "name", "")
    text = str(getattr(error, "message", ""))
    if status == "UNAVAILABLE" and text.startswith(_LOST_LOGIN) and any(word in text for word in _FINAL_LOGIN):
        return Failure(FailureKind.UNAUTHENTICATED, status, remedy=LOGIN)
    if status == "UNAVAILABLE" and _UNTRUSTED in text:
        return Failure(FailureKind.INVALID, status, "showed a TLS certificate that is not trusted", _TRUST)
    if status == "UNAVAILABLE" and _PROXY_LOGIN in text:
        return classify_status(407)
    kind, found, remedy = _STATUSES.get(status, (FailureKind.MALFORMED, "", ""))
    return Failure(kind, status, found, remedy, _retry_delay(error))


_STATUSES: Mapping[str, tuple[FailureKind, str, str]] = {
    "UNAUTHENTICATED": (FailureKind.UNAUTHENTICATED, "", LOGIN),
    "PERMISSION_DENIED": (FailureKind.REFUSED, "", ""),
    "NOT_FOUND": (FailureKind.MISSING, "", "check the project, the location, the key ring, the key and its version"),
    "ALREADY_EXISTS": (FailureKind.INVALID, "has a key of this name already", "choose another name"),
    "FAILED_PRECONDITION": (
        FailureKind.INVALID,
        "cannot use this version of the key: it is disabled, destroyed, or was not generated yet",
        "enable the version, or name another",
    ),
    "INVALID_ARGUMENT": (FailureKind.INVALID, "", "check the purpose and the algorithm of the key"),
    "OUT_OF_RANGE": (FailureKind.INVALID, "", ""),
    "UNIMPLEMENTED": (FailureKind.MALFORMED, "does not know this call", ""),
    "RESOURCE_EXHAUSTED": (FailureKind.THROTTLED, "", ""),
    "UNAVAILABLE": (FailureKind.UNAVAILABLE, "", ""),
    "DEADLINE_EXCEEDED": (FailureKind.UNAVAILABLE, "did not answer in time", ""),
    "INTERNAL": (FailureKind.UNAVAILABLE, "failed inside", ""),
    "UNKNOWN": (FailureKind.UNAVAILABLE, "failed inside", ""),
    "ABORTED": (FailureKind.UNAVAILABLE, "", ""),
    "CANCELLED": (FailureKind.UNAVAILABLE, "", ""),
    "DATA_LOSS": (FailureKind.MALFORMED, "lost data on the way", ""),
}
"""gRPC's status codes (google/rpc/code.proto), but for OK."""


def _classify_login(error: Exception) -> Failure:
    from google.auth import exceptions as auth  # noqa: PLC0415 - as above

    untrusted = untrusted_certificate(error, remedy="for a proxy or a private authority, set REQUESTS_CA_BUNDLE")
    if untrusted is not None:
        return untrusted
    if (login := proxy_login_wanted(error)) is not None:
        return login
    if isinstance(error, auth.TransportError | auth.TimeoutError) or getattr(error, "retryable", False):
        return Failure(FailureKind.UNAVAILABLE, found="could not be logged in to: the token service did not answer")
    if isinstance(error, auth.RefreshError):
        return Failure(FailureKind.UNAUTHENTICATED, remedy=LOGIN)
    if isinstance(error, auth.DefaultCredentialsError | auth.MutualTLSChannelError):
        return Failure(FailureKind.NO_CREDENTIAL, found="needs a credential, and none could be read", remedy=LOGIN)
    return Failure(FailureKind.NO_CREDENTIAL, found="could not be logged in to with this credential", remedy=LOGIN)


def _retry_delay(error: object) -> float | None:
    """Return the seconds that the answer asks for (google.rpc.RetryInfo)."""
    for detail in getattr(error, "details", ()):
        delay = getattr(detail, "retry_delay", None)
        if delay is not None:
            return float(delay.seconds) + float(delay.nanos) / 1e9
    return None
