"""The client under both services: its proxies, and what comes of a proxy that refuses."""

from __future__ import annotations

import base64
import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.testing.observed import assert_presentable
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.errors import ConfigurationError, CustodyError
from hatch_sign_services.proxies import find_proxy
from hatch_sign_services.signserver import SignServerBackend
from tests.unit.remote.services import Time

from .helpers import signserver_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import SignServerRig

ORIGIN = "https://sign.example.com:8443"
PASSWORD = "open sesame"  # noqa: S105 - the tests' own
DIGEST = bytes(32)


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, None),
        ({"HTTP_PROXY": "http://proxy:3128"}, None),
        ({"HTTPS_PROXY": "http://proxy:3128"}, "http://proxy:3128"),
        ({"https_proxy": "http://lower:1", "HTTPS_PROXY": "http://upper:1"}, "http://lower:1"),
        ({"ALL_PROXY": "https://proxy"}, "https://proxy"),
        ({"HTTPS_PROXY": "proxy:3128"}, "http://proxy:3128"),
        ({"HTTPS_PROXY": "http://[::1]:3128"}, "http://[::1]:3128"),
        ({"HTTPS_PROXY": ""}, None),
        ({"HTTPS_PROXY": "http://proxy", "NO_PROXY": "sign.example.com"}, None),
        ({"HTTPS_PROXY": "http://proxy", "NO_PROXY": "localhost, .EXAMPLE.com"}, None),
        ({"HTTPS_PROXY": "http://proxy", "no_proxy": "example.com"}, None),
        ({"HTTPS_PROXY": "http://proxy", "NO_PROXY": "*"}, None),
        ({"HTTPS_PROXY": "http://proxy", "NO_PROXY": "ample.com,other.example.com,"}, "http://proxy"),
    ],
)
def test_the_proxy_is_the_one_that_the_environment_names(environ: dict[str, str], url: str | None) -> None:
    proxy = find_proxy(ORIGIN, environ)
    assert (proxy.url if proxy else None) == url


def test_a_password_of_a_proxy_goes_into_a_header_and_is_not_shown() -> None:
    proxy = find_proxy(ORIGIN, {"HTTPS_PROXY": "http://me:open%20sesame@proxy:3128"})
    assert proxy is not None
    assert proxy.url == "http://proxy:3128"
    assert base64.b64decode(proxy.headers["proxy-authorization"].split()[1]) == f"me:{PASSWORD}".encode()
    assert PASSWORD not in repr(proxy)


@pytest.mark.parametrize(
    "address", ["socks5://me:sesame@proxy", "http://me:sesame@:1", "http://proxy:sesame", "ftp://sesame"]
)
def test_what_is_no_proxy_is_refused_without_being_shown(address: str) -> None:
    with pytest.raises(ConfigurationError, match="does not name an HTTP proxy") as caught:
        find_proxy(ORIGIN, {"HTTPS_PROXY": address})
    assert_presentable(caught.value, ["sesame"])


@dataclass
class Tunnel:
    """A proxy that knows CONNECT, and refuses with `status` unless that is 200."""

    status: str = "200 OK"
    asked: list[str] = field(default_factory=list)
    port: int = 0

    def serve(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=self._tunnel, args=(connection,), daemon=True).start()

    def _tunnel(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(4096)
            self.asked.append(head.decode())
            connection.sendall(f"HTTP/1.1 {self.status}\r\n\r\n".encode())
            if self.status == "200 OK":
                host, _, port = head.split()[1].decode().partition(":")
                with socket.create_connection((host, int(port))) as target:
                    back = threading.Thread(target=_copy, args=(target, connection), daemon=True)
                    back.start()
                    _copy(connection, target)
                    back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextmanager
def tunnelling(tunnel: Tunnel) -> Iterator[Tunnel]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        tunnel.port = listener.getsockname()[1]
        thread = threading.Thread(target=tunnel.serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield tunnel
        finally:
            listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def test_a_signature_goes_through_the_proxy_which_sees_none_of_it(signserver: SignServerRig) -> None:
    with tunnelling(Tunnel()) as tunnel:
        context = signserver.context(HTTPS_PROXY=f"http://me:open%20sesame@127.0.0.1:{tunnel.port}")
        with open_signer(SignServerBackend(), signserver.reference(), context) as signer:
            assert signer.sign_digest(DIGEST, Scheme.ECDSA_SHA256)
    (asked,) = tunnel.asked
    assert asked.startswith(f"CONNECT 127.0.0.1:{signserver.service.port} HTTP/1.")
    assert "proxy-authorization: basic" in asked.lower()
    assert "hatch-sign" not in asked


@pytest.mark.parametrize(
    ("status", "reason", "asked"),
    [
        ("407 Proxy Authentication Required", "could not be reached: the proxy wants a login", 1),
        ("403 Forbidden", "could not be reached through the proxy 3 times", 3),
        ("502 Bad Gateway", "could not be reached through the proxy 3 times", 3),
    ],
)
def test_a_proxy_that_refuses_is_told_of(signserver: SignServerRig, status: str, reason: str, asked: int) -> None:
    with tunnelling(Tunnel(status)) as tunnel:
        environ = {"HTTPS_PROXY": f"http://me:open%20sesame@127.0.0.1:{tunnel.port}"}
        with (
            signserver_key(signserver, Time(chance=0.0), **environ) as key,
            pytest.raises(CustodyError, match=reason) as caught,
        ):
            key.sign_digest(DIGEST, Scheme.ECDSA_SHA256)
    assert_presentable(caught.value, [PASSWORD, "open%20sesame"])
    assert len(tunnel.asked) == asked
    assert signserver.service.requests == []
