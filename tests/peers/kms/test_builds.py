"""A project built by Hatch's backend and signed by the key of a service, before cosign and @sigstore/verify."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.projects import Project, clean_environment, copy_example
from tests.peers.built import require_accepted_until_changed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.peers.kms.clouds import Cloud


@pytest.fixture(params=["p256", "rsa"])
def project(request: pytest.FixtureRequest, cloud: Cloud, tmp_path: Path) -> Project:
    """Lend the example of a pure package, with a key in the cloud instead of the emulated one."""
    environ = clean_environment(
        tmp_path / "home", HATCH_BUILD_HOOK_ENABLE_SIGN="1", HATCH_SIGN_ALLOW_DIRECTORY=str(tmp_path)
    )
    project = copy_example("pure_package", tmp_path / "project", environ | dict(cloud.environ))
    key = cloud.reference(request.param)
    project.configure('key = "emulated:slugline/release"', f'key = "{key}"')
    exported = project.sign("key", "export-public", key, "-o", "release.pub")
    assert exported.code == 0, exported.output
    return project


def test_what_is_built_is_accepted_by_others(project: Project, cloud: Cloud) -> None:
    done = project.hatchling()
    assert done.code == 0, done.output
    assert not [secret for secret in cloud.secrets if secret in done.output]
    require_accepted_until_changed(project)


@pytest.mark.parametrize("project", ["p256"], indirect=True)
def test_a_build_that_cannot_be_signed_leaves_nothing_that_looks_released(project: Project, cloud: Cloud) -> None:
    cloud.deny()
    done = project.hatchling("-t", "wheel")
    assert done.code == 3, done.output
    assert "is missing" in done.output
    assert project.built() == set()
    assert [path.suffix for path in project.quarantine.glob("*.whl")] == [".whl"]
    assert not [secret for secret in cloud.secrets if secret in done.output]
