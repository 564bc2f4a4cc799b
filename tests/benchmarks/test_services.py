"""200 artifacts signed by a service that takes 50 ms for each reply, beside what 8 calls at once can do at best."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from tests.peers.kms.clouds import Cloud, make_project
from tests.peers.kms.conftest import (  # noqa: F401 - fixtures, found by their names
    aws_service,
    azure_service,
    cloud,
    google_service,
    shared_cloud,
    vault_service,
)

from .measuring import hatch_sign, report, run_once

if TYPE_CHECKING:
    from pathlib import Path

ARTIFACTS = 200
DELAY = 0.05
"""Seconds that each reply takes longer."""
AT_ONCE = 8
IDEAL = ARTIFACTS / AT_ONCE * DELAY


def test_calls_overlap_as_far_as_they_can(cloud: Cloud, tmp_path: Path) -> None:  # noqa: F811 - the fixture
    project = make_project(cloud, tmp_path, artifacts=ARTIFACTS)
    one = next(iter(sorted(project.dist.iterdir())))
    environ = {**project.environ, "PATH": os.environ["PATH"]}
    cloud.slow_down(DELAY)
    seconds = {}
    for name, path in (("one artifact", str(one)), (f"{ARTIFACTS} artifacts", "dist")):
        words = hatch_sign("sign", path, "--key", cloud.reference("p256"))
        seconds[name] = run_once(words, environ=environ, folder=project.folder).seconds
        for sidecar in project.dist.glob("*.json"):
            sidecar.unlink()
    assert cloud.signatures() == ARTIFACTS + 1
    more = seconds[f"{ARTIFACTS} artifacts"] - seconds["one artifact"]
    report(
        f"{cloud.scheme}: {ARTIFACTS} artifacts, {DELAY * 1000:.0f} ms added to each reply, {AT_ONCE} calls at once",
        [
            *(f"{name:16} {taken:6.2f} s" for name, taken in seconds.items()),
            f"what 199 more take, as a ratio to {IDEAL:.2f} s: {more / IDEAL:.2f}",
        ],
    )
    shutil.rmtree(project.dist)
