"""Releases signed through the command line with keys of real services, and what networks do to them on the way."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.public_keys import parse_public_key, verify_digest
from tests.integration.cli.cli_project import make_wheel
from tests.peers import rigs
from tests.peers.kms.aws.rig import ministack
from tests.peers.kms.clouds import Cloud, CloudProject, aws_cloud, make_project, vault_cloud
from tests.peers.kms.faults import Fault
from tests.peers.kms.vault.rig import Server, openbao

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KINDS = {"p256": KeyAlgorithm.ECDSA_P256, "rsa": KeyAlgorithm.RSA_3072}
PASSING = ("throttled", "throttled, waiting", "failed", "unavailable")


@pytest.fixture(scope="module")
def aws_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with ministack(tmp_path_factory.mktemp("ministack")) as service:
        yield service.url


@pytest.fixture(scope="module")
def vault_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with openbao(tmp_path_factory.mktemp("openbao")) as server:
        yield server


@pytest.fixture(scope="module", params=["aws", "vault"])
def shared_cloud(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Each service once, with a key of each kind."""
    service = request.getfixturevalue(f"{request.param}_service")
    folder = tmp_path_factory.mktemp(request.param)
    with aws_cloud(service, folder) if request.param == "aws" else vault_cloud(service, folder) as cloud:
        (folder / "first").mkdir()
        project = make_project(cloud, folder / "first")
        for name, algorithm in KINDS.items():
            project.succeed("key", "generate", cloud.reference(name), "--algorithm", algorithm.value)
        yield cloud


@pytest.fixture
def cloud(shared_cloud: Cloud) -> Cloud:
    shared_cloud.proxy.faults.clear()
    shared_cloud.proxy.requests.clear()
    shared_cloud.proxy.most_at_once = 0
    return shared_cloud


@pytest.fixture
def project(cloud: Cloud, tmp_path: Path) -> CloudProject:
    return make_project(cloud, tmp_path, artifacts=3)


def sign(project: CloudProject, cloud: Cloud, name: str = "p256") -> None:
    project.succeed("sign", "dist", "--key", cloud.reference(name))
    assert project.signed() == [f"tool-{number}.bin.sigstore.json" for number in range(3)]
    assert project.unfinished() == []


def fail_to_sign(project: CloudProject, cloud: Cloud) -> str:
    """Sign what cannot be signed; nothing may have been written. Returns the error."""
    error = project.fail(3, "sign", "dist", "--key", cloud.reference("p256"))
    assert project.signed() == []
    assert project.unfinished() == []
    return error


# --- what a user does ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(KINDS))
def test_what_it_signs_is_accepted_by_others(project: CloudProject, cloud: Cloud, name: str) -> None:
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


def test_cosign_reads_the_same_reference(project: CloudProject, cloud: Cloud) -> None:
    command = [str(rigs.require("cosign")), "public-key", "--key", cloud.reference("p256")]
    environ = rigs.clean_environment(str(project.folder), cloud.environ)
    theirs = subprocess.run(command, env=environ, capture_output=True, text=True, check=True, timeout=120).stdout
    assert theirs.strip() == project.succeed("key", "export-public", cloud.reference("p256")).out.strip()
    other = project.succeed("key", "export-public", cloud.reference("rsa")).out
    assert theirs.strip() != other.strip()


def test_a_statement_over_all_artifacts_is_one_signature(project: CloudProject, cloud: Cloud) -> None:
    wheel = make_wheel(project)
    shutil.copyfile(wheel, wheel.with_name("demo-1.0-cp311-none-any.whl"))
    project.succeed("sign", *map(str, project.dist.glob("*.whl")), "--key", cloud.reference("p256"), "--format", "statement")
    assert cloud.proxy.count(cloud.signing) == 1
    project.succeed("key", "export-public", cloud.reference("p256"), "-o", "release.pub")
    public_key = project.folder / "release.pub"
    statement = project.dist / "demo-1.0.intoto.sigstore.json"
    assert rigs.sigstore_js_verify(wheel, statement, public_key).accepted
    wheel.write_bytes(wheel.read_bytes() + b"more")
    assert not rigs.sigstore_js_verify(wheel, statement, public_key).accepted


