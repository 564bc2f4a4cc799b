"""A project built by Hatch's backend and signed by a worker of SignServer, before cosign and @sigstore/verify.

The service is a fake that is as strict as what its maker publishes: none can be had to run. What it signs is real.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.projects import Project, clean_environment, copy_example
from tests.peers.built import require_accepted_until_changed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.services.conftest import SignServerRig


@pytest.fixture(params=["ecdsa-p256", "rsa-3072"])
def project(request: pytest.FixtureRequest, signserver: SignServerRig, tmp_path: Path) -> Project:
    """Lend the example of a pure package, signed by a worker instead of the emulated token."""
    environ = clean_environment(
        tmp_path / "home", HATCH_BUILD_HOOK_ENABLE_SIGN="1", HATCH_SIGN_ALLOW_DIRECTORY=str(tmp_path)
    )
    project = copy_example("pure_package", tmp_path / "project", environ | signserver.environ)
    project.configure('key = "emulated:slugline/release"', f'key = "{signserver.reference(request.param)}"')
    exported = project.sign("key", "export-public", signserver.reference(request.param), "-o", "release.pub")
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
