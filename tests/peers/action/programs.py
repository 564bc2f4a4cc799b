"""Where the programs for workflows are: they come from an index, with their binaries, beside the Python that runs this."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

from .. import rigs

ROOT = Path(__file__).resolve().parents[3]

WORKFLOWS = sorted(
    [
        *ROOT.glob(".github/workflows/*.yml"),
        *ROOT.glob("examples/**/*.yml"),
        *ROOT.glob("examples/*/.github/workflows/*.yml"),
    ]
)


def program(name: str) -> str:
    """Return where a program is; without it the test is skipped, and on a machine of continuous integration it fails."""
    found = shutil.which(name, path=os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")]))
    if found is None:
        rigs.skip_or_fail(f"{name} is not there: run 'pip install --group peers'")
    return found


def run(*command: str, folder: Path = ROOT, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, its two streams as one."""
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=600,
    )
