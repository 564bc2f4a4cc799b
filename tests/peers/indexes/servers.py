"""Package indexes that others run: pypiserver and devpi-server, each on a free port of the loopback, with a login."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.peers.kms.programs import running, script
from tests.ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

USER, PASSWORD = "root", "correct-horse-17-battery"

_SLOW_START = 240.0  # Seconds. devpi-server takes ten, and more where others are at work.


@dataclass(frozen=True)
class Server:
    """Where uploads go, and what pip takes as ``--index-url``."""

    upload_url: str
    simple: str

    @property
    def environ(self) -> dict[str, str]:
        return {"TWINE_REPOSITORY_URL": self.upload_url, "TWINE_USERNAME": USER, "TWINE_PASSWORD": PASSWORD}


@contextmanager
def pypiserver(folder: Path) -> Iterator[Server]:
    """Run pypiserver: only who has the password may upload, and it leads nobody on to PyPI."""
    (folder / "packages").mkdir()
    digest = hashlib.sha1(PASSWORD.encode(), usedforsecurity=False).digest()
    (folder / "htpasswd").write_text(f"{USER}:{{SHA}}{base64.b64encode(digest).decode()}\n")
    port = free_port()
    options = ["--interface", "127.0.0.1", "--port", str(port), "--disable-fallback", "--passwords", "htpasswd"]
    command = [script("pypi-server"), "run", *options, "--authenticate", "update", "packages"]
    with running(command, port=port, folder=folder, path="/simple/") as program:
        yield Server(f"{program.url}/", f"{program.url}/simple/")


@contextmanager
def devpi(folder: Path) -> Iterator[Server]:
    """Run devpi-server with one index, whose files cannot be replaced; it asks no other server."""
    data, port = folder / "devpi", free_port()
    prepare = [script("devpi-init"), "--serverdir", str(data), "--no-root-pypi", "--root-passwd", PASSWORD]
    subprocess.run(prepare, cwd=folder, check=True, capture_output=True)
    options = ["--serverdir", str(data), "--host", "127.0.0.1", "--port", str(port), "--offline-mode"]
    command = [script("devpi-server"), *options]
    with running(command, port=port, folder=folder, path="/+api", limit=_SLOW_START) as program:
        token = _ask("POST", f"{program.url}/+login", {"user": USER, "password": PASSWORD})["result"]["password"]
        index = {"type": "stage", "bases": [], "volatile": False}
        _ask("PUT", f"{program.url}/{USER}/dev", index, login=f"{USER}:{token}")
        yield Server(f"{program.url}/{USER}/dev/", f"{program.url}/{USER}/dev/+simple/")


def _ask(method: str, address: str, content: object, *, login: str = "") -> dict[str, dict[str, str]]:
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if login:
        headers["X-Devpi-Auth"] = base64.b64encode(login.encode()).decode()
    request = urllib.request.Request(address, json.dumps(content).encode(), headers, method=method)  # noqa: S310 - of this machine
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 - as above
        answer: dict[str, dict[str, str]] = json.load(response)
        return answer
