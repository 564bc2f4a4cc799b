"""What signing adds to a warm build, divided by what it cannot do without: importing cryptography, unlocking the token."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from .measuring import measure, report

if TYPE_CHECKING:
    from .conftest import Bench

_PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "benchmark"
version = "1"
[tool.hatch.build.targets.wheel]
bypass-selection = true
[tool.hatch.build.hooks.sign]
enable-by-default = false
[tool.hatch-sign]
key = "{key}"
[[tool.hatch-sign.verify.trust]]
public-key = "release.pub"
"""

_UNLOCK = """\
import os, sys
import cryptography.hazmat.primitives.asymmetric.ec, cryptography.hazmat.primitives.asymmetric.rsa
import cryptography.hazmat.primitives.asymmetric.ed25519
from typing import TYPE_CHECKING
from hatch_sign.custody.context import RunContext
from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.backends.emulated import hatch_sign_register_backend
context = RunContext(os.environ, on_warning=lambda text: None)
with open_signer(hatch_sign_register_backend(), sys.argv[1], context):
    pass
"""


def test_what_signing_adds_to_a_build(bench: Bench) -> None:
    folder = bench.folder / "project"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(_PROJECT.format(key=bench.key))
    (folder / "release.pub").write_bytes((bench.folder / "release.pub").read_bytes())
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel"]
    commands = {
        "a build": build,
        "a signed build": ["env", "HATCH_BUILD_HOOK_ENABLE_SIGN=1", *build],
        "bare python": [sys.executable, "-c", "pass"],
        "import and unlock": [sys.executable, "-c", _UNLOCK, bench.key],
    }
    best = measure(commands, rounds=7, environ=bench.environ, folder=folder)
    added = best["a signed build"].seconds - best["a build"].seconds
    needed = best["import and unlock"].seconds - best["bare python"].seconds
    lines = [f"{name:20} {measured.seconds * 1000:6.0f}" for name, measured in best.items()]
    report("a warm build of one wheel: milliseconds", [*lines, f"added / (import and unlock) = {added / needed:.2f}"])
