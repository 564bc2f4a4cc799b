"""Starts a whole Sigstore on a loopback port: Fulcio, Rekor v1 and v2, a timestamp authority and a TUF mirror."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import loopback_faults, rigs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from .loopback_faults import Fault, Service

_SERVER = Path(__file__).resolve().parent / "loopback_sigstore" / "server.cjs"
_START_LIMIT = 180.0  # Seconds.
_STOP_LIMIT = 10.0  # Seconds.
_TOKEN_LIFETIME = 3600  # Seconds.
_POLL = 0.02  # Seconds.

ISSUER = "https://token.actions.githubusercontent.com"
IDENTITY = "https://github.com/example/demo/.github/workflows/release.yml@refs/heads/main"


@dataclass(frozen=True)
class LoopbackSigstore:
    """A running instance: where it answers, and the files and token a client needs to sign and verify."""

    url: str
    trust_config: Path
    trusted_root: Path
    tuf_root: Path
    identity_token: str
    identity: str = IDENTITY
    issuer: str = ISSUER

    @property
    def timestamp_url(self) -> str:
        """The RFC 3161 service; it takes DER queries by POST."""
        return f"{self.url}/api/v1/timestamp"

    def fault(self, service: Service, fault: Fault) -> AbstractContextManager[None]:
        """Return a block within which one service has a fault of :mod:`loopback_faults`."""
        return loopback_faults.set_fault(self.url, service, fault)

    def requests(self) -> dict[Service, int]:
        """Return how often each service was asked since the start."""
        return loopback_faults.count_requests(self.url)


def make_identity_token(identity: str = IDENTITY, issuer: str = ISSUER) -> str:
    """Return a JWT as a GitHub workflow would get it, valid for an hour.

    It is signed with HS256 under a key anyone can read, which only the loopback Fulcio believes.
    """
    now = int(time.time())
    repository, _, reference = identity.removeprefix("https://github.com/").partition("@")
    owner, name, *_ = repository.split("/")
    workflow_ref = f"{repository}@{reference}"
    claims = {
        "iss": issuer,
        "aud": "sigstore",
        "sub": identity,
        "iat": now - 5,
        "nbf": now - 5,
        "exp": now + _TOKEN_LIFETIME,
        "event_name": "release",
        "job_workflow_ref": workflow_ref,
        "ref": reference,
        "repository": f"{owner}/{name}",
        "repository_owner": owner,
        "runner_environment": "github-hosted",
        "sha": "a" * 40,
        "workflow": "release",
        "workflow_ref": workflow_ref,
    }
    signed = f"{_segment({'alg': 'HS256', 'typ': 'JWT'})}.{_segment(claims)}"
    signature = hmac.new(b"not a secret", signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_unpadded(signature)}"


@contextlib.contextmanager
def loopback_sigstore() -> Iterator[LoopbackSigstore]:
    """Run an instance on a free port, with its files in a temporary folder, until the block ends.

    Skips the test, or fails it under continuous integration, if the npm packages are missing.

    :raises rigs.RigError: the server ended or stayed silent before it was ready; the message has its own words.
    """
    modules = rigs.require(rigs.Peer.LOOPBACK)
    with tempfile.TemporaryDirectory(prefix="loopback-sigstore-") as name:
        folder = Path(name)
        log = folder / "server.log"
        with log.open("wb") as log_file:
            server = subprocess.Popen(
                ["node", str(_SERVER), name],
                env=rigs.clean_environment(name, {"NODE_PATH": str(modules)}),
                stdin=subprocess.PIPE,  # The server stops when this closes, so it cannot outlive its test.
                stdout=log_file,
                stderr=log_file,
            )
        try:
            _wait_until_ready(server, folder / "trust_config.json", log)
            yield _describe(folder)
        finally:
            _stop(server)


def _describe(folder: Path) -> LoopbackSigstore:
    trust_config = json.loads((folder / "trust_config.json").read_text())
    return LoopbackSigstore(
        url=trust_config["signingConfig"]["caUrls"][0]["url"],
        trust_config=folder / "trust_config.json",
        trusted_root=folder / "trusted_root.json",
        tuf_root=folder / "root.json",
        identity_token=make_identity_token(),
    )


def _wait_until_ready(server: subprocess.Popen[bytes], ready: Path, log: Path) -> None:
    deadline = time.monotonic() + _START_LIMIT
    while not ready.exists():
        if server.poll() is not None or time.monotonic() > deadline:
            message = f"the loopback Sigstore did not start: {log.read_text(errors='replace')}"
            raise rigs.RigError(message)
        time.sleep(_POLL)


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(_STOP_LIMIT)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
    if server.stdin is not None:
        server.stdin.close()


def _segment(content: dict[str, Any]) -> str:
    return _unpadded(json.dumps(content).encode())


def _unpadded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
