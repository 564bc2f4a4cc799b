"""Verifying where a package is missing: what the README leaves out is not needed, and what is needed is named."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.authority import Authority, chain_pem
from tests.unit.witnesses.stamping_server import stamping

from .cli_project import Project, Ran, make_project
from .code_signing import KEY, PublicHalf

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """\
import sys
for name in {missing}:
    sys.modules[name] = None
from hatch_sign.cli import main
sys.exit(main(sys.argv[1:]))
"""
CONFIGURATION = """\
key = "{key}"
certificates = "chain.pem"
formats = ["{format}"]
{timestamp}
[verify]
{roots}
[[verify.trust]]
public-key = "codesign.pub"
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = make_project(tmp_path_factory.mktemp("missing"))
    project.succeed("key", "generate", KEY)
    project.succeed("key", "export-public", KEY, "-o", "codesign.pub")
    leaf = Authority("Root").issue("Example", PublicHalf(project.folder / "codesign.pub"))  # type: ignore[arg-type] # as there
    (project.folder / "chain.pem").write_bytes(chain_pem(leaf))
    project.add("demo-1.0.bin", b"demo")
    return project


@pytest.fixture
def project(prepared: Project, tmp_path: Path) -> Project:
    here = tmp_path / "project"
    shutil.copytree(prepared.folder, here)
    return Project(here, {**prepared.environ, "HATCH_SIGN_HOME": str(here / "home")})


def configure(project: Project, format_: str, *, timestamp: str = "", roots: str = "") -> None:
    text = CONFIGURATION.format(key=KEY, format=format_, timestamp=timestamp, roots=roots)
    (project.folder / "hatch-sign.toml").write_text(text)


def verify_without(project: Project, *missing: str) -> Ran:
    """Verify in an interpreter to which these modules are not installed."""
    return project.run("verify", "dist", program=("-c", PROGRAM.format(missing=missing)))


@pytest.mark.parametrize("format_", ["cms", "sigstore"])
def test_verifying_needs_neither_hatchling_nor_rich(project: Project, format_: str) -> None:
    configure(project, format_)
    project.succeed("sign", "dist")
    ran = verify_without(project, "hatchling", "rich")
    assert ran.code == 0, ran.output


def test_a_format_without_its_package_says_nothing_of_the_signature(project: Project) -> None:
    configure(project, "cms")
    project.succeed("sign", "dist")
    ran = verify_without(project, "asn1crypto")
    assert ran.code == 2, ran.output
    assert "error: format cms needs the module asn1crypto, which is not installed; install all that" in ran.err
    assert "malformed" not in ran.output


def test_a_bundle_needs_it_only_where_timestamps_are_believed(project: Project) -> None:
    with stamping() as server:
        (project.folder / "tsa.pem").write_bytes(chain_pem(server.holder.root))
        configure(project, "sigstore", timestamp=f'timestamp = ["{server.url}"]', roots='timestamp-roots = "tsa.pem"')
        project.succeed("sign", "dist")
    assert project.run("verify", "dist").code == 0
    ran = verify_without(project, "asn1crypto")
    assert ran.code == 2, ran.output
    assert "error: a timestamp needs the module asn1crypto, which is not installed" in ran.err
    configure(project, "sigstore")
    ran = verify_without(project, "asn1crypto")
    assert ran.code == 0, ran.output
