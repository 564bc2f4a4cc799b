"""OpenBao's real server, and what its administrator does to it."""

from __future__ import annotations

import contextlib
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.peers.kms.programs import Program, running, script
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

ROOT_TOKEN = "root-token-of-the-tests"  # noqa: S105 - the server's own for its tests; no output may show it


@dataclass
class Server:
    """A running server, and its root's way to it."""

    program: Program

    @property
    def url(self) -> str:
        return self.program.url

    def ask(self, method: str, path: str, content: Mapping[str, object] | None = None, **headers: str) -> dict[str, Any]:
        """Ask as root; returns the whole answer, and raises for a refusal."""
        data = json.dumps(content or {}).encode() if method == "POST" else None
        headers = {"X-Vault-Token": ROOT_TOKEN, **headers}
        request = urllib.request.Request(f"{self.url}/v1/{path}", data, headers, method=method)  # noqa: S310 - loopback
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as response:
            return dict(json.loads(response.read() or b"{}"))

    def make_key(self, name: str, kind: str, **options: object) -> None:
        self.ask("POST", f"transit/keys/{name}", {"type": kind, **options})

    def make_token(self, *rules: str) -> str:
        """Return a token that may do what the rules say: ``update on transit/sign/release``."""
        policy = "".join('path "{2}" {{ capabilities = ["{0}"] }}\n'.format(*rule.split(maxsplit=2)) for rule in rules)
        name = f"p{abs(hash(rules))}"
        self.ask("POST", f"sys/policies/acl/{name}", {"policy": policy})
        return str(self.ask("POST", "auth/token/create", {"policies": [name]})["auth"]["client_token"])

    def knows(self, token: str) -> bool:
        """Return whether a token is still good."""
        try:
            self.ask("GET", "auth/token/lookup-self", **{"X-Vault-Token": token})
        except urllib.error.HTTPError:
            return False
        return True


@contextlib.contextmanager
def openbao(folder: Path) -> Iterator[Server]:
    """Run a server in memory on a free port until the block ends, with a transit engine."""
    port = free_port()
    command = [script("bao"), "server", "-dev", f"-dev-root-token-id={ROOT_TOKEN}"]
    command += [f"-dev-listen-address=127.0.0.1:{port}", "-dev-no-store-token"]
    with running(command, port=port, folder=folder, path="/v1/sys/health") as program:
        server = Server(program)
        server.ask("POST", "sys/mounts/transit", {"type": "transit"})
        yield server


@contextlib.contextmanager
def openbao_over_tls(folder: Path) -> Iterator[tuple[str, Path]]:
    """Run a server with TLS until the block ends; its address, and the file of its own authority."""
    port = free_port()
    command = [script("bao"), "server", "-dev-tls", f"-dev-tls-cert-dir={folder}", f"-dev-root-token-id={ROOT_TOKEN}"]
    command += [f"-dev-listen-address=127.0.0.1:{port}", "-dev-no-store-token"]
    # Over plain HTTP it answers 400, and so it is seen to be there.
    with running(command, port=port, folder=folder, path="/v1/sys/health"):
        (authority,) = folder.glob("*-ca.pem")
        yield f"https://127.0.0.1:{port}", authority


def settings(url: str, folder: Path, token: str = ROOT_TOKEN) -> dict[str, str]:
    """Return the environment of an OpenBao user whose server is at `url`."""
    return {"BAO_ADDR": url, "BAO_TOKEN": token, "HOME": str(folder), "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
