"""Copies of the example projects, each with a token of its own, and the programs that build them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"
PIN, SO_PIN = "example-pin", "example-so-pin"


@dataclass(frozen=True)
class Done:
    """What a program did: its exit code, and all that it wrote, as one text."""

    code: int
    output: str

    def lines(self, start: str) -> list[str]:
        """Return the lines that begin with `start`."""
        return [line for line in map(str.strip, self.output.splitlines()) if line.startswith(start)]


@dataclass
class Project:
    """A project folder, and the environment in which it is built."""

    root: Path
    environ: dict[str, str] = field(repr=False)

    @property
    def dist(self) -> Path:
        return self.root / "dist"

    @property
    def quarantine(self) -> Path:
        return self.root / ".hatch-sign" / "unsigned"

    def built(self) -> set[str]:
        """Return the names in ``dist``, except Hatch's own."""
        return {path.name for path in self.dist.iterdir()} - {".gitignore"} if self.dist.is_dir() else set()

    def artifact(self, suffix: str = ".whl") -> Path:
        """Return the only artifact whose name ends so."""
        (found,) = self.dist.glob("*" + suffix)
        return found

    def run(self, *command: str | Path, **environ: str) -> Done:
        """Run a program in the project; its input is no terminal."""
        done = subprocess.run(
            [str(word) for word in command],
            cwd=self.root,
            env=self.environ | environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        return Done(done.returncode, done.stdout)

    def python(self, *arguments: str | Path, **environ: str) -> Done:
        """Run the interpreter of the tests."""
        return self.run(sys.executable, *arguments, **environ)

    def hatchling(self, *arguments: str, **environ: str) -> Done:
        """Build in the environment of the tests: the fastest way that a hook is ever called."""
        return self.python("-m", "hatchling", "build", *arguments, **environ)

    def sign(self, *arguments: str | Path, **environ: str) -> Done:
        """Run ``hatch-sign``."""
        return self.python("-m", "hatch_sign", *arguments, **environ)

    def configure(self, old: str, new: str) -> None:
        """Change ``pyproject.toml``; what is to be changed must be there."""
        file = self.root / "pyproject.toml"
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")

    def change_source(self) -> None:
        """Make the next build differ from the last."""
        readme = self.root / "README.md"
        readme.write_text(readme.read_text(encoding="utf-8") + "\nOne line more.\n", encoding="utf-8")


def clean_environment(home: Path, **more: str) -> dict[str, str]:
    """Return an environment without settings of ours or of an outer build, and with tokens in `home`."""
    foreign = ("HATCH_", "PYTHONPATH", "PIP_BUILD_", "VIRTUAL_ENV", "TOX_", "UV_PROJECT")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return kept | {"HATCH_SIGN_HOME": str(home), "HATCH_SIGN_PIN": PIN, "HATCH_SIGN_SO_PIN": SO_PIN} | more


def unmeasured(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without what makes coverage follow child processes.

    What a front end installs for one build is gone when coverage looks for its source.
    """
    return {name: value for name, value in environ.items() if not name.startswith("COVERAGE_")}


def copy_example(name: str, target: Path, environ: Mapping[str, str]) -> Project:
    """Copy an example as it is in the repository, without what a build may have left in it."""
    left_over = shutil.ignore_patterns(
        "dist", "build", "wheelhouse", "*.egg-info", "release.pub", ".hatch-sign", "__pycache__"
    )
    shutil.copytree(EXAMPLES / name, target, ignore=left_over)
    return Project(target, dict(environ))


def tamper(artifact: Path) -> None:
    """Change one bit in the middle of a file."""
    data = bytearray(artifact.read_bytes())
    data[len(data) // 2] ^= 1
    artifact.write_bytes(data)
