"""The login of Google's own tools: a service account, workload identity, and what can be wrong with either."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hatch_sign.custody.context import RunContext
from hatch_sign.testing.observed import assert_presentable
from hatch_sign.values.errors import SecretUnavailableError
from hatch_sign_kms.google.connection import connect, make_caller
from hatch_sign_kms.google.references import parse_google_reference

from ...peers.kms.authority import make_loopback_certificate
from ...peers.kms.google.rig import RING, Server, environment, serving, serving_tls
from .google_rig import make_service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = f"gcpkms://{RING}/cryptoKeys/signing"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(make_service()) as server:
        yield server


@dataclass
class ServiceAccount:
    """A service account's key file; remembers the claims of the tokens that it signed."""

    path: Path
    claims: list[dict[str, object]]

    def accepts(self, token: str) -> bool:
        body = token.split(".")[1]
        self.claims.append(json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))))
        return self.claims[-1]["iss"] == "signer@example.iam.gserviceaccount.com"


@pytest.fixture
def account(tmp_path: Path) -> ServiceAccount:
    private = rsa.generate_private_key(65537, 2048)
    content = {
        "type": "service_account",
        "project_id": "example",
        "private_key_id": "1",
        "private_key": private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        "client_email": "signer@example.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": "http://127.0.0.1:9/token",  # Nobody is there: a service account's key needs no token service.
    }
    path = tmp_path / "account.json"
    path.write_text(json.dumps(content))
    return ServiceAccount(path, [])


SIGN = """
import sys
from hatch_sign.contract.backends import Symptom
from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.custody.context import RunContext
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.errors import HatchSignError
from hatch_sign_kms.google import GoogleBackend
import os
try:
    with open_signer(GoogleBackend(), sys.argv[1], RunContext(os.environ, on_warning=print)) as signer:
        print(len(signer.sign(b"message", Scheme.ECDSA_SHA256)))
except HatchSignError as error:
    print(type(error).__name__, error)
"""


LENGTHS = frozenset(map(str, range(60, 73)))
"""Of an ECDSA signature in DER, which leaves out the zeros that either of its two numbers begins with."""


def sign_in_a_process(environ: dict[str, str], folder: Path) -> str:
    """Sign where gRPC reads its roots, and Google's libraries their credential, from a process's own environment."""
    clean = {"PATH": "/nowhere", "HOME": str(folder), "PYTHONPATH": ":".join(sys.path), **environ}
    done = subprocess.run([sys.executable, "-c", SIGN, KEY], env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_service_account_logs_in_over_tls(account: ServiceAccount, tmp_path: Path) -> None:
    service = make_service()
    service.accepts = account.accepts
    certificate = make_loopback_certificate(tmp_path)
    with serving_tls(service, certificate) as server:
        environ = environment(server, scheme="https") | {
            "GOOGLE_APPLICATION_CREDENTIALS": str(account.path),
            "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(certificate.roots),
        }
        assert sign_in_a_process(environ, tmp_path) in LENGTHS
        assert {claims["scope"] for claims in account.claims} == {"https://www.googleapis.com/auth/cloudkms"}
        service.accepts = lambda _: False
        refused = sign_in_a_process(environ, tmp_path)
        assert refused.startswith(f"SecretRejectedError {KEY}: Google Cloud KMS did not accept the credential")
        assert "gcloud auth application-default login" in refused


class TokenService(BaseHTTPRequestHandler):
    """Exchanges the token of a build for one of Google's (RFC 8693), as workload identity does."""

    asked: ClassVar[list[dict[str, list[str]]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append(parse_qs(body.decode()))
        kind = "urn:ietf:params:oauth:token-type:access_token"
        answer = {"access_token": "exchanged", "issued_token_type": kind, "token_type": "Bearer", "expires_in": 3600}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_build_logs_in_by_its_identity_without_any_lasting_secret(tmp_path: Path) -> None:
    (tmp_path / "oidc").write_text("the-token-of-the-build")
    service = make_service()
    service.accepts = "exchanged".__eq__
    certificate = make_loopback_certificate(tmp_path)
    with HTTPServer(("127.0.0.1", 0), TokenService) as exchange, serving_tls(service, certificate) as server:
        thread = threading.Thread(target=exchange.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        configuration = {
            "type": "external_account",
            "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/ci/providers/builds",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": f"http://127.0.0.1:{exchange.server_address[1]}/v1/token",
            "credential_source": {"file": str(tmp_path / "oidc")},
        }
        (tmp_path / "workload.json").write_text(json.dumps(configuration))
        environ = environment(server, scheme="https") | {
            "GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "workload.json"),
            "GOOGLE_CLOUD_PROJECT": "example",  # as Google's own action sets it; without, google-auth looks it up
            "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(certificate.roots),
        }
        try:
            assert sign_in_a_process(environ, tmp_path) in LENGTHS
        finally:
            exchange.shutdown()
            thread.join()
    (asked,) = TokenService.asked
    assert asked["subject_token"] == ["the-token-of-the-build"]
    assert asked["scope"] == ["https://www.googleapis.com/auth/cloudkms"]


def test_a_service_that_cannot_be_trusted_is_not_asked_again(account: ServiceAccount, tmp_path: Path) -> None:
    service = make_service()
    service.accepts = account.accepts
    with serving_tls(service, make_loopback_certificate(tmp_path)) as server:
        environ = environment(server, scheme="https") | {"GOOGLE_APPLICATION_CREDENTIALS": str(account.path)}
        refused = sign_in_a_process(environ, tmp_path)
    assert "showed a TLS certificate that is not trusted (UNAVAILABLE)" in refused
    assert "set GRPC_DEFAULT_SSL_ROOTS_FILE_PATH" in refused
    assert account.claims == []


def test_no_credential_goes_over_a_plain_channel(account: ServiceAccount, tmp_path: Path, server: Server) -> None:
    environ = environment(server) | {"GOOGLE_APPLICATION_CREDENTIALS": str(account.path)}
    assert sign_in_a_process(environ, tmp_path) in LENGTHS  # The stand-in refuses a call that brings one.


@pytest.mark.parametrize("content", [None, "{}", '{"type": "service_account", "private_key": "s3cr3t-key"}', "s3cr3t-key"])
def test_a_credential_that_cannot_be_read(content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "credential.json"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    caller = make_caller(parse_google_reference(KEY), RunContext({}, on_warning=pytest.fail))
    found = "needs a credential, and none could be read; log in"
    with pytest.raises(SecretUnavailableError, match=found) as caught, connect(caller, {}):
        pass
    assert_presentable(caught.value, ("s3cr3t-key",))
