"""The one HTTP client of the core, against real servers on the loopback that do what servers should not."""

from __future__ import annotations

import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hatch_sign.remote.failures import Failure, FailureKind
from hatch_sign.remote.http import ask, shown_address, wants_patience
from hatch_sign.remote.http_messages import Question, Reply
from hatch_sign.remote.limits import NetworkLimits
from hatch_sign.remote.retrying import Timing
from tests.authority import Authority
from tests.unit.services.https_server import Answer, Request, Service, serving

from .refusing_proxy import refusing_proxy
from .services import Time
from .tunnel import tunnelling

if TYPE_CHECKING:
    from pathlib import Path

LARGEST = 1000
LIMITS = NetworkLimits(connect=30.0, read=60.0, total=120.0, attempts=3, first_pause=0.001, longest_pause=0.001)
ONCE = replace(LIMITS, attempts=1)
SHORT_SILENCE, SHORT_TIME = replace(ONCE, read=0.2), replace(ONCE, total=0.5)
TLS = Authority("TLS Root")


@contextmanager
def server(respond: Callable[[Request], Answer], tls: Path | None = None) -> Iterator[Service]:
    with serving(Service(respond), tls) as service:
        yield service


def answers(*given: Answer) -> Callable[[Request], Answer]:
    """Answer with each in turn, and with the last for ever."""
    left = list(given)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def question(address: str, body: bytes | None = b"query") -> Question:
    return Question(address, accept="application/x-reply", largest=LARGEST, body=body, content_type="application/x-query")


def reply_of(address: str, **options: object) -> Reply:
    answer = ask(question(address), limits=LIMITS, **options)  # type: ignore[arg-type] # whatever a test gives
    assert isinstance(answer, Reply), answer
    return answer


def failure_of(address: str, body: bytes | None = b"query", limits: NetworkLimits = LIMITS) -> Failure:
    answer = ask(question(address, body), limits=limits)
    assert isinstance(answer, Failure), answer
    return answer


# --- what goes out, and what comes back -------------------------------------------------------------------------------


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


