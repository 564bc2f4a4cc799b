"""Each service once for all tests of the command line and of builds, with a key of each kind that the command line made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hatch_sign.values.algorithms import KeyAlgorithm
from tests.peers.kms.aws.rig import ministack
from tests.peers.kms.clouds import Cloud, CloudProject, make_project
from tests.peers.kms.proxied import aws_cloud, vault_cloud
from tests.peers.kms.vault.rig import openbao

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

KINDS = {"p256": KeyAlgorithm.ECDSA_P256, "rsa": KeyAlgorithm.RSA_3072}


@pytest.fixture(scope="session")
def aws_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AbstractContextManager[Cloud]]:
    folder = tmp_path_factory.mktemp("ministack")
    with ministack(folder) as service:
        yield aws_cloud(service.url, folder)


@pytest.fixture(scope="session")
def vault_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AbstractContextManager[Cloud]]:
    folder = tmp_path_factory.mktemp("openbao")
    with openbao(folder) as server:
        yield vault_cloud(server, folder)


@pytest.fixture(scope="session")
def google_service(tmp_path_factory: pytest.TempPathFactory) -> AbstractContextManager[Cloud]:
    from tests.peers.kms.stand_ins import google_stand_in  # noqa: PLC0415 - it needs two SDKs, and the others none of them

    return google_stand_in(tmp_path_factory.mktemp("google"))


@pytest.fixture(scope="session")
def azure_service(tmp_path_factory: pytest.TempPathFactory) -> AbstractContextManager[Cloud]:
    from tests.peers.kms.stand_ins import azure_stand_in  # noqa: PLC0415 - as above

    return azure_stand_in(tmp_path_factory.mktemp("azure"))


@pytest.fixture(scope="session", params=["aws", "vault", "google", "azure"])
def shared_cloud(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with request.getfixturevalue(f"{request.param}_service") as cloud:
        project = make_project(cloud, tmp_path_factory.mktemp("first"))
        for name, algorithm in KINDS.items():
            project.succeed("key", "generate", cloud.reference(name), "--algorithm", algorithm.value)
        yield cloud


@pytest.fixture
def cloud(shared_cloud: Cloud) -> Cloud:
    shared_cloud.reset()
    return shared_cloud


@pytest.fixture
def project(cloud: Cloud, tmp_path: Path) -> CloudProject:
    return make_project(cloud, tmp_path, artifacts=3)
