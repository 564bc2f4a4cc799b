"""The fakes on sockets of their own, with TLS, and what a client of each has in its environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from hatch_sign.custody.context import RunContext
from hatch_sign.testing.seals import private_key
from hatch_sign.values.algorithms import KeyAlgorithm

from .authority import Authority, write_chain, write_pair
from .fake_artifact_signing import TOKEN, FakeArtifactSigning
from .fake_signserver import FakeSignServer, Worker
from .https_server import Service, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KINDS = (
    KeyAlgorithm.ECDSA_P256,
    KeyAlgorithm.ECDSA_P384,
    KeyAlgorithm.ECDSA_P521,
    KeyAlgorithm.RSA_3072,
    KeyAlgorithm.RSA_4096,
)


@dataclass
class Rig:
    """A service that runs, and what its client is told by the environment."""

    service: Service
    folder: Path
    authority: Authority
    environ: dict[str, str]
    warnings: list[str] = field(default_factory=list)

    def context(self, **more: str) -> RunContext:
        environ = {name: value for name, value in {**self.environ, **more}.items() if value}
        return RunContext(environ, on_warning=self.warnings.append)


@pytest.fixture(scope="session")
def tls_folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Authority]:
    """Make the authority of server and client, and write what each needs of it."""
    folder, authority = tmp_path_factory.mktemp("tls"), Authority()
    write_chain(folder / "ca.pem", authority.certificate)
    server = authority.server()
    write_pair(folder / "server.pem", server.certificate, server.key)
    client = ec.generate_private_key(ec.SECP256R1())
    certificate = authority.certify("release engineer", client)
    write_pair(folder / "client.pem", certificate, client)
    write_pair(folder / "locked.pem", certificate, client, password="open sesame")  # noqa: S106 - the tests' own
    stranger = ec.generate_private_key(ec.SECP256R1())
    write_pair(folder / "stranger.pem", authority.certify("somebody else", stranger), stranger)
    return folder, authority


@dataclass
class SignServerRig(Rig):
    """SignServer with a worker for each kind of key, named after it, whose chains are in files of that name."""

    fake: FakeSignServer = field(default_factory=FakeSignServer)

    def reference(self, worker: str = "ecdsa-p256", query: str | None = None) -> str:
        asked = f"certificate={self.folder}/{worker}.pem" if query is None else query
        return f"signserver+https://127.0.0.1:{self.service.port}/signserver/workers/{worker}?{asked}"

    @property
    def worker(self) -> Worker:
        return self.fake.workers["ecdsa-p256"]


@pytest.fixture
def signserver(tls_folder: tuple[Path, Authority], tmp_path: Path) -> Iterator[SignServerRig]:
    fake, (folder, authority) = FakeSignServer(), tls_folder
    for number, kind in enumerate(KINDS):
        key = private_key(kind)
        assert isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey)
        certificate = authority.certify(f"worker {kind.value}", key)
        algorithm = "NONEwithRSA" if isinstance(key, rsa.RSAPrivateKey) else "NONEwithECDSA"
        fake.workers[kind.value] = Worker(key, certificate, algorithm)
        fake.numbers[number + 1] = kind.value
        write_chain(tmp_path / f"{kind.value}.pem", certificate, authority.certificate)
    environ = {"SIGNSERVER_CA_BUNDLE": f"{folder}/ca.pem", "SIGNSERVER_CLIENT_CERTIFICATE": f"{folder}/client.pem"}
    with serving(Service(fake.respond), folder / "server.pem", client_authority=folder / "ca.pem") as service:
        yield SignServerRig(service, tmp_path, authority, environ, fake=fake)


@dataclass
class ArtifactSigningRig(Rig):
    """Artifact Signing with one profile. The login is Azure's command line, which the tests have put on PATH."""

    fake: FakeArtifactSigning = field(default_factory=lambda: FakeArtifactSigning([]))

    @property
    def reference(self) -> str:
        return f"artifact-signing://weu/{self.fake.account}/{self.fake.profile}"


@pytest.fixture
def artifact_signing(
    tls_folder: tuple[Path, Authority], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ArtifactSigningRig]:
    folder, authority = tls_folder
    keys = [private_key(KeyAlgorithm.RSA_3072), private_key(KeyAlgorithm.RSA_4096)]
    fake = FakeArtifactSigning([key for key in keys if isinstance(key, rsa.RSAPrivateKey)])
    install_az(tmp_path)
    # OpenSSL and azure-identity look at the environment of the process.
    monkeypatch.setenv("SSL_CERT_FILE", f"{folder}/ca.pem")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "AzureCliCredential")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    with serving(Service(fake.respond), folder / "server.pem") as service:
        environ = {"HATCH_SIGN_ARTIFACT_SIGNING_ENDPOINT": service.origin}
        yield ArtifactSigningRig(service, tmp_path, authority, environ, fake=fake)


def install_az(folder: Path, *, token: str = TOKEN, status: int = 0, complaint: str = "") -> None:
    """Put a program where Azure's command line would be: it knows one command, which tells the token."""
    (folder / "bin").mkdir(exist_ok=True)
    program = folder / "bin" / "az"
    answer = f'{{"accessToken": "{token}", "expires_on": 4102444800}}'
    program.write_text(
        f"#!/bin/sh\necho called >> '{folder}/az.log'\necho '{answer}'\necho '{complaint}' >&2\nexit {status}\n"
    )
    program.chmod(0o755)
