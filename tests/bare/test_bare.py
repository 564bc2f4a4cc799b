"""The core's wheel alone signs and verifies: no extra, no plugin, no checkout; run by ``tox -e bare``."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest

import hatch_sign

CONFIGURATION = """\
key = "emulated:bare/release"

[[verify.trust]]
public-key = "release.pub"
"""

PINS = {"HATCH_SIGN_PIN": "271828", "HATCH_SIGN_SO_PIN": "31415926"}


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = os.environ | PINS | {"HATCH_SIGN_HOME": str(folder / "home")}
    program = [str(Path(sys.executable).with_name("hatch-sign")), *arguments]
    return subprocess.run(program, cwd=folder, env=environ, capture_output=True, text=True, check=False)


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    """Return a folder with a signed artifact, the public key and the configuration that trusts it."""
    (tmp_path / "hatch-sign.toml").write_text(CONFIGURATION)
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "tool.bin").write_bytes(b"what is released\n" * 1000)
    for command in (
        ["token", "init", "bare"],
        ["key", "generate", "emulated:bare/release"],
        ["key", "export-public", "emulated:bare/release", "-o", "release.pub"],
        ["sign", "dist"],
    ):
        done = run(tmp_path, *command)
        assert done.returncode == 0, done.stderr
    return tmp_path


def test_what_is_tested_is_the_installed_wheel() -> None:
    assert "site-packages" in Path(hatch_sign.__file__).parts


def test_nothing_but_the_core_is_installed() -> None:
    names = {distribution.name.lower() for distribution in distributions()}
    assert "hatch-sign" in names
    assert not {name for name in names if name.startswith("hatch-sign-")}
    assert not names & {"build", "hatch", "hypothesis", "jsonschema", "keyring", "shtab", "uv"}


def test_a_signature_is_verified(signed: Path) -> None:
    assert (signed / "dist" / "tool.bin.sigstore.json").is_file()
    done = run(signed, "verify", "dist")
    assert done.returncode == 0, done.stderr
    assert "trusted" in done.stdout


def test_a_changed_artifact_is_refused(signed: Path) -> None:
    artifact = signed / "dist" / "tool.bin"
    artifact.write_bytes(artifact.read_bytes().replace(b"what", b"that", 1))
    done = run(signed, "verify", "dist")
    assert done.returncode == 1
    assert "hash-mismatch" in done.stdout


def test_a_key_that_nobody_trusts_is_refused(signed: Path) -> None:
    assert run(signed, "key", "generate", "emulated:bare/other").returncode == 0
    made = run(signed, "sign", "dist", "--key", "emulated:bare/other", "--overwrite")
    assert made.returncode == 1
    assert "the project's own policy rejects it" in made.stderr
    done = run(signed, "verify", "dist")
    assert done.returncode == 1
    assert "untrusted" in done.stdout


def test_every_part_of_the_core_loads(tmp_path: Path) -> None:
    done = run(tmp_path, "plugins")
    assert done.returncode == 0, done.stderr
    assert "broken" not in done.stdout


@pytest.mark.parametrize(
    ("reference", "owner"), [("pkcs11:token=x", "hatch-sign-pkcs11"), ("awskms:///alias/x", "hatch-sign-kms")]
)
def test_a_missing_plugin_is_named(signed: Path, reference: str, owner: str) -> None:
    done = run(signed, "sign", "dist", "--key", reference, "--overwrite")
    assert done.returncode == 2
    assert f"install {owner}" in done.stderr


def test_a_missing_extra_is_named(tmp_path: Path) -> None:
    done = run(tmp_path, "completion", "bash")
    assert done.returncode == 2
    assert "pip install shtab" in done.stderr
