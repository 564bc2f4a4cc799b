"""The command line with a key behind an executable: allowed by the environment, and refused whatever the project says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .executables_rig import Rig, install

PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "demo"
version = "1.0"

[tool.hatch-sign]
key = "{key}"

[tool.hatch.build.hooks.sign]
[tool.hatch.build.targets.wheel]
bypass-selection = true
"""


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    rig = install(tmp_path)
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "pyproject.toml").write_text(PROJECT.format(key=rig.reference()))
    (tmp_path / "project" / "out").mkdir()
    (tmp_path / "project" / "out" / "tool.bin").write_bytes(b"artifact")
    return rig


def run(rig: Rig, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {"HOME": str(rig.folder), "HATCH_SIGN_ALLOW_DIRECTORY": os.path.realpath(rig.folder)}
    variables = {name: value for name, value in rig.environ(**kept, **environ).items() if value}
    folder = rig.folder / "project"
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=variables, capture_output=True, text=True, check=False
    )


def test_an_allowed_executable_signs(rig: Rig) -> None:
    done = run(rig, "-m", "hatch_sign", "sign", "out/tool.bin")
    assert done.returncode == 0, done.stderr
    exported = run(rig, "-m", "hatch_sign", "key", "export-public", rig.reference(), "-o", "release.pub")
    assert exported.returncode == 0, exported.stderr
    verified = run(rig, "-m", "hatch_sign", "verify", "out/tool.bin", "--key", "release.pub", HATCH_SIGN_ALLOW_KMS="")
    assert verified.returncode == 0, verified.stderr
    (rig.folder / "project" / "out/tool.bin").write_bytes(b"tampered")
    assert run(rig, "-m", "hatch_sign", "verify", "out/tool.bin", "--key", "release.pub").returncode == 1


def test_the_configuration_cannot_allow_it(rig: Rig) -> None:
    done = run(rig, "-m", "hatch_sign", "sign", "out/tool.bin", HATCH_SIGN_ALLOW_KMS="")
    assert done.returncode == 2
    assert "HATCH_SIGN_ALLOW_KMS=localkeys would allow the executable sigstore-kms-localkeys" in done.stderr
    assert not (rig.folder / "project" / "out" / "tool.bin.sigstore.json").exists()


def test_the_configuration_is_checked_with_what_is_allowed(rig: Rig) -> None:
    warning = "no backend named 'localkeys' is installed"
    assert warning not in run(rig, "-m", "hatch_sign", "config", "check").stderr
    assert warning in run(rig, "-m", "hatch_sign", "config", "check", HATCH_SIGN_ALLOW_KMS="").stderr


@pytest.mark.parametrize("allowed", [True, False])
def test_the_build_hook_goes_by_the_same_rule(rig: Rig, *, allowed: bool) -> None:
    done = run(rig, "-m", "hatchling", "build", "-t", "wheel", HATCH_SIGN_ALLOW_KMS="localkeys" if allowed else "")
    assert (done.returncode == 0) == allowed, done.stderr
    signatures = list(Path(rig.folder / "project" / "dist").glob("*.whl.sigstore.json"))
    assert len(signatures) == int(allowed)


def test_an_executable_in_the_project_is_not_run(rig: Rig) -> None:
    install(rig.folder, into=rig.folder / "project")
    (rig.bin / "sigstore-kms-localkeys").unlink()
    done = run(rig, "-m", "hatch_sign", "sign", "out/tool.bin", PATH=f".:{rig.folder / 'project'}:{rig.bin}")
    assert done.returncode == 3
    assert "there is no sigstore-kms-localkeys on an absolute entry of PATH outside the working directory" in done.stderr
