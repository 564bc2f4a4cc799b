"""What a network does to the calls of a real service, by a proxy in between."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.peers import rigs
from tests.peers.kms.clouds import IMPATIENT, CloudProject
from tests.peers.kms.faults import Fault

if TYPE_CHECKING:
    from tests.peers.kms.proxied import ProxiedCloud

pytestmark = pytest.mark.parametrize("shared_cloud", ["aws", "vault"], indirect=True)


def test_cosign_reads_the_same_reference(project: CloudProject, cloud: ProxiedCloud) -> None:
    command = [str(rigs.require("cosign")), "public-key", "--key", cloud.reference("p256")]
    environ = rigs.clean_environment(str(project.folder), cloud.environ)
    theirs = subprocess.run(command, env=environ, capture_output=True, text=True, check=True, timeout=120).stdout
    assert theirs.strip() == project.succeed("key", "export-public", cloud.reference("p256")).out.strip()
    other = project.succeed("key", "export-public", cloud.reference("rsa")).out
    assert theirs.strip() != other.strip()


def test_a_retry_after_is_honoured(project: CloudProject, cloud: ProxiedCloud) -> None:
    cloud.fail("throttled, waiting", 2)
    project.sign(cloud.reference("p256"))
    assert cloud.signatures() == 5


@pytest.mark.parametrize("kind", ["reset", "cut"])
@pytest.mark.parametrize("request_", ["signing", "reading"])
def test_a_broken_connection_is_made_again(project: CloudProject, cloud: ProxiedCloud, kind: str, request_: str) -> None:
    fault = cloud.meet(Fault(kind), matches=getattr(cloud, request_))
    project.sign(cloud.reference("p256"))
    assert fault.times == 0


@pytest.mark.parametrize("body", [b"<html>Welcome to the hotel</html>", b"[]", b"{}"])
@pytest.mark.parametrize("request_", ["signing", "reading"])
def test_rubbish_is_no_answer(project: CloudProject, cloud: ProxiedCloud, body: bytes, request_: str) -> None:
    cloud.meet(Fault(body=body, headers={"Content-Type": "application/json"}), matches=getattr(cloud, request_), times=99)
    error = project.fail_to_sign(cloud.reference("p256"))
    assert re.search(rf"{cloud.reference('p256')}: .* (sent no|an answer that is not one|signed with another key)", error)


def test_a_service_that_is_not_there_is_said(project: CloudProject, cloud: ProxiedCloud) -> None:
    nowhere = {cloud.address: "http://127.0.0.1:9"}
    command = ("sign", "dist", "--key", cloud.reference("p256"))
    ran = project.run(*command, program=IMPATIENT, **nowhere)
    assert ran.code == 3
    assert "did not answer, or failed 7 times; check the network, the proxy and the service" in ran.err
