"""What HTTP statuses mean, and which certificate is not trusted however deep the SDK hides it."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest

from hatch_sign.remote import FailureKind, classify_status, untrusted_certificate

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, FailureKind.INVALID),
        (401, FailureKind.UNAUTHENTICATED),
        (403, FailureKind.REFUSED),
        (404, FailureKind.MISSING),
        (405, FailureKind.INVALID),
        (407, FailureKind.INVALID),
        (408, FailureKind.UNAVAILABLE),
        (409, FailureKind.INVALID),
        (410, FailureKind.MISSING),
        (429, FailureKind.THROTTLED),
        (500, FailureKind.UNAVAILABLE),
        (501, FailureKind.MALFORMED),
        (502, FailureKind.UNAVAILABLE),
        (503, FailureKind.UNAVAILABLE),
        (504, FailureKind.UNAVAILABLE),
        (505, FailureKind.MALFORMED),
        (599, FailureKind.UNAVAILABLE),
        (204, FailureKind.MALFORMED),
        (302, FailureKind.MALFORMED),
        (0, FailureKind.MALFORMED),
    ],
)
def test_a_status_has_its_kind(status: int, kind: FailureKind) -> None:
    failure = classify_status(status, retry_after=7.0)
    assert failure.kind is kind
    assert failure.code == str(status)
    assert failure.retry_after == 7.0 or not kind.passes


class _WrappingError(Exception):
    """As SDKs wrap: `kwargs` like botocore's, `reason` like urllib3's."""

    def __init__(self, *args: object, reason: object = None, **kwargs: object) -> None:
        super().__init__(*args)
        self.reason = reason
        self.kwargs = kwargs


UNTRUSTED = ssl.SSLCertVerificationError("certificate verify failed")
BROKEN = ssl.SSLError("EOF occurred in violation of protocol")


def _as_cause(inner: Exception) -> Exception:
    outer = RuntimeError("outer")
    outer.__cause__ = inner
    return outer


def _as_context(inner: Exception) -> Exception:
    outer = RuntimeError("outer")
    outer.__context__ = inner
    return outer


@pytest.mark.parametrize(
    "wrap",
    [
        lambda inner: inner,
        _as_cause,
        _as_context,
        _WrappingError,
        lambda inner: _WrappingError("text", reason=inner),
        lambda inner: _WrappingError(error=inner),
        lambda inner: _WrappingError(error=_WrappingError(_as_cause(inner))),
    ],
    ids=["itself", "cause", "context", "argument", "reason", "attribute", "deep"],
)
def test_an_untrusted_certificate_is_found_and_a_broken_connection_is_none(wrap: Callable[[Exception], Exception]) -> None:
    failure = untrusted_certificate(wrap(UNTRUSTED), remedy="name the authority")
    assert failure is not None
    assert failure.kind is FailureKind.INVALID
    assert failure.remedy == "name the authority"
    assert untrusted_certificate(wrap(BROKEN), remedy="") is None


def test_errors_that_wrap_one_another_in_a_circle_end() -> None:
    first, second = RuntimeError("a"), RuntimeError("b")
    first.__cause__, second.__cause__ = second, first
    assert untrusted_certificate(first, remedy="") is None


def test_a_chain_without_an_end_is_followed_for_a_while_only() -> None:
    last: BaseException = UNTRUSTED
    for _ in range(1000):
        last = _as_cause(last)
    assert untrusted_certificate(last, remedy="") is None
