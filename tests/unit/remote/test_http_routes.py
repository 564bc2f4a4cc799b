"""Where the HTTP client is led: by redirects, through proxies, and to servers that TLS vouches for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from hatch_sign.remote.failures import FailureKind
from tests.unit.services.https_server import Answer, Request, Service

from .asking import ONCE, TLS, answers, failure_of, reply_of, server
from .refusing_proxy import refusing_proxy
from .tunnel import tunnelling

if TYPE_CHECKING:
    from pathlib import Path


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
    by_gateways = ["[64:ff9b::10.1.2.3]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::ffff:169.254.169.254]"]
    for host in [*inside, *spelt_otherwise, *by_gateways]:
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
