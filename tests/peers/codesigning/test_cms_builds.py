"""A project built by Hatch's backend and signed with a certificate: openssl and pyHanko judge what lies beside the files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tests.authority import Authority, chain_pem
from tests.integration.projects import Project, clean_environment, copy_example, tamper
from tests.peers.codesigning.programs import openssl_cms_verify, pyhanko_verify

if TYPE_CHECKING:
    from pathlib import Path

RULE = """
[[tool.hatch-sign.verify.trust]]
certificate-roots = "root.pem"
subject = "CN=Slugline,O=Example Ltd,C=SI"
formats = ["cms"]
"""


@dataclass(frozen=True)
class PublicHalf:
    """Stands where an authority wants a key: the private half never leaves the token."""

    pem: bytes

    def public_key(self) -> Any:  # noqa: ANN401 - of any kind
        return load_pem_public_key(self.pem)


@pytest.fixture
def authority() -> Authority:
    return Authority("Issuer", above=Authority("Root"))


@pytest.fixture
def project(authority: Authority, tmp_path: Path) -> Project:
    """Lend the example of a pure package, whose key is certified, and which is signed twice."""
    environ = clean_environment(
        tmp_path / "home", HATCH_BUILD_HOOK_ENABLE_SIGN="1", HATCH_SIGN_ALLOW_DIRECTORY=str(tmp_path)
    )
    project = copy_example("pure_package", tmp_path / "project", environ)
    key = "emulated:slugline/release"
    commands = (("token", "init", "slugline"), ("key", "generate", key), ("key", "export-public", key, "-o", "release.pub"))
    for command in commands:
        done = project.sign(*command)
        assert done.code == 0, done.output
    leaf = authority.issue("Slugline", PublicHalf((project.root / "release.pub").read_bytes()))
    (project.root / "chain.pem").write_bytes(chain_pem(leaf, *authority.chain))
    (project.root / "root.pem").write_bytes(chain_pem(authority.root))
    project.configure('formats = ["sigstore"]', 'formats = ["sigstore", "cms"]\ncertificates = "chain.pem"')
    project.configure('require = ["sigstore"]', 'require = ["sigstore", "cms"]')
    project.configure('public-key = "release.pub"', 'formats = ["sigstore"]\npublic-key = "release.pub"')
    settings = project.root / "pyproject.toml"
    settings.write_text(settings.read_text() + RULE)
    return project


def judge(artifact: Path, root: Path, authority: Authority) -> list[bool]:
    signature = artifact.with_name(f"{artifact.name}.p7s")
    return [
        openssl_cms_verify(artifact, signature, root).accepted,
        pyhanko_verify(artifact.read_bytes(), signature.read_bytes(), authority.root).accepted,
    ]


def test_what_is_built_is_accepted_by_others_until_it_is_changed(project: Project, authority: Authority) -> None:
    done = project.hatchling()
    assert done.code == 0, done.output
    for suffix in (".whl", ".tar.gz"):
        artifact = project.artifact(suffix)
        assert f"hatch-sign: {artifact.name}: cms is trusted in {artifact.name}.p7s" in done.output
        assert judge(artifact, project.root / "root.pem", authority) == [True, True]
    verified = project.sign("verify", "dist")
    assert verified.code == 0, verified.output
    again = project.sign("sign", "dist")
    assert again.code == 0, again.output
    assert again.output.count("already signed by this key") == len(project.built()) - 2
    tamper(project.artifact())
    assert judge(project.artifact(), project.root / "root.pem", authority) == [False, False]
    verified = project.sign("verify", "dist")
    assert verified.code == 1
    assert verified.output.count("hash-mismatch") == 2


def test_a_build_without_the_certificate_leaves_nothing_that_looks_released(project: Project) -> None:
    project.configure('certificates = "chain.pem"', "")
    done = project.hatchling("-t", "wheel")
    assert done.code == 2, done.output
    assert "a CMS signature names its signer by a certificate, and the key has none" in done.output
    assert project.built() == set()