@contextmanager
def raw_server(*answers: bytes) -> Iterator[str]:
    """Answer each connection with the next of these bytes, whatever is asked, and close it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for answer in answers:
                connection, _ = listening.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)
                    connection.shutdown(socket.SHUT_WR)
                    connection.settimeout(30)
                    with suppress(OSError):
                        connection.recv(1)  # until the other side has gone: closing earlier may reset what is under way

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        finally:
            thread.join(30)


def chunked(*chunks: bytes) -> bytes:
    parts = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + parts


def test_a_length_that_is_not_told_is_bounded_as_well() -> None:
    with raw_server(chunked(b"a" * 600, b"b" * 400) + b"0\r\n\r\n", chunked(b"a" * 600, b"b" * 401)) as address:
        assert len(reply_of(address).body) == LARGEST
        assert "sent more than" in failure_of(address).phrase


def test_chunks_of_one_byte_are_read_in_little_memory() -> None:
    size = 500_000
    with raw_server(chunked(*[b"a"] * size) + b"0\r\n\r\n") as address:
        asked = replace(question(address, None), largest=size)
        tracemalloc.start()
        try:
            answer = ask(asked, limits=ONCE)
            assert tracemalloc.get_traced_memory()[1] < 20 * size
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


# --- failures ---------------------------------------------------------------------------------------------------------


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
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    found = failure_of(address)
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


# --- redirects --------------------------------------------------------------------------------------------------------


def test_a_body_is_redirected_where_it_may_be() -> None:
    def respond(request: Request) -> Answer:
        return Answer(200, request.body) if request.path == "/new" else Answer(308, headers={"Location": "/new"})

    with server(respond) as service:
        assert reply_of(service.origin + "/old").body == b"query"
    assert [request.method for request in service.requests] == ["POST", "POST"]


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_redirect_that_would_lose_the_body_is_refused(status: int) -> None:
    with server(answers(Answer(status, headers={"Location": "/new"}))) as service:
        found = failure_of(service.origin)
        assert found.phrase == f"redirects in a way that leaves the question behind ({status})"
        assert len(service.requests) == 1
        fetched = failure_of(service.origin, None)
    assert fetched.phrase == "redirects in circles, or too often"
    assert len(service.requests) == 1 + 4


@pytest.mark.parametrize(
    "location", ["ftp://127.0.0.1/", "http://user:secret@127.0.0.1/", "file:///etc/passwd", "http://[::1/"]
)
def test_a_redirect_elsewhere_than_to_a_web_server_is_refused(location: str) -> None:
    with server(answers(Answer(307, headers={"Location": location}))) as service:
        found = failure_of(service.origin)
    assert found.phrase in {"is no http or https address without a password", "is no address that can be asked"}


def test_a_stranger_redirects_nobody_into_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    inside = ["localhost", "127.0.0.2", "10.1.2.3", "[::1]", "169.254.169.254"]
    spelt_otherwise = ["2130706433", "127.1", "0x7f.1", "0x7F000001", "0177.0.0.1", "127.1.", "%31%32%37.1", "\xb927.0.0.1"]
    for host in [*inside, *spelt_otherwise]:
        location = f"http://{host}/"
        with server(answers(Answer(307, headers={"Location": location}))) as proxy:
            monkeypatch.setenv("http_proxy", proxy.origin)
            monkeypatch.setenv("no_proxy", "")
            found = failure_of("http://tsa.example/")
        assert found.phrase == "redirects to an address of this machine or of a private network (307)"
        assert [request.path for request in proxy.requests] == ["http://tsa.example/"]


# --- proxies and TLS --------------------------------------------------------------------------------------------------


def test_the_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(lambda request: Answer(200, request.path.encode())) as proxy:
        monkeypatch.setenv("http_proxy", proxy.origin)
        monkeypatch.setenv("no_proxy", "")
        assert reply_of("http://tsa.example/path").body == b"http://tsa.example/path"


def test_a_proxy_that_wants_a_login_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    with refusing_proxy(407) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url.replace("http://", "http://user:secret@"))
        monkeypatch.setenv("no_proxy", "")
        found = failure_of("https://tsa.example/")
    assert found.phrase == "could not be reached: the proxy wants a login (407)"
    assert len(proxy.asked) == 1


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[Service]:
    holder = TLS.server()
    pem = tmp_path / "server.pem"
    pem.write_bytes(holder.pem + holder.key_pem)
    with server(lambda request: Answer(200, request.path.encode()), pem) as service:
        yield service


def test_tls_is_verified(tls_server: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = failure_of(tls_server.origin)
    assert (found.kind, found.phrase) == (FailureKind.INVALID, "showed a TLS certificate that is not trusted")
    assert "SSL_CERT_FILE" in found.remedy
    (tmp_path / "roots.pem").write_bytes(TLS.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "roots.pem"))
    assert reply_of(tls_server.origin + "/secure").body == b"/secure"


def test_tls_goes_through_a_proxy(tls_server: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "roots.pem").write_bytes(TLS.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "roots.pem"))
    with tunnelling() as proxy:
        monkeypatch.setenv("https_proxy", proxy.url.replace("http://", "http://user:secret@"))
        monkeypatch.setenv("no_proxy", "")
        assert reply_of(tls_server.origin + "/secure").body == b"/secure"
    (head,) = proxy.heads
    assert head.startswith(f"CONNECT 127.0.0.1:{tls_server.port} ".encode())
    assert b"Proxy-Authorization: Basic " in head
    assert all("proxy-authorization" not in request.headers for request in tls_server.requests)


def test_nobody_leads_from_tls_to_a_plain_channel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    holder = TLS.server()
    (tmp_path / "server.pem").write_bytes(holder.pem + holder.key_pem)
    (tmp_path / "roots.pem").write_bytes(TLS.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "roots.pem"))
    with server(answers(Answer(200))) as plain:
        redirect = answers(Answer(307, headers={"Location": plain.origin}))
        with server(redirect, tmp_path / "server.pem") as service:
            assert failure_of(service.origin).phrase == "redirects from https to a plain channel (307)"
    assert plain.requests == []


def test_a_server_that_speaks_no_tls_is_told_of() -> None:
    with server(answers(Answer(200))) as service:
        found = failure_of(service.origin.replace("http:", "https:"), limits=ONCE)
    assert found.phrase in {"does not speak TLS there, or none that is safe", "cut the connection"}


# --- how an address is shown ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://tsa.example:8443/path?token=secret#part", "https://tsa.example:8443/path"),
        ("https://user:secret@tsa.example/", "https://tsa.example/"),
        ("https://tsa.example/\x1b[2J", "https://tsa.example/\\x1b[2J"),
        ("http://user:secret@[::1/?secret", "[::1/"),
    ],
)
def test_an_address_is_shown_without_what_may_be_secret(address: str, shown: str) -> None:
    assert shown_address(address) == shown
