"""What the answers of the server and the exceptions of its client mean. Their texts are looked at, never shown."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import requests

from hatch_sign.remote import (
    Failure,
    FailureKind,
    classify_status,
    parse_retry_after,
    proxy_login_wanted,
    untrusted_certificate,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_FORBIDDEN = 403
_NOT_FOUND = 404
_LOGIN_REFUSED = frozenset({400, 401, 403})


@dataclass(frozen=True, slots=True)
class _Meaning:
    """A kind of failure, with a phrase and an advice where those of the kind say too little."""

    kind: FailureKind
    found: str = ""
    remedy: str = ""


_STANDBY = _Meaning(
    FailureKind.INVALID, "is a standby that sends its callers elsewhere", "set the address of the active server"
)
_NOT_OFFERED = _Meaning(FailureKind.INVALID, "does not offer this in its version")
_NO_ENGINE = _Meaning(
    FailureKind.MISSING, "has no such engine or login", "check TRANSIT_SECRET_ENGINE_PATH and the login's path"
)
_TEXTS: tuple[tuple[str, _Meaning], ...] = (
    ("less than the minimum", _Meaning(FailureKind.INVALID, "does not sign with so old a version of the key")),
    ("higher than the latest", _Meaning(FailureKind.MISSING, "has no such version of the key")),
    ("key not found", _Meaning(FailureKind.MISSING)),
    (
        "certificate chain",
        _Meaning(FailureKind.INVALID, "does not take the certificates", "check that they are of this key"),
    ),
    ("unsupported path", _NOT_OFFERED),
    ("no handler for route", _NO_ENGINE),
    ("sealed", _Meaning(FailureKind.UNAVAILABLE, "is sealed", "have it unsealed, then run again")),
)
"""What is in a text of the server that says more than the status, which for some of these is 400 or 500 by turns."""

_STATUSES: Mapping[int, _Meaning] = {
    301: _STANDBY,
    302: _STANDBY,
    307: _STANDBY,
    308: _STANDBY,
    405: _NOT_OFFERED,
    412: _Meaning(FailureKind.UNAVAILABLE, "has not caught up with its cluster"),
}
"""Statuses that mean something else here than elsewhere."""


class RefusedAnswer(Exception):  # noqa: N818 - not an error of ours: it never leaves the plugin
    """An answer of the server that is not a success. `login` says that it was asked for a token.

    `permission` is what the token needed; `token_refused` says that the server refuses it even where it asks nothing but
    who it is: then it is wrong, or has expired, or is without the policy ``default``.
    """

    def __init__(self, response: requests.Response, body: bytes, *, login: bool = False, permission: str = "") -> None:
        """Keep what decides, and nothing of the request, which holds the token."""
        super().__init__(response.status_code)
        self.status = response.status_code
        self.retry_after = parse_retry_after(response.headers.get("Retry-After"), now=datetime.now(UTC))
        self.texts = _error_texts(body)
        self.login = login
        self.permission = permission
        self.token_refused = False

    @property
    def forbidden(self) -> bool:
        """Whether the token is wrong, or may not do this."""
        return self.status == _FORBIDDEN

    @property
    def is_empty_list(self) -> bool:
        """Whether it is what the server answers where there is nothing to list."""
        return self.status == _NOT_FOUND and not self.texts


class NoAnswer(Exception):  # noqa: N818 - as above
    """A success whose content is not what the server answers."""


EXCEPTIONS: tuple[tuple[type[Exception], Failure], ...] = (
    (NoAnswer, Failure(FailureKind.MALFORMED)),
    (
        requests.exceptions.ProxyError,
        Failure(FailureKind.UNAVAILABLE, found="could not be reached: the proxy failed", remedy="check HTTPS_PROXY"),
    ),
    (requests.exceptions.ConnectionError, Failure(FailureKind.UNAVAILABLE)),
    (requests.exceptions.Timeout, Failure(FailureKind.UNAVAILABLE)),
    (requests.exceptions.ChunkedEncodingError, Failure(FailureKind.UNAVAILABLE)),
    (requests.exceptions.ContentDecodingError, Failure(FailureKind.MALFORMED)),
    # A file of certificates or a proxy that cannot be used: no request was made.
    (OSError, Failure(FailureKind.INVALID, found="could not be asked", remedy="check its address, certificates and proxy")),
)
"""What each exception means that is no answer of the server; the first that fits. Those of requests are OSErrors."""


def classify(error: Exception) -> Failure | None:
    """Return what `error` means; None for an exception that is neither ours nor requests'."""
    if isinstance(error, RefusedAnswer):
        return _classify_answer(error)
    untrusted = untrusted_certificate(error, remedy="name the authority's file in VAULT_CACERT or BAO_CACERT")
    if untrusted is not None:
        return untrusted
    if (login := proxy_login_wanted(error)) is not None:
        return login
    return next((failure for kind, failure in EXCEPTIONS if isinstance(error, kind)), None)


def _classify_answer(answer: RefusedAnswer) -> Failure:
    meaning = _meaning(answer)
    if meaning is None:
        return classify_status(answer.status, retry_after=answer.retry_after)
    return Failure(meaning.kind, str(answer.status), meaning.found, meaning.remedy, answer.retry_after)


def _meaning(answer: RefusedAnswer) -> _Meaning | None:
    for text, meaning in _TEXTS:
        if any(text in each for each in answer.texts):
            return meaning
    if answer.token_refused:
        lacks = f", or the token lacks {answer.permission}" if answer.permission else ""
        found = f"did not accept the credential: it is wrong, or has expired{lacks}"
        return _Meaning(FailureKind.UNAUTHENTICATED, found, "get a new token, or one with this permission, then run again")
    if answer.login and answer.status in _LOGIN_REFUSED:
        return _Meaning(FailureKind.UNAUTHENTICATED, "did not accept the login", "check the role and its secret")
    return _STATUSES.get(answer.status)


def parse_answer(body: bytes) -> Mapping[str, Any]:
    """Return the JSON object of a success, empty for 204. Raises NoAnswer."""
    if not body:
        return {}
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise NoAnswer from None
    if not isinstance(content, dict):
        raise NoAnswer
    return content


def _error_texts(body: bytes) -> tuple[str, ...]:
    try:
        errors = parse_answer(body).get("errors")
    except NoAnswer:
        return ()
    return tuple(str(each).lower() for each in errors) if isinstance(errors, list) else ()
