"""Attestations before pypi-attestations: what we make it accepts, what it makes we accept, and both refuse the same."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sigstore.models import Bundle, ClientTrustConfig
from sigstore.oidc import IdentityToken
from sigstore.sign import SigningContext
from sigstore.verify import Verifier

from hatch_sign.formats.sigstore.bundle import parse_bundle
from hatch_sign_sigstore.pep740.attestation import encode_attestation, parse_attestation

from ...indexes import index_serving
from ...integration.cli.cli_project import Project, make_wheel
from .. import rigs
from ..loopback import LoopbackSigstore, loopback_sigstore
from .keyless import identity_at, make_keyless_project

if TYPE_CHECKING:
    from pypi_attestations import Attestation, Distribution, GitHubPublisher

pypi: Any = rigs.require_module("pypi_attestations")
PUBLISHER: GitHubPublisher = pypi.GitHubPublisher(repository="example/demo", workflow="release.yml")
CONFIGURATION = """\
key = "{key}"
formats = ["pep740"]
[[verify.trust]]
identity = "{identity}"
issuer = "{issuer}"
trusted-root = "{root}"
"""


@pytest.fixture(scope="module")
def instance() -> Iterator[LoopbackSigstore]:
    with loopback_sigstore() as running:
        yield running


@pytest.fixture(autouse=True)
def _judged_there(instance: LoopbackSigstore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pypi-attestations, which knows the public instances alone, find that of the tests in the place of one."""
    config = ClientTrustConfig.from_json(instance.trust_config.read_text())
    monkeypatch.setattr(Verifier, "production", lambda **_: Verifier(trusted_root=config.trusted_root))


