"""Signing inside and verifying through the command line, as a user types it, by an emulated key."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tests.authority import Authority, chain_pem

from .images import make_image
from .signing import IMAGE, check

if TYPE_CHECKING:
    from pathlib import Path

CONFIGURATION = """
key = "emulated:release/code"
certificates = "chain.pem"
formats = ["authenticode"]
authenticode-description = "Example"
[[verify.trust]]
certificate-roots = "root.pem"
subject = "CN=Example Code Signer,O=Example Ltd,C=SI"
"""


@dataclass(frozen=True)
class Project:
    folder: Path

    @property
    def dist(self) -> Path:
        return self.folder / "dist"

    def run(self, *arguments: str, code: int = 0) -> str:
        """Run ``hatch-sign``, expect its exit status, and return what it says."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HATCH_SIGN_")}
        unlocked = {
            "HATCH_SIGN_PIN": "482951",
            "HATCH_SIGN_SO_PIN": "76194203",
            "HATCH_SIGN_HOME": str(self.folder / "home"),
        }
        done = subprocess.run(
            [sys.executable, "-m", "hatch_sign", *arguments],
            cwd=self.folder,
            env={**inherited, **unlocked},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = Project(tmp_path_factory.mktemp("project"))
    made.dist.mkdir()
    made.run("token", "init", "release")
    made.run("key", "generate", "emulated:release/code", "--algorithm", "rsa-3072")
    made.run("key", "generate", "emulated:release/curve")
    made.run("key", "export-public", "emulated:release/code", "-o", "code.pem")

    class PublicHalf:
        def public_key(self) -> object:
            return load_pem_public_key((made.folder / "code.pem").read_bytes())

    authority = Authority("Code Signing Intermediate", above=Authority(algorithm="rsa-2048"), algorithm="rsa-2048")
    chain = chain_pem(authority.issue("Example Code Signer", PublicHalf()), *authority.chain)
    (made.folder / "chain.pem").write_bytes(chain)
    (made.folder / "root.pem").write_bytes(chain_pem(authority.root))
    (made.folder / "hatch-sign.toml").write_text(CONFIGURATION)
    return made


def test_programs_are_signed_verified_and_found_changed(project: Project) -> None:
    program = project.dist / "example.exe"
    program.write_bytes(IMAGE)
    assert "consistent" in project.run("sign", "dist")
    assert len(check(program.read_bytes()).facts) == 1
    said = project.run("verify", "dist")
    assert "trusted  CN=Example Code Signer" in said
    assert "1 artifact is trusted" in said
    changed = bytearray(program.read_bytes())
    changed[700] ^= 1
    program.write_bytes(changed)
    assert "hash-mismatch" in project.run("verify", "dist", code=1)
    program.write_bytes(make_image())
    assert "unsigned" in project.run("verify", "dist", code=1)


def test_a_key_that_windows_does_not_accept_is_refused_with_the_reason(project: Project) -> None:
    (project.dist / "example.exe").write_bytes(IMAGE)
    (project.folder / "bare.toml").write_text('key = "emulated:release/curve"\nformats = ["authenticode"]\n')
    said = project.run("sign", "dist", "--config", "bare.toml", code=2)
    assert "emulated:release/curve: an ecdsa-p256 key makes no Authenticode signature that Windows accepts" in said
    assert "sign with an RSA key of 3072 bits or more" in said
    assert (project.dist / "example.exe").read_bytes() == IMAGE


def test_a_key_without_certificate_is_refused_with_the_reason(project: Project) -> None:
    (project.dist / "example.exe").write_bytes(IMAGE)
    (project.folder / "bare.toml").write_text('key = "emulated:release/code"\nformats = ["authenticode"]\n')
    said = project.run("sign", "dist", "--config", "bare.toml", code=2)
    assert "the key has none; set `certificates` to the file that holds the chain" in said
    assert (project.dist / "example.exe").read_bytes() == IMAGE


def test_a_hash_that_is_none_is_a_mistake_of_the_configuration(project: Project) -> None:
    (project.dist / "example.exe").write_bytes(IMAGE)
    (project.folder / "wrong.toml").write_text(CONFIGURATION.replace('"Example"', '"Example"\nauthenticode-hash = "sha1"'))
    said = project.run("sign", "dist", "--config", "wrong.toml", code=2)
    assert "`authenticode-hash` is 'sha1', expected one of sha256, sha384, sha512" in said
    assert (project.dist / "example.exe").read_bytes() == IMAGE
