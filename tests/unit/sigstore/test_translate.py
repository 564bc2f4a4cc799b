"""What exceptions of sigstore-python and of the libraries below it mean."""

from __future__ import annotations

import json

import pytest
import requests
from sigstore.errors import VerificationError

from hatch_sign.remote import FailureKind
from hatch_sign_sigstore.signing.patience import NoAnswerError
from hatch_sign_sigstore.signing.translate import classify, classify_fulcio, entered_before

UUID = "24296fb24b8ad77a" + "0" * 64


def answered(status: int, body: object = None, **headers: str) -> requests.HTTPError:
    response = requests.Response()
    response.status_code = status
    response._content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    response.headers.update(headers)
    return requests.HTTPError(response=response)


def wrapped(cause: Exception) -> Exception:
    """Return the exception as sigstore-python wraps it: with the cause in its context alone."""
    error = RuntimeError("wrapped")
    error.__context__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (NoAnswerError(), FailureKind.UNAVAILABLE),
        (requests.ConnectionError(), FailureKind.UNAVAILABLE),
        (requests.Timeout(), FailureKind.UNAVAILABLE),
        (answered(429), FailureKind.THROTTLED),
        (answered(500), FailureKind.UNAVAILABLE),
        (answered(403), FailureKind.REFUSED),
        (requests.exceptions.JSONDecodeError("no JSON", "", 0), FailureKind.MALFORMED),
        (KeyError("logID"), FailureKind.MALFORMED),
        (VerificationError("no SCT"), FailureKind.MALFORMED),
    ],
)
def test_an_exception_means_the_same_however_it_is_wrapped(error: Exception, kind: FailureKind) -> None:
    for each in (error, wrapped(error)):
        failure = classify(each)
        assert failure is not None
        assert failure.kind is kind


def test_what_is_of_no_known_kind_is_left_to_the_caller() -> None:
    assert classify(RuntimeError("?")) is None
    assert classify_fulcio(RuntimeError("?")) is None


def test_a_pause_that_a_service_asks_for_is_kept() -> None:
    failure = classify(answered(503, **{"Retry-After": "7"}))
    assert failure is not None
    assert failure.retry_after == 7.0


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"code": 3, "message": "the audience is wrong.\nand more"}, "the audience is wrong."),
        ({"message": "x" * 39 + " " + "eyJ" * 20}, "x" * 39 + " ..."),
        ("no JSON", "did not accept the identity token"),
        (["no", "object"], "did not accept the identity token"),
    ],
)
def test_what_fulcio_says_of_a_token_is_shown_on_one_line_without_it(body: object, found: str) -> None:
    failure = classify_fulcio(answered(400, body))
    assert failure is not None
    assert failure.kind is FailureKind.UNAUTHENTICATED
    assert failure.found.startswith("did not accept the identity token")
    assert found.rstrip(" .") in failure.found
    assert "\n" not in failure.found
    assert "eyJ" not in failure.found


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (answered(409, {"message": f"an equivalent entry already exists with UUID {UUID}"}), UUID),
        (answered(409, {"message": "an entry exists"}), None),
        (answered(400, {"message": f"UUID {UUID}"}), None),
        (ValueError("UUID"), None),
    ],
)
def test_an_entry_that_is_there_already_is_found_by_its_identifier(error: Exception, expected: str | None) -> None:
    assert entered_before(error) == expected
    assert entered_before(wrapped(error)) == expected