def test_the_key_is_shown_with_what_the_service_says_of_it(project: CloudProject, cloud: Cloud) -> None:
    (key,) = json.loads(project.succeed("key", "show", cloud.reference("p256"), "--json").out)["keys"]
    assert key["algorithm"] == "ecdsa-p256"
    expected = {"awskms": ("provider-asserted", "origin", "AWS_KMS"), "openbao": ("software", "exportable", "false")}
    level, claim, value = expected[cloud.scheme]
    assert key["protection"]["level"] == level
    assert key["protection"]["claims"][claim] == value


def test_every_key_is_listed(project: CloudProject, cloud: Cloud) -> None:
    listed = project.succeed("key", "list", cloud.prefix.removesuffix("alias/"), "--json").out
    references = {key["reference"]: key["algorithm"] for key in json.loads(listed)["keys"]}
    assert references[cloud.reference("p256")] == "ecdsa-p256"
    assert references[cloud.reference("rsa")] == "rsa-3072"


def test_a_certificate_request_is_signed_by_the_service(project: CloudProject, cloud: Cloud) -> None:
    project.succeed("key", "csr", cloud.reference("rsa"), "--subject", "CN=Example Ltd", "-o", "release.csr")
    request = x509.load_pem_x509_csr((project.folder / "release.csr").read_bytes())
    assert request.is_signature_valid
    assert cloud.proxy.count(cloud.signing) == 1


def test_a_key_is_never_replaced(project: CloudProject, cloud: Cloud) -> None:
    before = project.succeed("key", "export-public", cloud.reference("p256")).out
    error = project.fail(3, "key", "generate", cloud.reference("p256"))
    assert "already; choose another" in error
    assert project.succeed("key", "export-public", cloud.reference("p256")).out == before


def test_a_key_that_is_not_there_is_named(project: CloudProject, cloud: Cloud) -> None:
    error = project.fail(3, "sign", "dist", "--key", cloud.reference("nowhere"))
    assert f"{cloud.reference('nowhere')}: " in error
    assert "has no such key" in error


# --- what networks and services do --------------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", PASSING)
def test_what_passes_is_waited_for(project: CloudProject, cloud: Cloud, trouble: str) -> None:
    cloud.meet(cloud.replies[trouble], times=2)
    sign(project, cloud)
    assert cloud.proxy.count(cloud.signing) == 5


@pytest.mark.parametrize("kind", ["reset", "cut"])
@pytest.mark.parametrize("request_", ["signing", "reading"])
def test_a_broken_connection_is_made_again(project: CloudProject, cloud: Cloud, kind: str, request_: str) -> None:
    cloud.meet(Fault(kind), matches=getattr(cloud, request_))
    sign(project, cloud)


@pytest.mark.parametrize("body", [b"<html>Welcome to the hotel</html>", b"[]", b"{}"])
@pytest.mark.parametrize("request_", ["signing", "reading"])
def test_rubbish_is_no_answer(project: CloudProject, cloud: Cloud, body: bytes, request_: str) -> None:
    cloud.meet(Fault(body=body, headers={"Content-Type": "application/json"}), matches=getattr(cloud, request_), times=99)
    error = fail_to_sign(project, cloud)
    assert re.search(rf"{cloud.reference('p256')}: .* (sent no|an answer that is not one|signed with another key)", error)


def test_a_signature_by_another_key_is_caught(project: CloudProject, cloud: Cloud) -> None:
    cloud.meet(Fault(alter=cloud.forge), times=99)
    assert "what came back is not a signature by this key" in fail_to_sign(project, cloud)


