"""Bodies that are read while they are sent, methods, headers that are secret, and answers that a caller judges itself."""

from __future__ import annotations

import hashlib
import io
import socket
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Self

import pytest

from hatch_sign.remote.failures import Failure, FailureKind
from hatch_sign.remote.http import ask
from hatch_sign.remote.http_messages import Question, Reply, StreamedBody
from hatch_sign.remote.limits import NetworkLimits
from hatch_sign.values.errors import RejectedError
from tests.unit.services.https_server import Answer, Service, serving

SECRET = "Bearer s3cr3t"  # noqa: S105 - what must not be shown
LIMITS = NetworkLimits(connect=30.0, read=60.0, total=120.0, attempts=3, first_pause=0.001, longest_pause=0.001)


@contextmanager
def server(*answers: Answer) -> Iterator[Service]:
    left = list(answers)
    with serving(Service(lambda _: left.pop(0) if len(left) > 1 else left[0]), None) as service:
        yield service


def streamed(content: bytes) -> StreamedBody:
    return StreamedBody(len(content), lambda: io.BytesIO(content))


def question(address: str, body: bytes | StreamedBody | None = None, method: str = "") -> Question:
    return Question(address, "application/json", 1000, body, method=method, headers=(("Authorization", SECRET),))


def accept_all(_: Reply) -> Failure | None:
    return None


# --- bodies -----------------------------------------------------------------------------------------------------------


def test_a_stream_is_sent_with_its_length_and_begun_anew_for_each_attempt() -> None:
    content = b"0123456789" * 50_000
    with server(Answer(503), Answer(200, b"done")) as service:
        answer = ask(question(service.origin, streamed(content)), limits=LIMITS)
    assert isinstance(answer, Reply)
    assert [request.body for request in service.requests] == [content, content]
    assert service.requests[0].headers["content-length"] == str(len(content))
    assert "transfer-encoding" not in service.requests[0].headers
    assert service.requests[0].headers["content-type"] == "application/octet-stream"


class Endless:
    """So many bytes, made while they are read."""

    def __init__(self, size: int) -> None:
        self.left = size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def read(self, most: int, /) -> bytes:
        count = min(most, self.left)
        self.left -= count
        return bytes(count)


@contextmanager
def draining_server() -> Iterator[tuple[str, list[int]]]:
    """Count the bytes that come, keep none, and answer once the other side has said all."""
    counted: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection, connection.makefile("rb") as stream:
                expected = 0
                while (line := stream.readline()).strip():
                    if line.lower().startswith(b"content-length:"):
                        expected = int(line.partition(b":")[2])
                buffer = memoryview(bytearray(65536))
                left = expected
                while left and (count := stream.readinto(buffer[: min(left, 65536)])):
                    left -= count
                counted.append(expected - left)
                with suppress(OSError):
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/", counted
        finally:
            thread.join(60)


def test_a_large_stream_is_sent_in_little_memory() -> None:
    size = 256 * 1024 * 1024
    with draining_server() as (address, counted):
        tracemalloc.start()
        try:
            answer = ask(question(address, StreamedBody(size, lambda: Endless(size))), limits=LIMITS)
            assert tracemalloc.get_traced_memory()[1] < 4 * 1024 * 1024
        finally:
            tracemalloc.stop()
    assert isinstance(answer, Reply)
    assert counted == [size]


def test_what_reading_raises_comes_out_and_ends_the_connection() -> None:
    class Changed(Endless):
        def read(self, most: int, /) -> bytes:
            if self.left < 100_000:
                message = "app.whl changed"
                raise RejectedError(message)
            return super().read(most)

    with draining_server() as (address, counted), pytest.raises(RejectedError, match=r"app\.whl changed"):
        ask(question(address, StreamedBody(300_000, lambda: Changed(300_000))), limits=LIMITS)
    assert counted[0] < 300_000


def test_a_run_that_is_given_up_sends_no_further() -> None:
    stopped = threading.Event()

    class Stopping(Endless):
        def read(self, most: int, /) -> bytes:
            stopped.set()
            return super().read(most)

    size = 10_000_000
    with draining_server() as (address, counted):
        body = StreamedBody(size, lambda: Stopping(size))
        answer = ask(question(address, body), limits=LIMITS, stopped=stopped.is_set)
    assert isinstance(answer, Failure)
    assert "the run is being given up" in answer.phrase
    assert counted[0] < size


