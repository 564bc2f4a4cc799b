"""A project under git whose commits and pushes run hooks."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.integration.cli.cli_project import Project

if TYPE_CHECKING:
    from collections.abc import Mapping

PERSON = ("-c", "user.name=Tester", "-c", "user.email=tester@example.invalid", "-c", "commit.gpgsign=false")


@dataclass(frozen=True)
class Repository:
    """A project under git whose commits and pushes run hooks."""

    folder: Path
    environ: Mapping[str, str]

    def copy(self, folder: Path) -> Repository:
        """Copy everything to a folder of its own."""
        shutil.copytree(self.folder, folder)
        home = str(folder / "home")
        return Repository(folder, {**self.environ, "HOME": home, "HATCH_SIGN_HOME": home})

    @property
    def project(self) -> Project:
        """The same folder, for hatch-sign."""
        return Project(self.folder, self.environ)

    def write(self, name: str, data: bytes | str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.folder, env=dict(self.environ), capture_output=True, text=True, check=False, timeout=600
        )

    def git(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run("git", *PERSON, *arguments)

    def do(self, *arguments: str) -> str:
        done = self.git(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def refuse(self, *arguments: str) -> str:
        done = self.git(*arguments)
        assert done.returncode != 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def pre_commit(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run(sys.executable, "-m", "pre_commit", *arguments)
