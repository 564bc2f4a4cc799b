"""A project built by Hatch's backend and signed by SignServer or Artifact Signing, before cosign and @sigstore/verify.

The services are fakes that are as strict as what their makers publish: none can be had to run. What they sign is real.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.projects import Project, clean_environment, copy_example
from tests.peers.built import require_accepted_until_changed
from tests.peers.codesigning.trusted_roots import trusted_root

if TYPE_CHECKING:
    from pathlib import Path

    from tests.peers.codesigning.tsa import TimestampServer
    from tests.unit.services.conftest import ArtifactSigningRig, Rig, SignServerRig


@pytest.fixture(params=["ecdsa-p256", "rsa-3072"])
def project(request: pytest.FixtureRequest, signserver: SignServerRig, tmp_path: Path) -> Project:
    """Lend the example of a pure package, signed by a worker instead of the emulated token."""
    return make_project(signserver, signserver.reference(request.param), tmp_path)


def make_project(rig: Rig, reference: str, folder: Path) -> Project:
    environ = clean_environment(folder / "home", HATCH_BUILD_HOOK_ENABLE_SIGN="1", HATCH_SIGN_ALLOW_DIRECTORY=str(folder))
    project = copy_example("pure_package", folder / "project", environ | rig.environ)
    project.configure('key = "emulated:slugline/release"', f'key = "{reference}"')
    exported = project.sign("key", "export-public", reference, "-o", "release.pub")
    assert exported.code == 0, exported.output
    return project


def test_what_is_built_is_accepted_by_others(project: Project, signserver: SignServerRig) -> None:
    done = project.hatchling()
    assert done.code == 0, done.output
    assert sum(worker.signatures for worker in signserver.fake.workers.values()) == 2
    require_accepted_until_changed(project)


@pytest.mark.parametrize("project", ["ecdsa-p256"], indirect=True)
def test_a_worker_that_refuses_leaves_nothing_that_looks_released(project: Project, signserver: SignServerRig) -> None:
    signserver.fake.workers["ecdsa-p256"].clients = frozenset()
    done = project.hatchling("-t", "wheel")
    assert done.code == 3, done.output
    assert "AUTHTYPE and authorized clients" in done.output
    assert project.built() == set()
    assert [path.suffix for path in project.quarantine.glob("*.whl")] == [".whl"]


def test_artifact_signing_signs_what_a_real_authority_stamps(
    artifact_signing: ArtifactSigningRig, timestamp_server: TimestampServer, tmp_path: Path
) -> None:
    project = make_project(artifact_signing, artifact_signing.reference, tmp_path)
    done = project.hatchling()
    assert done.code == 2, done.output
    assert "so that signatures need a timestamp" in done.output
    assert project.built() == set()

    key = f'key = "{artifact_signing.reference}"'
    project.configure(key, f'{key}\ntimestamp = ["{timestamp_server.url}"]')
    done = project.hatchling()
    assert done.code == 0, done.output
    assert timestamp_server.count == len(artifact_signing.fake.operations) == 2
    root = tmp_path / "trusted_root.json"
    root.write_bytes(trusted_root(timestamp_server.holder))
    require_accepted_until_changed(project, trusted_root=root)