@pytest.fixture(scope="module")
def signed(instance: LoopbackSigstore, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project with a wheel and its attestation."""
    project = make_keyless_project(tmp_path_factory.mktemp("pep740"), instance)
    text = CONFIGURATION.format(
        key=identity_at(instance), identity=instance.identity, issuer=instance.issuer, root=instance.trusted_root
    )
    (project.folder / "hatch-sign.toml").write_text(text)
    make_wheel(project)
    project.succeed("sign", "dist")
    return project


def attestation_of(artifact: Path) -> Attestation:
    data = artifact.with_name(f"{artifact.name}.publish.attestation").read_bytes()
    attestation: Attestation = pypi.Attestation.model_validate_json(data)
    return attestation


def distribution(artifact: Path) -> Distribution:
    found: Distribution = pypi.Distribution.from_file(artifact)
    return found


def wheel_of(project: Project) -> Path:
    (wheel,) = project.dist.glob("*.whl")
    return wheel


def test_pypi_attestations_accepts_ours_for_the_trusted_publisher(signed: Project) -> None:
    wheel = wheel_of(signed)
    kind, predicate = attestation_of(wheel).verify(PUBLISHER, distribution(wheel), offline=True)
    assert (kind, predicate) == ("https://docs.pypi.org/attestations/publish/v1", {})


@pytest.mark.parametrize(
    ("publisher", "reason"),
    [
        (pypi.GitHubPublisher(repository="example/other", workflow="release.yml"), "OIDCSourceRepositoryURI does not match"),
        (pypi.GitHubPublisher(repository="example/demo", workflow="other.yml"), r"Build Config URI .* does not match"),
    ],
)
def test_pypi_attestations_refuses_ours_for_another_publisher(
    signed: Project, publisher: GitHubPublisher, reason: str
) -> None:
    wheel = wheel_of(signed)
    with pytest.raises(pypi.VerificationError, match=reason):
        attestation_of(wheel).verify(publisher, distribution(wheel), offline=True)


def test_ours_is_what_pypi_attestations_would_write_and_reads_as_the_same_bundle(signed: Project) -> None:
    wheel = wheel_of(signed)
    data = wheel.with_name(f"{wheel.name}.publish.attestation").read_bytes()
    attestation = attestation_of(wheel)
    bundle = parse_attestation(data)
    assert parse_bundle(attestation.to_bundle().to_json().encode()) == parse_bundle(bundle)
    assert pypi.Attestation.from_bundle(Bundle.from_json(bundle)) == attestation
    assert encode_attestation(parse_bundle(bundle)) == data


def flipped(data: bytes, *path: str) -> bytes:
    table = json.loads(data)
    holder = table
    for step in path[:-1]:
        holder = holder[step]
    content = bytearray(base64.b64decode(holder[path[-1]]))
    content[-1] ^= 1
    holder[path[-1]] = base64.b64encode(content).decode()
    return json.dumps(table).encode()


CHANGES = {
    "artifact": (lambda data: data, "hash-mismatch", "subject does not match distribution digest"),
    "signature": (lambda data: flipped(data, "envelope", "signature"), "untrusted", "invalid signature"),
    "statement": (lambda data: flipped(data, "envelope", "statement"), "malformed", "Verification failed"),
    "certificate": (lambda data: flipped(data, "verification_material", "certificate"), "untrusted", "Verification failed"),
}


@pytest.mark.parametrize("part", CHANGES)
def test_both_refuse_what_was_changed(signed: Project, tmp_path: Path, part: str) -> None:
    change, verdict, reason = CHANGES[part]
    (tmp_path / "dist").mkdir()
    for path in (signed.folder / "hatch-sign.toml", *signed.dist.iterdir()):
        (tmp_path / path.relative_to(signed.folder)).write_bytes(path.read_bytes())
    copy = replace(signed, folder=tmp_path)
    wheel = wheel_of(copy)
    sidecar = wheel.with_name(f"{wheel.name}.publish.attestation")
    sidecar.write_bytes(change(sidecar.read_bytes()))
    if part == "artifact":
        wheel.write_bytes(wheel.read_bytes() + b"!")
    ran = copy.run("verify", "dist", "--json")
    (artifact,) = json.loads(ran.out)["artifacts"]
    assert (ran.code, artifact["signatures"][0]["verdict"]) == (1, verdict)
    with pytest.raises((pypi.AttestationError, ValueError), match=reason):
        attestation_of(wheel).verify(PUBLISHER, distribution(wheel), offline=True)


def test_we_accept_what_pypi_attestations_made(signed: Project, instance: LoopbackSigstore, tmp_path: Path) -> None:
    project = replace(signed, folder=tmp_path)
    (tmp_path / "dist").mkdir()
    (tmp_path / "hatch-sign.toml").write_text((signed.folder / "hatch-sign.toml").read_text())
    wheel = make_wheel(project)
    config = ClientTrustConfig.from_json(instance.trust_config.read_text())
    config.force_tlog_version = 1
    with SigningContext.from_trust_config(config).signer(IdentityToken(instance.identity_token)) as signer:
        attestation = pypi.Attestation.sign(signer, distribution(wheel))
    wheel.with_name(f"{wheel.name}.publish.attestation").write_text(attestation.model_dump_json())
    assert "trusted" in project.succeed("verify", "dist").out
    wheel.write_bytes(wheel.read_bytes() + b"!")
    assert "hash-mismatch" in project.run("verify", "dist").out


def test_what_an_index_receives_verifies_with_pypi_attestations(signed: Project, tmp_path: Path) -> None:
    wheel = wheel_of(signed)
    with index_serving() as index:
        assert index.login is not None
        user, token = index.login
        login = {"TWINE_USERNAME": user, "TWINE_PASSWORD": token, "HOME": str(tmp_path)}
        signed.succeed("upload", "dist", "--repository-url", index.url, "--attestations", **login)
        (upload,) = index.uploads
    (received,) = upload.attestations
    attestation = pypi.Attestation.model_validate(received)
    kind, _ = attestation.verify(PUBLISHER, distribution(wheel), offline=True)
    assert kind == "https://docs.pypi.org/attestations/publish/v1"
    other = tmp_path / wheel.name
    other.write_bytes(wheel.read_bytes() + b"!")
    with pytest.raises(pypi.VerificationError, match="subject does not match distribution digest"):
        attestation.verify(PUBLISHER, distribution(other), offline=True)
