"""``hatch-sign demo``: the whole way, on a project made for the occasion, leaving nothing behind."""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_sign.values.errors import SigningError

if TYPE_CHECKING:
    from hatch_sign.cli.console import Console
    from hatch_sign.cli.environment import Environment

_PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "hatch-sign-demo"
version = "1.0"

[tool.hatch.build.targets.wheel]
packages = ["hatch_sign_demo"]

[tool.hatch.build.targets.sdist]
include = ["hatch_sign_demo", "release.pub"]

[tool.hatch.build.hooks.sign]
enable-by-default = false

[tool.hatch-sign]
key = "emulated:demo/release"
formats = ["sigstore"]

[[tool.hatch-sign.verify.trust]]
public-key = "release.pub"
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare nothing: the demonstration has no options."""


def run(arguments: argparse.Namespace, environment: Environment) -> int:  # noqa: ARG001 - the shape of every command
    """Build, sign, verify and tamper. Raises SigningError at the first step that does not do what it should."""
    with tempfile.TemporaryDirectory(prefix="hatch-sign-demo-", ignore_cleanup_errors=True) as folder:
        stage = _Stage(environment.console, Path(folder), _environment(environment.environ, folder))
        _act(stage)
    environment.console.line("\nthe demonstration is over, and nothing of it is left")
    return 0


@dataclass(frozen=True, slots=True)
class _Stage:
    console: Console
    folder: Path
    environ: Mapping[str, str]

    def tell(self, text: str) -> None:
        self.console.line(f"\n# {text}")

    def perform(self, *command: str, expected: int = 0) -> None:
        """Run one command in the project, as a user would type it."""
        self.console.line("$ " + " ".join(command))
        sys.stdout.flush()
        program = {"hatch-sign": "hatch_sign", "hatchling": "hatchling"}[command[0]]
        done = subprocess.run(  # noqa: S603 - our own modules, under this interpreter
            [sys.executable, "-m", program, *command[1:]], cwd=self.folder / "project", env=dict(self.environ), check=False
        )
        if done.returncode != expected:
            message = f"`{' '.join(command)}` ended with exit code {done.returncode}, expected {expected}"
            raise SigningError(message, remedy="report it with what is printed above")


def _act(stage: _Stage) -> None:
    project = stage.folder / "project"
    (project / "hatch_sign_demo").mkdir(parents=True)
    (project / "hatch_sign_demo" / "__init__.py").write_text('"""A package to be signed."""\n')
    (project / "pyproject.toml").write_text(_PROJECT)

    stage.tell("a token for development, and a key in it that never leaves it")
    stage.perform("hatch-sign", "token", "init", "demo")
    stage.perform("hatch-sign", "key", "generate", "emulated:demo/release")
    stage.perform("hatch-sign", "key", "export-public", "emulated:demo/release", "-o", "release.pub")

    stage.tell("the build signs what it builds, and verifies what it signed")
    stage.perform("hatchling", "build")

    stage.tell("anybody who trusts release.pub can verify the release")
    stage.perform("hatch-sign", "verify", "dist")

    stage.tell("one byte changed in a copy of the wheel: it is refused")
    _tamper(project)
    stage.perform("hatch-sign", "verify", "tampered", expected=1)


def _tamper(project: Path) -> None:
    shutil.copytree(project / "dist", project / "tampered")
    wheel = next((project / "tampered").glob("*.whl"))
    data = bytearray(wheel.read_bytes())
    data[len(data) // 2] ^= 1
    wheel.write_bytes(data)


def _environment(environ: Mapping[str, str], folder: str) -> dict[str, str]:
    """Return an environment in which tokens, audit and PINs are thrown away with the folder."""
    kept = {name: value for name, value in environ.items() if not name.startswith(("HATCH_", "PIP_BUILD_"))}
    return kept | {
        "HATCH_SIGN_HOME": str(Path(folder) / "home"),
        "HATCH_SIGN_PIN": secrets.token_hex(8),
        "HATCH_SIGN_SO_PIN": secrets.token_hex(8),
        "HATCH_SIGN_ALLOW_DIRECTORY": os.path.realpath(folder),
        "HATCH_BUILD_HOOK_ENABLE_SIGN": "1",
        "PYTHONUNBUFFERED": "1",
    }
