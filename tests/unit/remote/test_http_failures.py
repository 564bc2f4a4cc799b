"""How the HTTP client fails: what it asks again, what it waits for, and what it says."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest

from hatch_sign.remote.failures import Failure, FailureKind
from hatch_sign.remote.http import ask, wants_patience
from hatch_sign.remote.retrying import Timing
from tests.ports import free_port
from tests.unit.services.https_server import Answer, Request

from .asking import LIMITS, ONCE, SHORT_SILENCE, SHORT_TIME, answers, failure_of, question, reply_of, server
from .services import Time

if TYPE_CHECKING:
    from hatch_sign.remote.limits import NetworkLimits


@pytest.mark.parametrize(
    ("status", "kind", "phrase"),
    [
        (400, FailureKind.INVALID, "does not take the request (400)"),
        (401, FailureKind.UNAUTHENTICATED, "wants a login, which is not supported (401)"),
        (403, FailureKind.REFUSED, "refused (403)"),
        (404, FailureKind.MISSING, "has nothing there (404)"),
        (501, FailureKind.MALFORMED, "gave an answer that is not expected (501)"),
        (204, FailureKind.MALFORMED, "gave an answer that is not expected (204)"),
    ],
)
def test_a_refusal_is_told_and_not_repeated(status: int, kind: FailureKind, phrase: str) -> None:
    with server(answers(Answer(status))) as service:
        found = failure_of(service.origin)
    assert (found.kind, found.phrase, len(service.requests)) == (kind, phrase, 1)


@pytest.mark.parametrize("first", [Answer(500), Answer(503), Answer(429), Answer(200, b"reply", fault="vanish")])
def test_what_passes_is_repeated(first: Answer) -> None:
    with server(answers(first, first, Answer(200, b"reply"))) as service:
        assert reply_of(service.origin).body == b"reply"
    assert len(service.requests) == 3


def test_it_ends_after_the_last_attempt() -> None:
    with server(answers(Answer(503))) as service:
        assert failure_of(service.origin).phrase == "failed 3 times (503)"
    assert len(service.requests) == 3


def test_a_pause_that_is_asked_for_is_kept() -> None:
    time = Time(chance=0.0)
    with server(answers(Answer(503, headers={"Retry-After": "7"}), Answer(200))) as service:
        reply_of(service.origin, timing=time.timing)
    assert time.slept == [7.0]


def test_who_has_others_to_hold_back_is_told_of_the_pause_at_once() -> None:
    with server(answers(Answer(429, headers={"Retry-After": "7"}))) as service:
        answer = ask(question(service.origin), limits=LIMITS, patient=False)
    assert isinstance(answer, Failure)
    assert (answer.retry_after, len(service.requests)) == (7.0, 1)
    assert wants_patience(answer)
    assert not wants_patience(Failure(FailureKind.UNAVAILABLE, "500"))
    assert not wants_patience(Failure(FailureKind.REFUSED, "403", retry_after=7.0))


def test_a_run_that_is_given_up_asks_nobody() -> None:
    with server(answers(Answer(503))) as service:
        answer = ask(question(service.origin), limits=LIMITS, stopped=lambda: True)
    assert isinstance(answer, Failure)
    assert answer.phrase == "did not answer in time, and the run is being given up"
    assert service.requests == []


def test_a_run_that_is_given_up_waits_for_no_answer() -> None:
    stopped = threading.Event()

    def stall(_: Request) -> Answer:
        stopped.set()
        return Answer(200, b"x", fault="stall")

    with server(stall) as service:
        answer = ask(question(service.origin), limits=LIMITS, stopped=stopped.is_set)
    assert isinstance(answer, Failure)
    assert answer.phrase == "did not answer in time, and the run is being given up"


def test_nobody_there() -> None:
    found = failure_of(f"http://127.0.0.1:{free_port()}")
    assert (found.kind, found.phrase) == (FailureKind.UNAVAILABLE, "refused the connection 3 times")


@pytest.mark.parametrize(("fault", "limits"), [("stall", SHORT_SILENCE), ("drip", SHORT_TIME)])
def test_an_answer_that_does_not_come_or_only_drips_is_not_waited_for(fault: str, limits: NetworkLimits) -> None:
    with server(answers(Answer(200, b"x" * 500, fault=fault))) as service:
        assert failure_of(service.origin, limits=limits).phrase == "did not answer in time"


def test_headers_that_only_drip_are_not_waited_for() -> None:
    ending = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                while not ending.wait(0.05):
                    try:
                        connection.sendall(b"X: y\r\n")
                    except OSError:
                        return

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            found = failure_of(f"http://127.0.0.1:{listening.getsockname()[1]}", limits=SHORT_TIME)
        finally:
            ending.set()
            thread.join(30)
    assert found.phrase == "did not answer in time"


def test_no_time_left_is_no_time_to_ask() -> None:
    instants = iter([0.0, 0.0])  # the limit is reckoned from here
    with server(answers(Answer(200))) as service:
        answer = ask(
            question(service.origin),
            limits=ONCE,
            timing=Timing(clock=lambda: next(instants, ONCE.total)),
        )
    assert isinstance(answer, Failure)
    assert answer.phrase == "did not answer in time"
    assert service.requests == []


@pytest.mark.parametrize("address", ["ftp://127.0.0.1/x", "file:///etc/passwd", "http://", "http://user:secret@127.0.0.1/"])
def test_what_is_no_plain_address_is_not_asked(address: str) -> None:
    found = failure_of(address)
    assert found.phrase == "is no http or https address without a password"
    assert "secret" not in found.phrase


@pytest.mark.parametrize("address", ["http://127.0.0.1:port/", "http://[::1/", "http://127.0.0.1/a b"])
def test_what_is_no_address_is_told(address: str) -> None:
    assert failure_of(address).phrase == "is no address that can be asked"
