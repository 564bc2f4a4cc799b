"""What the exceptions of sigstore-python, and of the libraries below it, mean; the one place that knows them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from sigstore.errors import VerificationError

from hatch_sign.remote import Failure, FailureKind, classify_status, parse_retry_after
from hatch_sign.remote.causes import causes_of
from hatch_sign.values.display import display
from hatch_sign.values.errors import CustodyError, SecretRejectedError
from hatch_sign_sigstore.signing.patience import NoAnswerError

_LONG_WORD = re.compile(r"[A-Za-z0-9+/=_.-]{40,}")
"""What may be a token, or a part of one: no sentence has such words."""
_LONGEST_REASON = 200
_CONFLICT = 409
_ENTRY = re.compile(r"UUID ([0-9a-f]{64,80})\b")
_TOKEN_REFUSED = frozenset({400, 401, 403})
_OTHER_IDENTITY = "check that the instance takes tokens of this issuer, and that the audience is the one that it wants"

_TOKEN_PROBLEMS = {
    "ExpiredSignatureError": "has expired",
    "ImmatureSignatureError": "is not valid yet",
    "InvalidIssuedAtError": "was issued in the future",
    "InvalidAudienceError": "is for another audience",
    "MissingRequiredClaimError": "lacks a claim that Sigstore needs (aud, sub, iat, exp, iss)",
    "DecodeError": "is no JSON Web Token",
}
"""What is wrong with an identity token, by the exception of PyJWT; each before those that it derives from."""


def classify(error: Exception) -> Failure | None:
    """Return what an exception of a call of Fulcio, Rekor or a timestamp authority means; None for one of no known kind."""
    behind = causes_of(error)
    if any(isinstance(each, NoAnswerError) for each in behind):
        return Failure(FailureKind.UNAVAILABLE, found="did not answer in time")
    for each in behind:
        status = getattr(getattr(each, "response", None), "status_code", None)
        if isinstance(status, int):
            return _refused(each.response, status)  # type: ignore[attr-defined] # it is there, as was just seen
    for each in behind:
        if isinstance(each, VerificationError):
            return Failure(FailureKind.MALFORMED, found="gave a certificate without a valid entry in its transparency log")
        if isinstance(each, ValueError | LookupError | TypeError | AttributeError):
            return Failure(FailureKind.MALFORMED)
        if isinstance(each, OSError):  # those of requests among them
            return Failure(FailureKind.UNAVAILABLE)
    return Failure(FailureKind.MALFORMED) if type(error).__module__.startswith("sigstore.") else None


def classify_fulcio(error: Exception) -> Failure | None:
    """Return the same for Fulcio, of which most refusals are about the token."""
    failure = classify(error)
    if failure is None or failure.code not in map(str, _TOKEN_REFUSED):
        return failure
    reason = failure.found.partition(": ")[2]
    found = f"did not accept the identity token{f': {reason}' if reason else ''}"
    return Failure(FailureKind.UNAUTHENTICATED, failure.code, found, _OTHER_IDENTITY)


def entered_before(error: Exception) -> str | None:
    """Return the identifier of the entry that a log of version 1 says that it has already; None for any other exception."""
    for each in causes_of(error):
        response = getattr(each, "response", None)
        if response is not None and getattr(response, "status_code", None) == _CONFLICT:
            found = _ENTRY.search(response.text)
            return found[1] if found else None
    return None


def token_error(error: Exception, *, origin: str, name: str, audience: str) -> CustodyError:
    """Return the error of an identity token that sigstore-python does not take; nothing of the token is in it."""
    names = {each.__name__ for behind in causes_of(error) for each in type(behind).__mro__}
    problem = next((text for known, text in _TOKEN_PROBLEMS.items() if known in names), "")
    if not problem:
        problem = "is not valid now, or lacks what Sigstore needs"
    remedy = f"get a new one for the audience {display(audience)}, then run again"
    return SecretRejectedError(f"{name}: the identity token {origin} {problem}", remedy=remedy)


def _refused(response: Any, status: int) -> Failure:  # noqa: ANN401 - a response of requests, whose types are not ours
    retry_after = parse_retry_after(response.headers.get("Retry-After"), now=datetime.now(UTC))
    failure = classify_status(status, retry_after=retry_after)
    if failure.kind.passes:
        return failure
    reason = _reason(response)
    found = f"refused: {reason}" if reason else failure.found or "refused"
    return Failure(failure.kind, failure.code, found, "check the instance, and what stands between here and it")


def _reason(response: Any) -> str:  # noqa: ANN401 - as above
    """Return the sentence that the service gives (``message``), on one line, without words that may be of a token."""
    try:
        document = response.json()
    except (ValueError, OSError):
        return ""
    message = document.get("message") if isinstance(document, dict) else None
    if not isinstance(message, str):
        return ""
    return display(_LONG_WORD.sub("...", message)[:_LONGEST_REASON]).strip(" .")
