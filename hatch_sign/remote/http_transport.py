"""One attempt of a question by HTTP, over urllib: redirects, limits and errors. Imported where a network is asked only."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.parse import urljoin, urlsplit
from urllib.request import OpenerDirector, ProxyHandler, Request

from hatch_sign import __version__
from hatch_sign.remote.certificates import untrusted_certificate
from hatch_sign.remote.failures import Failure, FailureKind, classify_status
from hatch_sign.remote.http_messages import Reply
from hatch_sign.remote.http_streams import LimitedHandler
from hatch_sign.remote.proxies import proxy_login_wanted
from hatch_sign.remote.retrying import parse_retry_after

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hatch_sign.remote.http_messages import Question
    from hatch_sign.remote.http_streams import Deadline
    from hatch_sign.remote.limits import NetworkLimits

_MOST_REDIRECTS = 3
_OK = 200
_PIECE = 64 * 1024
"""Bytes to read at once: of chunks of one byte each, the library keeps an object for every one until it has them all."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REDIRECTS_WITH_BODY = frozenset({307, 308})
_SSL_REMEDY = "where a private authority certifies it, name its roots in SSL_CERT_FILE"
_PHRASES: Mapping[FailureKind, str] = {
    FailureKind.UNAVAILABLE: "failed",
    FailureKind.REFUSED: "refused",
    FailureKind.UNAUTHENTICATED: "wants a login, which is not supported",
    FailureKind.MISSING: "has nothing there",
    FailureKind.INVALID: "does not take the request",
    FailureKind.MALFORMED: "gave an answer that is not expected",
}


class _ProtocolError(Exception):
    """What a server did that ends the matter, as a failure."""

    def __init__(self, failure: Failure) -> None:
        super().__init__()
        self.failure = failure


def exchange(question: Question, limits: NetworkLimits, deadline: Deadline) -> Reply | Failure:
    """Ask once, following redirects, and return the answer with status 200, or what kept it from coming."""
    address = question.address
    try:
        for _ in range(_MOST_REDIRECTS + 1):
            with _opened(question, address, limits, deadline) as response:
                if response.status not in _REDIRECTS:
                    return _read(response, question.largest)
                address = _redirected(address, response, with_body=question.body is not None)
    except Exception as error:  # noqa: BLE001 - the library raises what it likes, and each becomes a failure
        return _classify(error)
    return Failure(FailureKind.INVALID, found="redirects in circles, or too often")


def _opened(question: Question, address: str, limits: NetworkLimits, deadline: Deadline) -> http.client.HTTPResponse:
    _require_plain(address)
    headers = {"Accept": question.accept, "User-Agent": f"hatch-sign/{__version__}"}
    if question.body is not None:
        headers["Content-Type"] = question.content_type
    request = Request(address, data=question.body, headers=headers)  # noqa: S310 - checked to be http or https
    opener = OpenerDirector()  # a bare one: no redirects, cookies, files or passwords
    opener.addheaders = []
    for handler in (ProxyHandler(), LimitedHandler(limits, deadline)):
        opener.add_handler(handler)
    response: http.client.HTTPResponse = opener.open(request, timeout=deadline.patience(limits.connect))
    return response


def _read(response: http.client.HTTPResponse, largest: int) -> Reply | Failure:
    if response.status != _OK:
        asked_for = parse_retry_after(response.headers.get("Retry-After"), now=datetime.now(UTC))
        failure = classify_status(response.status, retry_after=asked_for)
        return failure if failure.found else _told(failure)
    if response.headers.get("Content-Encoding", "identity").strip().lower() not in {"identity", ""}:
        return Failure(FailureKind.MALFORMED, found="compressed its answer, which was not asked for")
    if (response.length or 0) > largest:
        return _too_large(largest)
    body = bytearray()
    while len(body) <= largest and (piece := response.read(min(_PIECE, largest + 1 - len(body)))):
        body += piece
    if len(body) > largest:
        return _too_large(largest)
    if response.length:  # the library calls it no error where bytes are missing at the end
        return Failure(FailureKind.UNAVAILABLE, found="cut the connection in the middle of its answer")
    return Reply(response.status, {name.lower(): value for name, value in response.headers.items()}, bytes(body))


