"""Releases signed through the command line with keys of services: two real ones, and strict stand-ins of two more."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.public_keys import parse_public_key, verify_digest
from tests.integration.cli.cli_project import make_wheel
from tests.peers import rigs
from tests.peers.kms.clouds import IMPATIENT, PROGRAM, TROUBLES, Cloud, CloudProject, make_project

if TYPE_CHECKING:
    from pathlib import Path

# --- what a user does ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["p256", "rsa"])
def test_what_it_signs_is_accepted_by_others(project: CloudProject, cloud: Cloud, name: str) -> None:
    project.sign(cloud.reference(name), program=PROGRAM)
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


def test_signatures_are_those_of_the_digests(project: CloudProject, cloud: Cloud) -> None:
    project.sign(cloud.reference("p256"))
    key = parse_public_key(project.succeed("key", "export-public", cloud.reference("p256")).out.encode(), subject="")
    for number in range(3):
        bundle = json.loads((project.dist / f"tool-{number}.bin.sigstore.json").read_text())
        signature = base64.b64decode(bundle["messageSignature"]["signature"])
        digest = hashlib.sha256((project.dist / f"tool-{number}.bin").read_bytes()).digest()
        assert verify_digest(key, signature, digest, Scheme.ECDSA_SHA256)
        assert not verify_digest(key, signature, bytes(32), Scheme.ECDSA_SHA256)


def test_a_statement_over_all_artifacts_is_one_signature(project: CloudProject, cloud: Cloud) -> None:
    wheel = make_wheel(project)
    shutil.copyfile(wheel, wheel.with_name("demo-1.0-cp311-none-any.whl"))
    project.succeed("sign", *map(str, project.dist.glob("*.whl")), "--key", cloud.reference("p256"), "--format", "statement")
    assert cloud.signatures() == 1
    project.succeed("key", "export-public", cloud.reference("p256"), "-o", "release.pub")
    public_key = project.folder / "release.pub"
    statement = project.dist / "demo-1.0.intoto.sigstore.json"
    assert rigs.sigstore_js_verify(wheel, statement, public_key).accepted
    wheel.write_bytes(wheel.read_bytes() + b"more")
    assert not rigs.sigstore_js_verify(wheel, statement, public_key).accepted


def test_the_key_is_shown_with_what_the_service_says_of_it(project: CloudProject, cloud: Cloud) -> None:
    (key,) = json.loads(project.succeed("key", "show", cloud.reference("p256"), "--json").out)["keys"]
    assert key["algorithm"] == "ecdsa-p256"
    level, claim, value = cloud.protection
    assert key["protection"]["level"] == level
    assert key["protection"]["claims"][claim] == value


def test_every_key_is_listed(project: CloudProject, cloud: Cloud) -> None:
    listed = json.loads(project.succeed("key", "list", cloud.whole, "--json").out)["keys"]
    kinds = {key["label"]: key["algorithm"] for key in listed}
    assert (kinds["p256"], kinds["rsa"]) == ("ecdsa-p256", "rsa-3072")


def test_a_certificate_request_is_signed_by_the_service(project: CloudProject, cloud: Cloud) -> None:
    project.succeed("key", "csr", cloud.reference("rsa"), "--subject", "CN=Example Ltd", "-o", "release.csr")
    request = x509.load_pem_x509_csr((project.folder / "release.csr").read_bytes())
    assert request.is_signature_valid
    assert cloud.signatures() == 1


def test_a_key_is_never_replaced(project: CloudProject, cloud: Cloud) -> None:
    before = project.succeed("key", "export-public", cloud.reference("p256")).out
    error = project.fail(3, "key", "generate", cloud.reference("p256"))
    assert " already" in error
    assert "; choose another" in error
    assert project.succeed("key", "export-public", cloud.reference("p256")).out == before


def test_a_key_that_is_not_there_is_named(project: CloudProject, cloud: Cloud) -> None:
    error = project.fail_to_sign(cloud.reference("nowhere"))
    assert f"{cloud.reference('nowhere')}: " in error
    assert "has no such key" in error or "has no enabled version" in error


def test_the_doctor_finds_the_way_to_the_key(project: CloudProject, cloud: Cloud) -> None:
    report = project.succeed("doctor", cloud.reference("p256"), "--log-in").out
    assert not [word for word in (*cloud.diagnosis, "ecdsa-p256") if word not in report]
    assert cloud.signatures() == 0


def test_the_doctor_says_what_is_missing(project: CloudProject, cloud: Cloud) -> None:
    cloud.deny_reading()
    ran = project.run("doctor", cloud.reference("p256"), "--log-in")
    assert ran.code == 3
    assert f"the permission {cloud.reading_permission} is missing" in ran.output


# --- what networks and services do --------------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", TROUBLES)
def test_what_passes_is_waited_for(project: CloudProject, cloud: Cloud, trouble: str) -> None:
    cloud.fail(trouble, 2)
    project.sign(cloud.reference("p256"))
    assert cloud.signatures() == 5


def test_a_signature_by_another_key_is_caught(project: CloudProject, cloud: Cloud) -> None:
    cloud.forge()
    assert "what came back is not a signature by this key" in project.fail_to_sign(cloud.reference("p256"))


def test_a_refusal_names_the_permission_and_is_not_repeated(project: CloudProject, cloud: Cloud) -> None:
    cloud.deny()
    assert f"the permission {cloud.permission} is missing" in project.fail_to_sign(cloud.reference("p256"), program=PROGRAM)
    assert cloud.signatures() <= 3


def test_an_expired_credential_is_said_and_not_tried_again(project: CloudProject, cloud: Cloud) -> None:
    cloud.fail("expired", 99)
    error = project.fail_to_sign(cloud.reference("p256"), program=PROGRAM)
    assert "did not accept the credential: it is wrong, or has expired" in error
    assert cloud.signatures() <= 3


def test_without_a_credential_one_line_says_how_to_log_in(project: CloudProject, cloud: Cloud) -> None:
    nobody = {name: value for name, value in project.environ.items() if name not in cloud.credentials}
    ran = replace(project, environ=nobody | cloud.alone).run(
        "sign", "dist", "--key", cloud.reference("p256"), program=PROGRAM
    )
    assert ran.code == 3
    (line,) = ran.err.splitlines()
    assert re.search(cloud.without_credential, line), line


def test_a_service_that_ends_in_the_middle_leaves_whole_files_and_the_rest_is_made_later(
    cloud: Cloud, tmp_path: Path
) -> None:
    project = make_project(cloud, tmp_path, artifacts=40)
    cloud.end_after(10)
    ran = project.run("sign", "dist", "--key", cloud.reference("p256"), program=IMPATIENT)
    assert ran.code == 3
    assert "did not answer, or failed 7 times" in ran.err
    assert "run again for the rest" in ran.err
    done = project.signed()
    assert 0 < len(done) <= 10
    assert project.unfinished() == []
    cloud.reset()
    project.sign(cloud.reference("p256"))
    assert cloud.signatures() == 40 - len(done)


def test_a_rotation_in_the_middle_mixes_no_keys(cloud: Cloud, tmp_path: Path) -> None:
    project = make_project(cloud, tmp_path, artifacts=20)
    turning = cloud.reference("turning")
    project.succeed("key", "generate", turning)
    project.succeed("key", "export-public", turning, "-o", "before.pub")
    cloud.before_signing(lambda: cloud.rotate("turning"))
    project.sign(turning)
    project.succeed("verify", "dist", "--key", "before.pub")
    project.succeed("key", "export-public", turning, "-o", "after.pub")
    assert project.run("verify", "dist", "--key", "after.pub").code == 1


def test_calls_overlap(cloud: Cloud, tmp_path: Path) -> None:
    project = make_project(cloud, tmp_path, artifacts=40)
    cloud.slow_down(0.05)
    project.sign(cloud.reference("p256"))
    assert cloud.most_at_once() == 8
    assert cloud.signatures() == 40
