"""What the exceptions of urllib3 mean, and the statuses of a service where it says no more."""

from __future__ import annotations

import ssl
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from urllib3 import exceptions as http

from hatch_sign.remote import Failure, FailureKind, classify_status, parse_retry_after, untrusted_certificate
from hatch_sign_services.client import LARGEST, Reply, StatusError, TooLargeError

if TYPE_CHECKING:
    from collections.abc import Callable

_HANDSHAKE = Failure(
    FailureKind.UNAUTHENTICATED,
    found="ended the TLS handshake: it may want a client certificate, or did not accept this one",
    remedy="check the client certificate and its key",
)


def _unreached(found: str) -> Failure:
    return Failure(FailureKind.UNAVAILABLE, found=found, undone=True)


_KINDS: dict[type[Exception], Failure] = {
    TooLargeError: Failure(FailureKind.MALFORMED, found=f"answered with more than {LARGEST} bytes"),
    http.ProxyError: _unreached("could not be reached through the proxy"),
    http.NameResolutionError: _unreached("could not be found: its name has no address"),
    http.NewConnectionError: _unreached("could not be reached"),
    http.ConnectTimeoutError: _unreached("could not be reached in time"),
    http.TimeoutError: Failure(FailureKind.UNAVAILABLE, found="did not answer in time"),
    http.ProtocolError: Failure(FailureKind.UNAVAILABLE, found="broke the connection off"),
}
"""The more special before the more general."""


def classify_transport(error: Exception, *, trust: str) -> Failure | None:
    """Return what `error`, raised by a client, means; None for what it does not know.

    `trust` is the remedy where the certificate of the service is not trusted.
    """
    if isinstance(error, StatusError):
        return classify_reply(error.reply)
    if untrusted := untrusted_certificate(error, remedy=trust):
        return untrusted
    causes = [error, *error.args, error.__cause__, error.__context__]
    if any(isinstance(each, ssl.SSLError | http.SSLError) for each in causes):
        return _HANDSHAKE
    if isinstance(error, http.ProxyError) and " 407 " in f"{error.original_error} ":
        return classify_status(407)
    return next((failure for kind, failure in _KINDS.items() if isinstance(error, kind)), None)


def classify_submission(classify: Callable[[Exception], Failure | None]) -> Callable[[Exception], Failure | None]:
    """Return `classify` for what a signature was asked for by: it says where the service may have made one unheard.

    Such a signature is paid for, counted or logged, and is not asked for once more behind the back of the user.
    """

    def classified(error: Exception) -> Failure | None:
        failure = classify(error)
        if failure is None or failure.kind is not FailureKind.UNAVAILABLE or failure.undone:
            return failure
        found = f"{failure.found or 'failed inside'}, and may have made the signature; it is not asked for it again"
        return replace(failure, found=found, remedy="see what the service logged, then run again for what is not signed")

    return classified


def classify_reply(reply: Reply) -> Failure:
    """Return what the status of `reply` means by itself, with what its Retry-After asks for."""
    if 300 <= reply.status < 400:  # noqa: PLR2004 - redirections (RFC 9110 §15.4)
        found = "answered with a redirection, which is not followed: it would take the credential elsewhere"
        return Failure(FailureKind.INVALID, str(reply.status), found, "correct the address")
    return classify_status(reply.status, retry_after=retry_after(reply))


def retry_after(reply: Reply) -> float | None:
    """Return the seconds that the service asks for."""
    return parse_retry_after(reply.headers.get("retry-after"), now=datetime.now(UTC))
