"""Releases signed through the command line with keys of the stand-ins of Google Cloud KMS and Azure Key Vault."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from hatch_sign.values.algorithms import KeyAlgorithm

from ...integration.cli.cli_project import make_wheel
from ...integration.projects import clean_environment, copy_example, tamper
from .. import rigs
from .clouds import CloudProject
from .stand_ins import StandIn, azure_stand_in, google_stand_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KINDS = {"p256": KeyAlgorithm.ECDSA_P256, "rsa": KeyAlgorithm.RSA_3072}


def make_project(cloud: StandIn, folder: Path, *, artifacts: int = 3) -> CloudProject:
    project = CloudProject(folder, {**cloud.environ, "PATH": "", "HOME": str(folder)}, cloud.secrets)
    for number in range(artifacts):
        project.add(f"tool-{number}.bin", b"what is released, number %d" % number)
    return project


@pytest.fixture(scope="module", params=[google_stand_in, azure_stand_in], ids=["google", "azure"])
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """Serve each once, with a key of each kind that the command line made."""
    with request.param(tmp_path_factory.mktemp("service")) as cloud:
        project = make_project(cloud, tmp_path_factory.mktemp("first"))
        for name, algorithm in KINDS.items():
            project.succeed("key", "generate", cloud.reference(name), "--algorithm", algorithm.value)
        yield cloud


@pytest.fixture
def cloud(shared: StandIn) -> StandIn:
    shared.reset()
    return shared


@pytest.fixture
def project(cloud: StandIn, tmp_path: Path) -> CloudProject:
    return make_project(cloud, tmp_path)


def sign(project: CloudProject, cloud: StandIn, name: str = "p256") -> None:
    project.succeed("sign", "dist", "--key", cloud.reference(name))
    assert project.signed() == [f"tool-{number}.bin.sigstore.json" for number in range(3)]
    assert project.unfinished() == []


def fail_to_sign(project: CloudProject, cloud: StandIn) -> str:
    """Sign what cannot be signed; nothing may have been written. Return the error."""
    error = project.fail(3, "sign", "dist", "--key", cloud.reference("p256"))
    assert cloud.reference("p256") in error
    assert project.signed() == []
    assert project.unfinished() == []
    return error


@pytest.mark.parametrize("name", list(KINDS))
def test_what_it_signs_is_accepted_by_others(project: CloudProject, cloud: StandIn, name: str) -> None:
    sign(project, cloud, name)
    public_key = project.folder / "release.pub"
    project.succeed("key", "export-public", cloud.reference(name), "-o", str(public_key))
    project.succeed("verify", "dist", "--key", "release.pub")
    artifact = project.dist / "tool-0.bin"
    bundle = project.dist / "tool-0.bin.sigstore.json"
    for verify in (rigs.cosign_verify_blob, rigs.sigstore_js_verify):
        assert verify(artifact, bundle, public_key).accepted
    artifact.write_bytes(b"what is not released")
    for verify in (rigs.cosign_verify_blob, rigs.sigstore_js_verify):
        assert not verify(artifact, bundle, public_key).accepted
    assert project.run("verify", "dist", "--key", "release.pub").code == 1


def test_what_hatch_builds_is_signed(cloud: StandIn, tmp_path: Path) -> None:
    environ = clean_environment(tmp_path, HATCH_BUILD_HOOK_ENABLE_SIGN="1", HATCH_SIGN_ALLOW_DIRECTORY=str(tmp_path))
    project = copy_example("pure_package", tmp_path / "project", {**environ, **cloud.environ})
    project.configure("emulated:slugline/release", cloud.reference("p256"))
    public_key = project.root / "release.pub"
    assert project.sign("key", "export-public", cloud.reference("p256"), "-o", public_key).code == 0
    built = project.hatchling()
    assert built.code == 0, built.output
    for artifact in (project.artifact(".whl"), project.artifact(".tar.gz")):
        bundle = artifact.with_name(f"{artifact.name}.sigstore.json")
        for verify in (rigs.cosign_verify_blob, rigs.sigstore_js_verify):
            assert verify(artifact, bundle, public_key).accepted
        tamper(artifact)
        for verify in (rigs.cosign_verify_blob, rigs.sigstore_js_verify):
            assert not verify(artifact, bundle, public_key).accepted
    assert not [secret for secret in cloud.secrets if secret in built.output]


def test_a_statement_over_all_artifacts_is_one_signature(project: CloudProject, cloud: StandIn) -> None:
    wheel = make_wheel(project)
    shutil.copyfile(wheel, wheel.with_name("demo-1.0-cp311-none-any.whl"))
    wheels = map(str, project.dist.glob("*.whl"))
    project.succeed("sign", *wheels, "--key", cloud.reference("p256"), "--format", "statement")
    assert cloud.count(cloud.signing) == 1


def test_the_key_is_shown_with_what_the_service_says_of_it(project: CloudProject, cloud: StandIn) -> None:
    (key,) = json.loads(project.succeed("key", "show", cloud.reference("p256"), "--json").out)["keys"]
    assert key["algorithm"] == "ecdsa-p256"
    assert key["protection"]["level"] == "provider-asserted"
    expected = {"gcpkms": ("protectionLevel", "HSM"), "azurekms": ("kty", "EC-HSM")}
    claim, value = expected[cloud.scheme]
    assert key["protection"]["claims"][claim] == value


def test_every_key_is_listed(project: CloudProject, cloud: StandIn) -> None:
    whole = cloud.prefix.removesuffix("/").removesuffix("/cryptoKeys")
    listed = json.loads(project.succeed("key", "list", whole, "--json").out)["keys"]
    assert {"p256", "rsa"} <= {key["label"] for key in listed}


def test_a_certificate_request_is_signed_by_the_service(project: CloudProject, cloud: StandIn) -> None:
    project.succeed("key", "csr", cloud.reference("rsa"), "--subject", "CN=Example Ltd", "-o", "release.csr")
    request = x509.load_pem_x509_csr((project.folder / "release.csr").read_bytes())
    assert request.is_signature_valid
    assert cloud.count(cloud.signing) == 1


def test_a_key_is_never_replaced(project: CloudProject, cloud: StandIn) -> None:
    before = project.succeed("key", "export-public", cloud.reference("p256")).out
    assert "key of this name already" in project.fail(3, "key", "generate", cloud.reference("p256"))
    assert project.succeed("key", "export-public", cloud.reference("p256")).out == before


def test_a_key_that_is_not_there_is_named(project: CloudProject, cloud: StandIn) -> None:
    error = project.fail(3, "sign", "dist", "--key", cloud.reference("nowhere"))
    assert f"{cloud.reference('nowhere')}: " in error
    assert "has no such key" in error or "has no enabled version" in error


def test_the_doctor_finds_the_way_to_the_key(project: CloudProject, cloud: StandIn) -> None:
    report = project.succeed("doctor", cloud.reference("p256")).out
    assert "google-cloud-kms" in report or "azure-keyvault-keys" in report
    assert "127.0.0.1:" in report
    assert "(ecdsa-p256), as" in report
    assert cloud.count(cloud.signing) == 0


def test_the_doctor_says_what_is_missing(project: CloudProject, cloud: StandIn) -> None:
    cloud.state.denied |= {"cloudkms.cryptoKeyVersions.viewPublicKey", "keys/get"}
    ran = project.run("doctor", cloud.reference("p256"))
    assert ran.code == 3
    permission = {"gcpkms": "cloudkms.cryptoKeyVersions.viewPublicKey", "azurekms": "keys/get"}[cloud.scheme]
    assert f"the permission {permission} is missing" in ran.output


@pytest.mark.parametrize("trouble", ["throttled", "failed", "unavailable"])
def test_what_passes_is_waited_for(project: CloudProject, cloud: StandIn, trouble: str) -> None:
    cloud.fail(trouble, 2)
    sign(project, cloud)
    assert cloud.count(cloud.signing) == 5


def test_a_signature_by_another_key_is_caught(project: CloudProject, cloud: StandIn) -> None:
    cloud.forge()
    assert "what came back is not a signature by this key" in fail_to_sign(project, cloud)


def test_a_refusal_names_the_permission_and_is_not_repeated(project: CloudProject, cloud: StandIn) -> None:
    cloud.deny()
    assert f"the permission {cloud.permission} is missing" in fail_to_sign(project, cloud)
    assert cloud.count(cloud.signing) <= 3


def test_an_expired_credential_is_said_and_not_repeated(project: CloudProject, cloud: StandIn) -> None:
    cloud.fail("expired", 99)
    error = fail_to_sign(project, cloud)
    assert "did not accept the credential: it is wrong, or has expired" in error
    assert "log in" in error
    assert cloud.count(cloud.signing) <= 3


def test_without_a_credential_one_line_says_how_to_log_in(cloud: StandIn, tmp_path: Path) -> None:
    logins = ("GOOGLE_APPLICATION_CREDENTIALS", "IDENTITY_ENDPOINT", "IDENTITY_HEADER")
    without = {name: value for name, value in cloud.environ.items() if name not in logins}
    # Nobody looks for the metadata of a virtual machine, or for a person: the environment alone could hold one.
    alone = {**without, "NO_GCE_CHECK": "true", "AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential"}
    project = make_project(replace(cloud, environ=alone), tmp_path)
    ran = project.run("sign", "dist", "--key", cloud.reference("p256"))
    assert ran.code == 3
    (line,) = ran.err.splitlines()
    assert "needs a credential, and none" in line
    assert "; log in: " in line


def test_a_service_that_ends_in_the_middle_leaves_whole_files_and_the_rest_is_made_later(
    cloud: StandIn, tmp_path: Path
) -> None:
    project = make_project(cloud, tmp_path, artifacts=40)
    signed: list[int] = []

    def end_after_ten() -> None:
        signed.append(1)
        if len(signed) == 10:
            cloud.fail("unavailable", 10_000)

    cloud.on_signing(end_after_ten)
    error = project.fail(3, "sign", "dist", "--key", cloud.reference("p256"))
    assert "did not answer, or failed 7 times" in error
    assert "run again for the rest" in error
    done = project.signed()
    assert 0 < len(done) <= 10
    assert project.unfinished() == []
    cloud.reset()
    project.succeed("sign", "dist", "--key", cloud.reference("p256"))
    assert len(project.signed()) == 40
    assert cloud.count(cloud.signing) == 40 - len(done)


def test_a_rotation_in_the_middle_mixes_no_keys(cloud: StandIn, tmp_path: Path) -> None:
    project = make_project(cloud, tmp_path, artifacts=20)
    project.succeed("key", "generate", cloud.reference("turning"))
    project.succeed("key", "export-public", cloud.reference("turning"), "-o", "before.pub")
    cloud.on_signing(lambda: cloud.rotate("turning"))
    project.succeed("sign", "dist", "--key", cloud.reference("turning"))
    project.succeed("verify", "dist", "--key", "before.pub")
    project.succeed("key", "export-public", cloud.reference("turning"), "-o", "after.pub")
    assert project.run("verify", "dist", "--key", "after.pub").code == 1


def test_calls_overlap(cloud: StandIn, tmp_path: Path) -> None:
    project = make_project(cloud, tmp_path, artifacts=40)
    cloud.state.delay = 0.05
    project.succeed("sign", "dist", "--key", cloud.reference("p256"))
    assert cloud.state.most_at_once == 8
    assert cloud.count(cloud.signing) == 40
