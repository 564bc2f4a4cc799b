"""The one HTTP client of the core, against real servers on the loopback that do what servers should not."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import pytest

from hatch_sign.remote.failures import FailureKind
from hatch_sign.remote.http import ask, shown_address
from hatch_sign.remote.http_messages import Reply
from tests.unit.services.https_server import Answer

from .asking import LARGEST, ONCE, answers, chunked, failure_of, question, raw_server, reply_of, server


def test_a_body_goes_out_by_post_and_the_answer_comes_back() -> None:
    with server(answers(Answer(200, b"reply", {"Content-Type": "Application/X-Reply; a=b", "X-Other": "1"}))) as service:
        reply = reply_of(service.origin + "/path?query")
    (request,) = service.requests
    assert (request.method, request.path, request.body) == ("POST", "/path?query", b"query")
    assert request.headers["content-type"] == "application/x-query"
    assert request.headers["accept"] == "application/x-reply"
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["user-agent"].startswith("hatch-sign/")
    assert not {"cookie", "authorization"} & request.headers.keys()
    assert (reply.status, reply.body, reply.media_type, reply.headers["x-other"]) == (
        200,
        b"reply",
        "application/x-reply",
        "1",
    )


def test_without_a_body_it_is_fetched() -> None:
    with server(answers(Answer(200, b"list"))) as service:
        answer = ask(question(service.origin + "/list", None))
    assert isinstance(answer, Reply)
    assert answer.body == b"list"
    assert answer.media_type == ""
    assert service.requests[0].method == "GET"
    assert "content-type" not in service.requests[0].headers


def test_as_many_bytes_as_are_allowed_are_read_and_not_one_more() -> None:
    with server(lambda request: Answer(200, bytes(int(request.path[1:])))) as service:
        assert len(reply_of(f"{service.origin}/{LARGEST}").body) == LARGEST
        assert failure_of(f"{service.origin}/{LARGEST + 1}").phrase == f"sent more than {LARGEST} bytes"


def test_a_length_that_is_not_told_is_bounded_as_well() -> None:
    with raw_server(chunked(b"a" * 600, b"b" * 400) + b"0\r\n\r\n", chunked(b"a" * 600, b"b" * 401)) as address:
        assert len(reply_of(address).body) == LARGEST
        assert "sent more than" in failure_of(address).phrase


def test_chunks_of_one_byte_are_read_in_little_memory() -> None:
    size = 150_000
    with raw_server(chunked(*[b"a"] * size) + b"0\r\n\r\n") as address:
        asked = replace(question(address, None), largest=size)
        tracemalloc.start()
        try:
            answer = ask(asked, limits=ONCE)
            assert tracemalloc.get_traced_memory()[1] < 50 * size  # kept one by one, they would take 90 each
        finally:
            tracemalloc.stop()
    assert isinstance(answer, Reply), answer
    assert answer.body == b"a" * size


def test_an_answer_that_ends_in_the_middle_is_none() -> None:
    with raw_server(chunked(b"half"), b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf") as address:
        assert failure_of(address, limits=ONCE).phrase == "cut the connection"
        assert failure_of(address, limits=ONCE).phrase == "cut the connection in the middle of its answer"


def test_what_is_no_http_is_told_and_not_repeated() -> None:
    with raw_server(b"220 mail.example ESMTP\r\n") as address:
        found = failure_of(address)
    assert (found.kind, found.phrase) == (FailureKind.MALFORMED, "gave an answer that is no HTTP")


def test_a_compressed_answer_is_refused_as_it_could_be_of_any_size() -> None:
    with server(answers(Answer(200, b"x", {"Content-Encoding": "gzip"}))) as service:
        assert failure_of(service.origin).phrase == "compressed its answer, which was not asked for"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://tsa.example:8443/path?token=secret#part", "https://tsa.example:8443/path"),
        ("https://user:secret@tsa.example/", "https://tsa.example/"),
        ("https://tsa.example/\x1b[2J", "https://tsa.example/\\x1b[2J"),
        ("http://user:secret@[::1/?secret", "[::1/"),
        ("https://user:half/secret@tsa.example/path?secret", "tsa.example/path"),
        ("https://user:half?secret@tsa.example/path", "https://…"),
        ("https://user:half#secret@tsa.example/path", "https://…"),
        ("https://tsa.example:port/path?secret", "https://tsa.example:port/path"),
    ],
)
def test_an_address_is_shown_without_what_may_be_secret(address: str, shown: str) -> None:
    assert shown_address(address) == shown
