"""``sigstore-kms-hatchsign`` under cosign itself: it signs with a key of ours, and what it signed is verified by both."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ...integration.cli.cli_project import Project, make_project
from .. import rigs

PROGRAM = Path(sys.executable).with_name("sigstore-kms-hatchsign")
KEY = "emulated:test/release"


@pytest.fixture(scope="module", params=["ecdsa-p256", "rsa-3072"])
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Project:
    if not PROGRAM.exists():
        rigs.skip_or_fail("hatch-sign-kms is not installed: run 'pip install ./plugins/hatch-sign-kms'")
    project = make_project(tmp_path_factory.mktemp("cosign"), algorithm=request.param)
    project.add("tool.bin", b"what cosign signs\n" * 5000)
    return project


def cosign(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = rigs.require(rigs.Peer.COSIGN)
    environ = {**project.environ, "PATH": f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}", "HOME": str(project.folder)}
    command = [str(program), *arguments]
    return subprocess.run(command, cwd=project.dist, env=environ, capture_output=True, text=True, check=False)


def test_cosign_signs_and_verifies_with_a_key_of_ours(project: Project) -> None:
    key, artifact = f"hatchsign://{KEY}", project.dist / "tool.bin"
    bundle = artifact.with_name("tool.bin.sigstore.json")
    unlogged = ("--tlog-upload=false", "--use-signing-config=false", "--yes")
    done = cosign(project, "sign-blob", "--key", key, *unlogged, "--bundle", bundle.name, artifact.name)
    assert done.returncode == 0, done.stderr
    assert rigs.cosign_verify_blob(artifact, bundle, project.folder / "release.pub").accepted
    project.succeed("verify", "dist")
    verifying = ("verify-blob", "--key", key, "--insecure-ignore-tlog", "--bundle", bundle.name, artifact.name)
    assert cosign(project, *verifying).returncode == 0
    shutil.copy(artifact, artifact.with_name("kept"))
    artifact.write_bytes(artifact.read_bytes().replace(b"cosign", b"nobody", 1))
    assert "not a signature by this key" in cosign(project, *verifying).stderr
    artifact.with_name("kept").replace(artifact)


def test_cosign_reads_the_public_key(project: Project) -> None:
    done = cosign(project, "public-key", "--key", f"hatchsign://{KEY}")
    assert done.stdout.strip() == (project.folder / "release.pub").read_text().strip()


def test_cosign_says_what_went_wrong(project: Project) -> None:
    done = cosign(project, "public-key", "--key", "hatchsign://emulated:nowhere/key")
    assert done.returncode != 0
    assert "nowhere" in done.stderr
