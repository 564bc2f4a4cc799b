"""``verify --policy``: whom to trust is said elsewhere than in the project, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from .cli_project import Project, make_project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return a project whose signatures lie apart, and which trusts a key that did not sign."""
    made = make_project(tmp_path)
    made.succeed("key", "generate", "emulated:test/other")
    made.succeed("key", "export-public", "emulated:test/other", "-o", "other.pub")
    made.add("a.bin", b"data")
    own = 'key = "emulated:test/release"\noutput-directory = "signatures"\n[[verify.trust]]\npublic-key = "other.pub"\n'
    (made.folder / "hatch-sign.toml").write_text(own)
    made.fail(1, "sign", "dist")
    return made


def write_policy(folder: Path, key: Path) -> Path:
    folder.mkdir()
    (folder / "trusted.pub").write_bytes(key.read_bytes())
    policy = folder / "hatch-sign.toml"
    policy.write_text('[verify]\nrequire = ["sigstore"]\n[[verify.trust]]\npublic-key = "trusted.pub"\n')
    return policy


def test_the_policy_says_whom_to_trust_and_the_project_where_signatures_lie(project: Project, tmp_path: Path) -> None:
    policy = write_policy(tmp_path / "policy", project.folder / "release.pub")
    assert "untrusted" in project.run("verify", "dist").output
    ran = project.succeed("verify", "dist", "--policy", str(policy))
    assert f"trust from {policy}" in ran.err
    (project.dist / "a.bin").write_bytes(b"evil")
    assert "hash-mismatch" in project.run("verify", "dist", "--policy", str(policy)).output


def test_the_project_adds_nobody_to_those_whom_the_policy_trusts(project: Project, tmp_path: Path) -> None:
    policy = write_policy(tmp_path / "policy", project.folder / "other.pub")
    (project.folder / "hatch-sign.toml").write_text(
        'key = "emulated:test/release"\noutput-directory = "signatures"\n[[verify.trust]]\npublic-key = "release.pub"\n'
    )
    project.succeed("verify", "dist")
    ran = project.run("verify", "dist", "--policy", str(policy))
    assert ran.code == 1
    assert "untrusted" in ran.output


def test_a_policy_that_is_not_there_or_trusts_nobody_is_a_mistake(project: Project, tmp_path: Path) -> None:
    assert "cannot be read" in project.fail(2, "verify", "dist", "--policy", str(tmp_path / "none.toml"))
    empty = tmp_path / "empty" / "hatch-sign.toml"
    empty.parent.mkdir()
    empty.write_text('[verify]\nrequire = ["sigstore"]\n')
    assert "nobody is trusted" in project.fail(2, "verify", "dist", "--policy", str(empty))