def test_a_refusal_in_the_middle_of_a_body_is_heard() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:  # closed with bytes unread, which resets the connection
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 422 No\r\nContent-Length: 5\r\nConnection: close\r\n\r\ntaken")

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            address = f"http://127.0.0.1:{listening.getsockname()[1]}/"
            found = ask(question(address, streamed(bytes(20_000_000))), limits=LIMITS, judge=accept_all)
        finally:
            thread.join(60)
    assert isinstance(found, Reply), found
    assert (found.status, found.body) == (422, b"taken")


# --- methods and headers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "body"), [("DELETE", None), ("PATCH", b"{}"), ("POST", b"{}"), ("GET", None)])
def test_a_question_goes_out_by_its_method(method: str, body: bytes | None) -> None:
    with server(Answer(204)) as service:
        answer = ask(question(service.origin, body, method), judge=accept_all)
    assert isinstance(answer, Reply)
    assert answer.status == 204
    assert (service.requests[0].method, service.requests[0].body) == (method, body or b"")
    assert service.requests[0].headers["authorization"] == SECRET


def test_a_method_that_a_redirect_would_lose_is_not_redirected() -> None:
    with server(Answer(302, headers={"Location": "/x"})) as service:
        found = ask(question(service.origin, None, "DELETE"))
    assert isinstance(found, Failure)
    assert found.phrase == "redirects in a way that leaves the question behind (302)"


def test_a_secret_stays_on_its_server() -> None:
    with server(Answer(200)) as other, server(Answer(307, headers={"Location": "/here"}), Answer(200)) as service:
        ask(question(service.origin))
        service.scripted.append(Answer(302, headers={"Location": f"{other.origin}/there"}))
        ask(question(service.origin))
    assert [request.headers.get("authorization") for request in service.requests] == [SECRET] * 3
    assert "authorization" not in other.requests[0].headers


def test_a_secret_is_not_shown() -> None:
    assert "s3cr3t" not in repr(question("https://example.test/"))


# --- judging ----------------------------------------------------------------------------------------------------------


def test_what_an_answer_means_is_the_callers_to_say() -> None:
    def judge(reply: Reply) -> Failure | None:
        return Failure(FailureKind.UNAVAILABLE, found=f"said {reply.body.decode()}") if reply.status == 422 else None

    with server(Answer(422, b"wait"), Answer(404, b"none")) as service:
        answer = ask(question(service.origin), limits=LIMITS, judge=judge)
    assert isinstance(answer, Reply)
    assert (answer.status, answer.body, len(service.requests)) == (404, b"none", 2)
    with server(Answer(422, b"no")) as service:
        found = ask(question(service.origin), limits=LIMITS, judge=judge)
    assert isinstance(found, Failure)
    assert found.phrase == "said no 3 times"


@pytest.mark.parametrize("answer", [Answer(500, bytes(2000)), Answer(500, b"x", {"Content-Encoding": "gzip"})])
def test_the_body_of_an_error_that_cannot_be_had_is_empty(answer: Answer) -> None:
    with server(answer) as service:
        found = ask(question(service.origin), judge=accept_all)
    assert isinstance(found, Reply)
    assert (found.status, found.body) == (500, b"")


def test_a_body_that_is_too_large_is_no_answer_whoever_judges() -> None:
    with server(Answer(200, bytes(2000))) as service:
        found = ask(question(service.origin), judge=accept_all)
    assert isinstance(found, Failure)
    assert found.phrase == "sent more than 1000 bytes"


@pytest.mark.parametrize(("first", "asked"), [(Answer(500), 1), (Answer(200, fault="vanish"), 1), (Answer(429), 2)])
def test_what_must_not_be_done_twice_is_asked_again_only_where_nothing_was_done(first: Answer, asked: int) -> None:
    with server(first, Answer(200)) as service:
        ask(question(service.origin, b"make"), limits=LIMITS, repeatable=False)
    assert len(service.requests) == asked


# --- digests ----------------------------------------------------------------------------------------------------------


def test_a_digest_stands_in_place_of_a_body() -> None:
    content = b"content" * 100
    with server(Answer(200, content)) as service:
        answer = ask(replace(question(service.origin), digest="sha256"))
        too_large = ask(replace(question(service.origin), digest="sha256", largest=len(content) - 1))
    assert isinstance(answer, Reply)
    assert answer.body == hashlib.sha256(content).digest()
    assert isinstance(too_large, Failure)


def test_the_body_of_an_error_is_kept_as_it_is() -> None:
    with server(Answer(404, b"none")) as service:
        answer = ask(replace(question(service.origin), digest="sha256"), judge=accept_all)
    assert isinstance(answer, Reply)
    assert answer.body == b"none"
