"""What GitHub's answers mean, in words of ours: its own texts are never repeated."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hatch_sign.publishers.documents import load_json
from hatch_sign.remote.failures import Failure, FailureKind, classify_status
from hatch_sign.remote.retrying import parse_retry_after
from hatch_sign.values.errors import PublishError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hatch_sign.remote.http_messages import Reply

ALREADY_EXISTS = "has an asset of that name already"
"""How the failure begins that another upload of the same name has caused, or an earlier one that was cut."""

_SECONDARY_PAUSE = 60.0
"""Seconds to wait where GitHub names none, as its documentation asks for."""
_WORD = re.compile(r"[a-z_]{1,40}\Z")
_TOKEN = "give the token the permission contents: write (in a workflow: `permissions: contents: write`)"  # noqa: S105 - advice
_REMEDIES: Mapping[FailureKind, str] = {
    FailureKind.THROTTLED: "run again later: what is uploaded stays, and the rest follows",
    FailureKind.UNAVAILABLE: "run again: what is uploaded stays, and the rest follows",
    FailureKind.UNAUTHENTICATED: "make a new token, and run again",
    FailureKind.REFUSED: _TOKEN,
    FailureKind.MISSING: f"check `repository`; where it is right, {_TOKEN}",
    FailureKind.INVALID: "check the settings of the publisher github",
    FailureKind.MALFORMED: "check `api-url`, and what stands between here and there, such as a proxy",
}


def publish_error(title: str, failure: Failure) -> PublishError:
    """Return the error for a failure at the release that messages call `title`."""
    message = f"{title}: GitHub {failure.phrase}"
    return PublishError(message, remedy=failure.remedy or _REMEDIES.get(failure.kind, ""))


def malformed_answer(title: str) -> PublishError:
    """Return the error for an answer that is none of GitHub's."""
    return publish_error(title, Failure(FailureKind.MALFORMED, found="gave an answer that is not one of its API"))


def failure_of(reply: Reply) -> Failure:
    """Return what an answer with an error status means."""
    status, code = reply.status, str(reply.status)
    patience = _patience(reply)
    if patience is not None:
        return Failure(FailureKind.THROTTLED, code, "asked for fewer calls", retry_after=patience)
    if status == 401:  # noqa: PLR2004 - Unauthorized (RFC 9110 §15.5.2)
        return Failure(FailureKind.UNAUTHENTICATED, code, "did not accept the token: it is wrong, or has expired")
    if status == 403:  # noqa: PLR2004 - Forbidden
        return _refused(reply, code)
    if status in {404, 410}:
        return Failure(FailureKind.MISSING, code, "has no such repository, or does not show it to the token")
    if status in {400, 422}:
        return _invalid(reply, code)
    return _server_failure(status, reply)


def _server_failure(status: int, reply: Reply) -> Failure:
    asked_for = parse_retry_after(reply.headers.get("retry-after"), now=datetime.now(UTC))
    failure = classify_status(status, retry_after=asked_for)
    found = failure.found or ("failed" if failure.kind is FailureKind.UNAVAILABLE else "gave an answer that is not expected")
    return Failure(failure.kind, failure.code, found, failure.remedy, failure.retry_after)


def _patience(reply: Reply) -> float | None:
    """Return for how many seconds GitHub wants to be left alone; None where that is not what it says.

    A limit is told by 403 or 429, and by Retry-After, by the calls that are left and the time at which there are more, or
    in words only.
    """
    if reply.status not in {403, 429}:
        return None
    now = datetime.now(UTC)
    asked_for = parse_retry_after(reply.headers.get("retry-after"), now=now)
    if asked_for is not None:
        return asked_for
    if reply.headers.get("x-ratelimit-remaining") == "0":
        reset = reply.headers.get("x-ratelimit-reset", "")
        return max(0.0, float(reset) - now.timestamp()) if re.fullmatch(r"[0-9]{1,12}", reset) else _SECONDARY_PAUSE
    return _SECONDARY_PAUSE if reply.status == 429 or "rate limit" in _said(reply) else None  # noqa: PLR2004 - as above


def _refused(reply: Reply, code: str) -> Failure:
    if "x-github-sso" in reply.headers:
        found, remedy = "wants the token to be authorised for the organisation's single sign-on", "authorise it there"
        return Failure(FailureKind.REFUSED, code, found, remedy)
    return Failure(FailureKind.REFUSED, code, "does not let the token do this")


def _invalid(reply: Reply, code: str) -> Failure:
    reasons = _reasons(reply)
    if "immutable" in _said(reply):
        found = "takes no more assets: the release is immutable"
        return Failure(FailureKind.INVALID, code, found, "publish under a new tag, as a draft until all is uploaded")
    if "name already_exists" in reasons:
        remedy = "where GitHub lists no such asset, delete it on the page of the release, then run again"
        return Failure(FailureKind.UNAVAILABLE, code, ALREADY_EXISTS, remedy)
    told = f": {', '.join(reasons)}" if reasons else ""
    return Failure(FailureKind.INVALID, code, f"does not take the request{told}")


def _said(reply: Reply) -> str:
    """Return the message of an error in lower case, to be looked into and never shown."""
    message = _error(reply).get("message")
    return message.lower() if isinstance(message, str) else ""


def _reasons(reply: Reply) -> list[str]:
    """Return field and code of each mistake that an error lists, where both look like what they should be."""
    errors = _error(reply).get("errors")
    entries = [each for each in errors if isinstance(each, dict)] if isinstance(errors, list) else []
    pairs = [(str(each.get("field")), str(each.get("code"))) for each in entries[:5]]
    return [" ".join(pair) for pair in pairs if all(_WORD.match(word) for word in pair)]


def _error(reply: Reply) -> dict[str, Any]:
    try:
        document = load_json(reply.body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
