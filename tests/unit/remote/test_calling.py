"""What is repeated, how long it is waited for, and what becomes of what is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime

import pytest

from hatch_sign.remote import Failure, FailureKind, parse_retry_after
from hatch_sign.testing.observed import assert_presentable
from hatch_sign.values.errors import (
    CustodyError,
    KeyNotFoundError,
    SecretRejectedError,
    SecretUnavailableError,
    UnsupportedError,
)

from .services import BEGIN, SECRET, Script, Time, VendorError, make_caller

UNAVAILABLE = Failure(FailureKind.UNAVAILABLE, "503")
THROTTLED = Failure(FailureKind.THROTTLED, "429")
PASSING = [UNAVAILABLE, THROTTLED]
LASTING = [kind for kind in FailureKind if not kind.passes]


@pytest.mark.parametrize("failure", PASSING, ids=lambda failure: failure.kind.value)
def test_what_passes_is_repeated_until_it_has_passed(failure: Failure) -> None:
    time, operation = Time(), Script(*[failure] * 6)
    assert make_caller(time).call(operation) == b"signature"
    assert operation.asked == 7
    assert time.slept == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0]


@pytest.mark.parametrize("failure", PASSING, ids=lambda failure: failure.kind.value)
def test_it_ends_after_the_last_attempt(failure: Failure) -> None:
    time, operation = Time(), Script(*[failure] * 7)
    with pytest.raises(CustodyError, match=rf"example:release: Example KMS .* 7 times \({failure.code}\); ") as caught:
        make_caller(time).call(operation)
    assert operation.asked == 7
    assert_presentable(caught.value, [SECRET])


@pytest.mark.parametrize("kind", LASTING, ids=lambda kind: kind.value)
def test_what_lasts_is_never_repeated(kind: FailureKind) -> None:
    time, operation = Time(), Script(Failure(kind, "Code", retry_after=1.0))
    with pytest.raises(CustodyError, match=r"example:release: Example KMS .*\(Code\)") as caught:
        make_caller(time).call(operation, permission="example:Sign")
    assert (operation.asked, time.slept) == (1, [])
    assert ("the permission example:Sign is missing" in str(caught.value)) == (kind is FailureKind.REFUSED)
    assert_presentable(caught.value, [SECRET])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (FailureKind.MISSING, KeyNotFoundError),
        (FailureKind.UNAUTHENTICATED, SecretRejectedError),
        (FailureKind.NO_CREDENTIAL, SecretUnavailableError),
        (FailureKind.REFUSED, CustodyError),
        (FailureKind.INVALID, CustodyError),
        (FailureKind.MALFORMED, CustodyError),
    ],
)
def test_each_kind_has_its_error(kind: FailureKind, expected: type[CustodyError]) -> None:
    with pytest.raises(CustodyError) as caught:
        make_caller(Time()).call(Script(Failure(kind)))
    assert type(caught.value) is expected
    assert caught.value.remedy


def test_of_an_unknown_exception_only_the_type_is_told() -> None:
    operation = Script(None)
    with pytest.raises(CustodyError, match=r"the client of Example KMS failed \(VendorError\)") as caught:
        make_caller(Time()).call(operation)
    assert operation.asked == 1
    assert_presentable(caught.value, [SECRET])


def test_an_error_of_ours_goes_through_unchanged() -> None:
    raised = UnsupportedError("not this key")

    def operation() -> None:
        raise raised

    with pytest.raises(UnsupportedError) as caught:
        make_caller(Time()).call(operation)
    assert caught.value is raised


def test_pauses_are_a_random_part_of_what_doubles() -> None:
    time = Time(chance=0.25)
    make_caller(time).call(Script(UNAVAILABLE, UNAVAILABLE, UNAVAILABLE))
    assert time.slept == [0.0625, 0.125, 0.25]


def test_pauses_grow_no_further_than_the_longest() -> None:
    time = Time()
    make_caller(time, longest_pause=0.6).call(Script(*[UNAVAILABLE] * 4))
    assert time.slept == [0.25, 0.5, 0.6, 0.6]


def test_what_the_service_asks_for_comes_on_top() -> None:
    time = Time(chance=0.5)
    make_caller(time).call(Script(Failure(FailureKind.THROTTLED, retry_after=3.0)))
    assert time.slept == [3.125]


def test_a_delay_before_now_is_none() -> None:
    time = Time()
    make_caller(time).call(Script(Failure(FailureKind.THROTTLED, retry_after=-3600.0)))
    assert time.slept == [0.25]


def test_who_gives_up_waits_no_longer_than_a_nap() -> None:
    time, operation = Time(), Script(Failure(FailureKind.THROTTLED, "429", retry_after=60.0))
    caller = replace(make_caller(time), stopped=lambda: time.seconds >= 1.0)
    with pytest.raises(CustodyError, match=r"asked for fewer calls, and the run is being given up \(429\)"):
        caller.call(operation)
    assert (operation.asked, time.slept) == (1, [0.25] * 4)


def test_who_does_not_give_up_waits_as_long_as_anybody() -> None:
    time = Time()
    caller = replace(make_caller(time), stopped=lambda: False)
    assert caller.call(Script(Failure(FailureKind.THROTTLED, retry_after=0.65))) == b"signature"
    assert time.seconds == pytest.approx(0.9)
    assert max(time.slept) == 0.25


def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    time, operation = Time(), Script(Failure(FailureKind.THROTTLED, "429", retry_after=3600.0))
    with pytest.raises(CustodyError, match=r"and wants 3600 s of patience beyond the limit of 90 s \(429\)"):
        make_caller(time).call(operation)
    assert (operation.asked, time.slept) == (1, [])


def test_the_deadline_ends_attempts_that_take_long() -> None:
    time = Time()

    def stall() -> None:
        time.seconds += 20.0
        raise VendorError(UNAVAILABLE)

    with pytest.raises(CustodyError, match="beyond the limit of 50 s"):
        make_caller(time, total=50.0).call(stall)
    assert time.seconds < 80.0


@pytest.mark.parametrize(
    ("failure", "asked"),
    [(UNAVAILABLE, 1), (THROTTLED, 2), (replace(UNAVAILABLE, undone=True), 2)],
    ids=["unavailable", "throttled", "undone"],
)
def test_what_makes_something_is_repeated_only_where_nothing_was_made(failure: Failure, asked: int) -> None:
    operation = Script(failure)
    try:
        make_caller(Time()).call(operation, repeatable=False)
    except CustodyError as error:
        assert "503" in str(error)  # noqa: PT017 - the other case does not raise
    assert operation.asked == asked


def test_an_answer_that_is_none_is_an_error_of_the_service() -> None:
    with pytest.raises(CustodyError, match="example:release: Example KMS sent no signature; ") as caught:
        make_caller(Time()).reject_answer("sent no signature")
    assert_presentable(caught.value, [])


@pytest.mark.parametrize("code", ["two\nlines", f"{'x' * 81}", "token=abc", "\x1b[31m", "<html>"])
def test_a_code_that_is_none_is_not_shown(code: str) -> None:
    error = Failure(FailureKind.INVALID, code).as_error(service="Example KMS", key="example:release")
    assert code not in str(error)
    assert "(" not in str(error)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0", 0.0),
        (" 120 ", 120.0),
        (format_datetime(BEGIN + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(BEGIN - timedelta(days=1), usegmt=True), 0.0),
        ("Sun, 01 Mar 2026 12:00:30 -0000", 30.0),
        (None, None),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("9" * 10, None),
        ("soon", None),
        ("Sun, 01 Mar 99999999999999999999 12:00:30 GMT", None),
        ("Sun, 01 Mar 2026 12:00:30 +99999999999999999999", None),
        ("Sun, 99 Mar 2026 12:00:30 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, expected: float | None) -> None:
    assert parse_retry_after(value, now=BEGIN) == expected
