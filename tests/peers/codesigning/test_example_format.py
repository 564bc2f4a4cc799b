"""The example of a format of one's own: MSI and CAB files are signed inside by osslsigncode, with a key of ours."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tests.authority import Authority, chain_pem
from tests.integration.cli.cli_project import Project, make_project
from tests.peers import rigs
from tests.peers.codesigning import programs
from tests.peers.codesigning.tsa import TimestampServer

if TYPE_CHECKING:
    from tests.peers.rigs import PeerResult

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "osslsigncode_format"
CONTENT = b"What is installed. " * 50
NAMES = ("tally.cab", "tally.msi")
INSTALLER = """\
<?xml version="1.0"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
  <Product Id="*" UpgradeCode="5E0B6C39-6A5B-4B0F-8B53-0C6A2C2B7D10" Name="Tally" Version="1.0.0" Language="1033"
           Manufacturer="Example Ltd">
    <Package InstallerVersion="200" Compressed="no"/>
    <Directory Id="TARGETDIR" Name="SourceDir">
      <Component Id="Tally" Guid="5E0B6C39-6A5B-4B0F-8B53-0C6A2C2B7D11"><File Id="Tally" Source="tally.txt"/></Component>
    </Directory>
    <Feature Id="All" Level="1"><ComponentRef Id="Tally"/></Feature>
  </Product>
</Wix>
"""
CONFIGURATION = """\
key = "emulated:test/release"
certificates = "chain.pem"
formats = ["osslsigncode"]
timestamp = ["{url}"]

[verify]
require = ["osslsigncode"]
timestamp-roots = "tsa-root.pem"

[[verify.trust]]
certificate-roots = "root.pem"
subject = "CN=Release engineer,O=Example Ltd,C=SI"
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that pip installed the example into."""
    folder = tmp_path_factory.mktemp("example")
    shutil.copytree(EXAMPLE, folder / "source", ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--no-cache-dir", "--target", "site"]
    command = [sys.executable, "-m", "pip", "install", *options, "./source"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "site"


@pytest.fixture(scope="module")
def unsigned(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return a cabinet and an installer."""
    folder = tmp_path_factory.mktemp("unsigned")
    (folder / "tally.txt").write_bytes(CONTENT)
    (folder / "tally.wxs").write_text(INSTALLER)
    for program, *arguments in (["gcab", "-c", "tally.cab", "tally.txt"], ["wixl", "-o", "tally.msi", "tally.wxs"]):
        if shutil.which(program) is None:
            rigs.skip_or_fail(f"{program} is not installed: run 'bash tests/peers/install.sh codesigning'")
        subprocess.run([program, *arguments], cwd=folder, check=True, capture_output=True)
    return {name: (folder / name).read_bytes() for name in NAMES}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, site: Path) -> Iterator[Project]:
    """Return a project whose RSA key is certified, and a timestamp authority for it."""
    programs.need_osslsigncode(2, 9)  # It brings extract-data.
    folder = tmp_path_factory.mktemp("project")
    with TimestampServer() as server:
        made = make_project(folder, algorithm="rsa-3072", configuration=CONFIGURATION.format(url=server.url))
        key = load_pem_public_key((folder / "release.pub").read_bytes())
        assert isinstance(key, RSAPublicKey)
        authority = Authority()
        for name, certificate in (
            ("chain.pem", authority.issue("Release engineer", key)),
            ("root.pem", authority.certificate),
            ("tsa-root.pem", server.holder.root),
        ):
            (folder / name).write_bytes(chain_pem(certificate))
        path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH", "")]))
        yield replace(made, environ={**made.environ, "PYTHONPATH": path})


@pytest.fixture(scope="module")
def signed(project: Project, unsigned: dict[str, bytes]) -> dict[str, bytes]:
    """Return what became of both files, and of one that the format does not know, beside them."""
    for name, content in unsigned.items():
        project.add(name, content)
    project.add("readme.txt", CONTENT)
    assert "readme.txt was signed, and the project's own policy rejects it" in project.fail(1, "sign", "dist")
    contents = {name: (project.dist / name).read_bytes() for name in project.names()}
    shutil.rmtree(project.dist)
    return contents


@pytest.fixture(autouse=True)
def empty_dist(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "project" in request.fixturenames:
        shutil.rmtree(request.getfixturevalue("project").dist, ignore_errors=True)


def verified_by_osslsigncode(project: Project, name: str) -> PeerResult:
    roots = project.folder / "root.pem", project.folder / "tsa-root.pem"
    return programs.osslsigncode_verify(project.dist / name, roots[0], timestamp_root=roots[1])


def test_it_is_small() -> None:
    (module,) = EXAMPLE.glob("*.py")
    assert len(module.read_text("utf-8").splitlines()) < 60


@pytest.mark.parametrize("name", NAMES)
def test_what_is_signed_satisfies_osslsigncode_and_us(project: Project, signed: dict[str, bytes], name: str) -> None:
    project.add(name, signed[name])
    assert "trusted" in project.succeed("verify", "dist").out
    result = verified_by_osslsigncode(project, name)
    assert result.accepted, result.output
    assert "Timestamp Server Signature verification: ok" in result.output


@pytest.mark.parametrize("name", NAMES)
def test_what_was_changed_afterwards_is_refused(project: Project, signed: dict[str, bytes], name: str) -> None:
    content = signed[name]
    at = content.index(b"tally") + 1
    project.add(name, content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    refused = project.run("verify", "dist")
    assert refused.code == 1
    assert "hash-mismatch" in refused.out
    assert "MISMATCH" in verified_by_osslsigncode(project, name).refusal


@pytest.mark.parametrize("name", NAMES)
def test_the_signature_of_another_file_is_refused(
    project: Project, signed: dict[str, bytes], unsigned: dict[str, bytes], name: str, tmp_path: Path
) -> None:
    source, other, signature = tmp_path / f"source-{name}", tmp_path / f"other-{name}", tmp_path / "signature"
    source.write_bytes(signed[name])
    other.write_bytes(unsigned[name].replace(b"tally", b"rally"))
    assert programs.osslsigncode("extract-signature", "-in", source, "-out", signature).accepted
    project.dist.mkdir()
    attach = ["-sigin", signature, "-in", other, "-out", project.dist / name]
    assert "Message digest" in programs.osslsigncode("attach-signature", *attach).output
    refused = project.run("verify", "dist")
    assert refused.code == 1
    assert "hash-mismatch" in refused.out


def test_what_was_never_signed_is_unsigned(project: Project, unsigned: dict[str, bytes]) -> None:
    for name in NAMES:
        project.add(name, unsigned[name])
    refused = project.run("verify", "dist")
    assert refused.code == 1
    assert refused.out.count("unsigned") == len(NAMES)


def test_files_of_another_kind_are_left_alone(signed: dict[str, bytes]) -> None:
    assert signed["readme.txt"] == CONTENT


def test_an_elliptic_key_is_refused_before_anything_is_signed(project: Project, unsigned: dict[str, bytes]) -> None:
    project.add("tally.cab", unsigned["tally.cab"])
    project.succeed("key", "generate", "emulated:test/elliptic", "--algorithm", "ecdsa-p256")
    configuration = project.folder / "hatch-sign.toml"
    text = configuration.read_text()
    configuration.write_text(text.replace("test/release", "test/elliptic").replace('certificates = "chain.pem"\n', ""))
    refused = project.run("sign", "dist")
    configuration.write_text(text)
    assert refused.code == 2
    assert "ecdsa-p256" in refused.err
    assert "osslsigncode" in refused.err
    assert (project.dist / "tally.cab").read_bytes() == unsigned["tally.cab"]
