"""A project built by Hatch's backend and signed by the key of a service, before cosign and @sigstore/verify."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.projects import Project, clean_environment, copy_example, tamper
from tests.peers import rigs
from tests.peers.kms.aws.rig import ministack
from tests.peers.kms.clouds import Cloud, aws_cloud, vault_cloud
from tests.peers.kms.vault.rig import openbao

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module", params=["aws", "vault"])
def cloud(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "aws":
        with ministack(folder) as service, aws_cloud(service.url, folder) as cloud:
            yield cloud
    else:
        with openbao(folder) as server, vault_cloud(server, folder) as cloud:
            yield cloud


@pytest.fixture(params=["ecdsa-p256", "rsa-3072"])
def project(request: pytest.FixtureRequest, cloud: Cloud, tmp_path: Path) -> Project:
    """Lend the example of a pure package, with a key in the cloud instead of the emulated one."""
    environ = clean_environment(
        tmp_path / "home", HATCH_BUILD_HOOK_ENABLE_SIGN="1", HATCH_SIGN_ALLOW_DIRECTORY=str(tmp_path)
    )
    project = copy_example("pure_package", tmp_path / "project", environ | dict(cloud.environ))
    key = cloud.reference(f"{request.param}-{tmp_path.name}")
    project.configure('key = "emulated:slugline/release"', f'key = "{key}"')
    for command in (["generate", key, "--algorithm", request.param], ["export-public", key, "-o", "release.pub"]):
        done = project.sign("key", *command)
        assert done.code == 0, done.output
    return project


def test_what_is_built_is_accepted_by_others(project: Project, cloud: Cloud) -> None:
    done = project.hatchling()
    assert done.code == 0, done.output
    assert not [secret for secret in cloud.secrets if secret in done.output]
    public_key = project.root / "release.pub"
    for suffix in (".whl", ".tar.gz"):
        artifact = project.artifact(suffix)
        bundle = artifact.with_name(f"{artifact.name}.sigstore.json")
        for verify in (rigs.cosign_verify_blob, rigs.sigstore_js_verify):
            assert verify(artifact, bundle, public_key).accepted
        tamper(artifact)
        for verify in (rigs.cosign_verify_blob, rigs.sigstore_js_verify):
            assert not verify(artifact, bundle, public_key).accepted


def test_a_build_that_cannot_be_signed_leaves_nothing_that_looks_released(project: Project, cloud: Cloud) -> None:
    cloud.meet(cloud.replies["refused"], times=99)
    try:
        done = project.hatchling("-t", "wheel")
    finally:
        cloud.proxy.faults.clear()
    assert done.code == 3, done.output
    assert "is missing" in done.output
    assert project.built() == set()
    assert [path.suffix for path in project.quarantine.glob("*.whl")] == [".whl"]
    assert not [secret for secret in cloud.secrets if secret in done.output]
