"""One attempt of a question by HTTP, over urllib: redirects, limits and errors. Imported where a network is asked only."""

from __future__ import annotations

import hashlib
import http.client
import ipaddress
import socket
import ssl
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.parse import urljoin, urlsplit
from urllib.request import OpenerDirector, ProxyHandler, Request

from hatch_sign import __version__
from hatch_sign.remote.certificates import untrusted_certificate
from hatch_sign.remote.failures import Failure, FailureKind, classify_status
from hatch_sign.remote.http_messages import Reply, StreamedBody
from hatch_sign.remote.http_streams import LimitedHandler, Outgoing
from hatch_sign.remote.proxies import proxy_login_wanted
from hatch_sign.remote.retrying import parse_retry_after
from hatch_sign.values.errors import HatchSignError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hatch_sign.remote.http_messages import Question
    from hatch_sign.remote.http_streams import Deadline
    from hatch_sign.remote.limits import NetworkLimits

_MOST_REDIRECTS = 3
_OK, _LEAST_ERROR = 200, 400
_PIECE = 64 * 1024
"""Bytes to read at once: of chunks of one byte each, the library keeps an object for every one until it has them all."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEEP_METHOD = frozenset({307, 308})
_BY_GATEWAY = ipaddress.IPv6Network("64:ff9b::/96")
"""How hosts of IPv6 alone write those of IPv4."""
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


def exchange(
    question: Question, limits: NetworkLimits, deadline: Deadline, judge: Callable[[Reply], Failure | None] | None = None
) -> Reply | Failure:
    """Ask once, following redirects, and return the answer, or what kept it from coming; `judge` as for ``ask``.

    Raises only what reading a streamed body raises as a HatchSignError.
    """
    address = question.address
    try:
        for _ in range(_MOST_REDIRECTS + 1):
            with _outgoing(question, deadline) as body, _opened(question, address, body, limits, deadline) as response:
                if response.status not in _REDIRECTS:
                    return _read(response, question, judge)
                address = _redirected(address, response, keeps_method=question.verb != "GET")
    except HatchSignError:
        raise
    except Exception as error:  # noqa: BLE001 - the library raises what it likes, and each becomes a failure
        return _classify(error)
    return Failure(FailureKind.INVALID, found="redirects in circles, or too often")


@contextmanager
def _outgoing(question: Question, deadline: Deadline) -> Iterator[bytes | Outgoing | None]:
    if not isinstance(question.body, StreamedBody):
        yield question.body
        return
    with question.body.open() as stream:
        yield Outgoing(stream, deadline)


def _opened(
    question: Question, address: str, body: bytes | Outgoing | None, limits: NetworkLimits, deadline: Deadline
) -> http.client.HTTPResponse:
    _require_plain(address)
    data: Any = body  # what has a method `read` is taken as well
    request = Request(address, data=data, headers=_headers(question, address), method=question.verb)  # noqa: S310 - checked to be http or https
    opener = OpenerDirector()  # a bare one: no redirects, cookies, files or passwords
    opener.addheaders = []
    for handler in (ProxyHandler(), LimitedHandler(limits, deadline)):
        opener.add_handler(handler)
    response: http.client.HTTPResponse = opener.open(request, timeout=deadline.patience(limits.connect))
    return response


def _headers(question: Question, address: str) -> dict[str, str]:
    headers = {"Accept": question.accept, "User-Agent": f"hatch-sign/{__version__}"}
    if question.body is not None:
        headers["Content-Type"] = question.content_type
    if isinstance(question.body, StreamedBody):
        headers["Content-Length"] = str(question.body.size)  # of a stream, the library would send chunks
    return {**headers, **dict(question.headers)} if origin(address) == origin(question.address) else headers


def _read(
    response: http.client.HTTPResponse, question: Question, judge: Callable[[Reply], Failure | None] | None
) -> Reply | Failure:
    if response.status != _OK and judge is None:
        asked_for = parse_retry_after(response.headers.get("Retry-After"), now=datetime.now(UTC))
        failure = classify_status(response.status, retry_after=asked_for)
        return failure if failure.found else _told(failure)
    body = _received(response, question)
    if isinstance(body, Failure):
        if response.status < _LEAST_ERROR:
            return body
        body = b""
    reply = Reply(response.status, {name.lower(): value for name, value in response.headers.items()}, body)
    return (judge(reply) if judge is not None else None) or reply


def _received(response: http.client.HTTPResponse, question: Question) -> bytes | Failure:
    """Return the body, or the digest that is wanted in its place."""
    largest = question.largest
    if response.headers.get("Content-Encoding", "identity").strip().lower() not in {"identity", ""}:
        return Failure(FailureKind.MALFORMED, found="compressed its answer, which was not asked for")
    if (response.length or 0) > largest:
        return _too_large(largest)
    body, count = bytearray(), 0
    digest = hashlib.new(question.digest) if question.digest and response.status == _OK else None
    keep = body.extend if digest is None else digest.update
    while count <= largest and (piece := response.read(min(_PIECE, largest + 1 - count))):
        keep(piece)
        count += len(piece)
    if count > largest:
        return _too_large(largest)
    if response.length:  # the library calls it no error where bytes are missing at the end
        return Failure(FailureKind.UNAVAILABLE, found="cut the connection in the middle of its answer")
    return bytes(body) if digest is None else digest.digest()


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


def origin(address: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port of an address, by which servers are told apart (RFC 6454 §4). Raises ValueError."""
    parts = urlsplit(address)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or default


def _redirected(address: str, response: http.client.HTTPResponse, *, keeps_method: bool) -> str:
    target = urljoin(address, response.headers.get("Location", ""))
    if keeps_method and response.status not in _KEEP_METHOD:
        found = "in a way that leaves the question behind"
    else:
        found = reason_not_to_follow(address, target)
    if found:
        raise _ProtocolError(
            Failure(FailureKind.INVALID, str(response.status), f"redirects {found}", "name the address that it now has")
        )
    return target


def reason_not_to_follow(before: str, after: str) -> str:
    """Return where the server at `before`, which names the address `after`, would lead; empty where that may be asked.

    Nobody is led from https to another scheme, nor from elsewhere to this machine or a private network.
    """
    here, there = urlsplit(before), urlsplit(after)
    if here.scheme == "https" and there.scheme != "https":
        return "from https to a plain channel"
    if _is_inside(there.hostname or "") and not _is_inside(here.hostname or ""):
        return "to an address of this machine or of a private network"
    return ""


def _is_inside(host: str) -> bool:
    """Return whether a host is written as one of this machine or of a private network; names are not looked up.

    One written so that only the resolver can say what it is (RFC 3986 §3.2.2 allows percent signs) is taken for such.
    """
    plain = host.lower().rstrip(".")
    if not plain.isascii() or "%" in plain:
        return True
    try:
        return not _reached(ipaddress.ip_address(_full_address(plain))).is_global
    except ValueError:
        return plain.endswith("localhost")


def _reached(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return the IPv4 address that a gateway makes of one of IPv6 (RFC 6052 §2.1, RFC 3056 §2), else the same."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _BY_GATEWAY:
        return ipaddress.IPv4Address(address.packed[-4:])
    return address.sixtofour or address


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