def _told(failure: Failure) -> Failure:
    return Failure(
        failure.kind, failure.code, _PHRASES.get(failure.kind, ""), retry_after=failure.retry_after, remedy=failure.remedy
    )


def _too_large(largest: int) -> Failure:
    return Failure(FailureKind.MALFORMED, found=f"sent more than {largest} bytes")


# --- where to ------------------------------------------------------------------------------------------------------


def _require_plain(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise _ProtocolError(Failure(FailureKind.INVALID, found="is no http or https address without a password"))


def _redirected(address: str, response: http.client.HTTPResponse, *, with_body: bool) -> str:
    target = urljoin(address, response.headers.get("Location", ""))
    before, after = urlsplit(address), urlsplit(target)
    found = ""
    if with_body and response.status not in _REDIRECTS_WITH_BODY:
        found = "redirects in a way that leaves the question behind"
    elif before.scheme == "https" and after.scheme != "https":
        found = "redirects from https to a plain channel"
    elif _is_inside(after.hostname or "") and not _is_inside(before.hostname or ""):
        found = "redirects to an address of this machine or of a private network"
    if found:
        raise _ProtocolError(Failure(FailureKind.INVALID, str(response.status), found, "name the address that it now has"))
    return target


def _is_inside(host: str) -> bool:
    """Return whether a host is written as one of this machine or of a private network; names are not looked up.

    One written so that only the resolver can say what it is (RFC 3986 §3.2.2 allows percent signs) is taken for such.
    """
    plain = host.lower().rstrip(".")
    if not plain.isascii() or "%" in plain:
        return True
    try:
        return not ipaddress.ip_address(_full_address(plain)).is_global
    except ValueError:
        return plain.endswith("localhost")


def _full_address(host: str) -> str | bytes:
    """Return the IPv4 address of a host like ``127.1``, ``0x7f.1`` or ``2130706433``, which resolvers take for one."""
    try:
        return socket.inet_aton(host)
    except OSError:
        return host


# --- what went wrong -------------------------------------------------------------------------------------------------


def _classify(error: Exception) -> Failure:
    if isinstance(error, _ProtocolError):
        return error.failure
    known = proxy_login_wanted(error) or untrusted_certificate(error, remedy=_SSL_REMEDY)
    if known is not None:
        return known
    cause = error.reason if isinstance(error, URLError) and isinstance(error.reason, Exception) else error
    kind, found = _meaning(cause)
    return Failure(kind, found=found)


def _meaning(error: Exception) -> tuple[FailureKind, str]:
    for known, kind, found in _MEANINGS:
        if isinstance(error, known):
            return kind, found
    return FailureKind.INVALID, f"could not be asked ({type(error).__name__})"


_MEANINGS: tuple[tuple[tuple[type[Exception], ...], FailureKind, str], ...] = (
    ((TimeoutError,), FailureKind.UNAVAILABLE, "did not answer in time"),
    ((ConnectionRefusedError,), FailureKind.UNAVAILABLE, "refused the connection"),
    ((ConnectionError, http.client.IncompleteRead, ssl.SSLEOFError), FailureKind.UNAVAILABLE, "cut the connection"),
    ((ssl.SSLError,), FailureKind.INVALID, "does not speak TLS there, or none that is safe"),
    ((socket.gaierror,), FailureKind.UNAVAILABLE, "could not be found: its name has no address"),
    ((http.client.InvalidURL, ValueError), FailureKind.INVALID, "is no address that can be asked"),
    ((http.client.HTTPException,), FailureKind.MALFORMED, "gave an answer that is no HTTP"),
    ((OSError,), FailureKind.UNAVAILABLE, "could not be reached"),
)
"""The first that fits says what an exception means: some are of several kinds at once."""