def test_a_refusal_names_the_permission_and_is_not_repeated(project: CloudProject, cloud: Cloud) -> None:
    cloud.meet(cloud.replies["refused"], times=99)
    error = fail_to_sign(project, cloud)
    permission = {"awskms": "kms:Sign", "openbao": "update on transit/sign/p256"}[cloud.scheme]
    assert f"the permission {permission} is missing" in error
    assert cloud.proxy.count(cloud.signing) <= 3


def test_an_expired_credential_is_said_and_not_tried_again(project: CloudProject, cloud: Cloud) -> None:
    for matches in (cloud.signing, "lookup-self"):
        cloud.meet(cloud.replies["expired"], matches=matches, times=99)
    assert "did not accept the credential: it is wrong, or has expired" in fail_to_sign(project, cloud)
    assert cloud.proxy.count(cloud.signing) <= 3


def test_a_service_that_ends_in_the_middle_leaves_whole_files_and_the_rest_is_made_later(
    cloud: Cloud, tmp_path: Path
) -> None:
    project = make_project(cloud, tmp_path, artifacts=40)
    cloud.meet(Fault("pass"), times=10)
    cloud.meet(Fault("reset"), times=10_000)
    error = project.fail(3, "sign", "dist", "--key", cloud.reference("p256"))
    assert "did not answer, or failed 7 times" in error
    assert "run again for the rest" in error
    done = project.signed()
    assert 0 < len(done) <= 10
    assert project.unfinished() == []
    cloud.proxy.faults.clear()
    cloud.proxy.requests.clear()
    project.succeed("sign", "dist", "--key", cloud.reference("p256"))
    assert len(project.signed()) == 40
    assert cloud.proxy.count(cloud.signing) == 40 - len(done)


def test_a_rotation_in_the_middle_mixes_no_keys(cloud: Cloud, tmp_path: Path) -> None:
    name = f"turning-{cloud.scheme}"
    project = make_project(cloud, tmp_path, artifacts=20)
    project.succeed("key", "generate", cloud.reference(name))
    project.succeed("key", "export-public", cloud.reference(name), "-o", "before.pub")
    cloud.meet(Fault("pass", meanwhile=lambda: cloud.rotate(name)))
    project.succeed("sign", "dist", "--key", cloud.reference(name))
    project.succeed("verify", "dist", "--key", "before.pub")
    project.succeed("key", "export-public", cloud.reference(name), "-o", "after.pub")
    assert project.run("verify", "dist", "--key", "after.pub").code == 1


def test_calls_overlap(cloud: Cloud, tmp_path: Path) -> None:
    project = make_project(cloud, tmp_path, artifacts=40)
    cloud.proxy.delay = 0.05
    try:
        project.succeed("sign", "dist", "--key", cloud.reference("p256"))
    finally:
        cloud.proxy.delay = 0.0
    assert cloud.proxy.most_at_once == 8
    assert cloud.proxy.count(cloud.signing) == 40


def test_a_service_that_is_not_there_is_said(project: CloudProject, cloud: Cloud) -> None:
    nowhere = {name: "http://127.0.0.1:9" for name in ("AWS_ENDPOINT_URL_KMS", "BAO_ADDR") if name in cloud.environ}
    error = project.fail(3, "sign", "dist", "--key", cloud.reference("p256"), **nowhere)
    assert "check the network, the proxy and the service" in error


def test_signatures_are_those_of_the_digests(project: CloudProject, cloud: Cloud) -> None:
    sign(project, cloud)
    key = parse_public_key(project.succeed("key", "export-public", cloud.reference("p256")).out.encode(), subject="")
    for number in range(3):
        bundle = json.loads((project.dist / f"tool-{number}.bin.sigstore.json").read_text())
        signature = base64.b64decode(bundle["messageSignature"]["signature"])
        digest = hashlib.sha256((project.dist / f"tool-{number}.bin").read_bytes()).digest()
        assert verify_digest(key, signature, digest, Scheme.ECDSA_SHA256)
        assert not verify_digest(key, signature, bytes(32), Scheme.ECDSA_SHA256)
