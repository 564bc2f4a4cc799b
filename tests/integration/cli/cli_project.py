"""A folder with a token, a key and artifacts, driven through the command line as a user drives it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..projects import unmeasured

PIN = "corr-ect horse 7"
SO_PIN = "battery-stap-1e"

CONFIGURATION = """\
key = "emulated:test/release"
formats = ["sigstore"]

[verify]
[[verify.trust]]
public-key = "release.pub"
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def output(self) -> str:
        return self.out + self.err


@dataclass(frozen=True, slots=True)
class Project:
    """`folder` holds the configuration; artifacts go to `dist` below it."""

    folder: Path
    environ: Mapping[str, str] = field(default_factory=dict)

    @property
    def dist(self) -> Path:
        return self.folder / "dist"

    def run(self, *arguments: str, program: Sequence[str] = ("-m", "hatch_sign"), **environ: str) -> Ran:
        """Run hatch-sign and hold it to what every command promises: no trace, no PIN, UTF-8 text."""
        done = subprocess.run(
            [sys.executable, *program, *arguments],
            cwd=self.folder,
            env={**self.environ, **environ},
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=300,
        )
        ran = Ran(done.returncode, done.stdout.decode(), done.stderr.decode())
        assert "Traceback" not in ran.output, ran.output
        assert PIN not in ran.output
        assert SO_PIN not in ran.output
        return ran

    def succeed(self, *arguments: str, **environ: str) -> Ran:
        ran = self.run(*arguments, **environ)
        assert ran.code == 0, ran.output
        return ran

    def fail(self, code: int, *arguments: str, **environ: str) -> str:
        """Run what must fail with this exit code; return the one line that says why."""
        ran = self.run(*arguments, **environ)
        assert ran.code == code, (ran.code, ran.output)
        errors = [line for line in ran.err.splitlines() if line.startswith("hatch-sign: error: ")]
        assert errors, ran.output
        return errors[0]

    def add(self, name: str, data: bytes) -> Path:
        path = self.dist / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def copy(self, folder: Path) -> Project:
        """Copy everything to a folder of its own: making a token is slow, copying one is not."""
        shutil.copytree(self.folder, folder)
        return Project(folder, {**self.environ, "HATCH_SIGN_HOME": str(folder / "home")})

    def unmeasured(self) -> Project:
        """Return the same project, run without what measures coverage.

        That swallows an interruption which meets it, writes files where there is no space, and takes memory.
        """
        return Project(self.folder, unmeasured(self.environ))

    def names(self) -> list[str]:
        return sorted(path.relative_to(self.dist).as_posix() for path in self.dist.rglob("*") if path.is_file())


def make_project(folder: Path, *, algorithm: str = "ecdsa-p256", configuration: str = CONFIGURATION) -> Project:
    """Return a project whose token `test` holds the key `release`, with a configuration that signs by it and trusts it."""
    others = ("HATCH_", "COSIGN_", "GITHUB_", "GITLAB_")  # the last two: where the tests themselves run says nothing
    environ = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    environ |= {
        "HATCH_SIGN_HOME": str(folder / "home"),
        "HATCH_SIGN_PIN": PIN,
        "HATCH_SIGN_SO_PIN": SO_PIN,
        "PYTHONUTF8": "1",
    }
    project = Project(folder, environ)
    project.dist.mkdir()
    project.succeed("token", "init", "test")
    project.succeed("key", "generate", "emulated:test/release", "--algorithm", algorithm)
    project.succeed("key", "export-public", "emulated:test/release", "-o", "release.pub")
    (folder / "hatch-sign.toml").write_text(configuration)
    return project


def make_wheel(project: Project, name: str = "demo", version: str = "1.0") -> Path:
    """Write a small, well-formed wheel into the project's dist."""
    import zipfile  # noqa: PLC0415 - few tests need one

    path = project.dist / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        info = f"{name}-{version}.dist-info"
        archive.writestr(f"{name}/__init__.py", "")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.3\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path
