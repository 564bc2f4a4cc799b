"""A folder of artifacts that is signed, on the command line, with a key on a real token."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...integration.cli.cli_project import Project, Ran

if TYPE_CHECKING:
    from .tokens import RealToken

KEY = "signing"

_CONFIGURATION = """\
key = "{key}"
formats = ["sigstore"]
observers = ["audit"]
audit-file = "audit.jsonl"

[verify]
[[verify.trust]]
public-key = "release.pub"
"""
_PATIENCE = 300.0
"""Seconds that a command may take."""


@dataclass(frozen=True, slots=True)
class TokenProject(Project):
    """As its base, with a token; each command runs where that can be reached."""

    token: RealToken | None = None

    def run(self, *arguments: str, program: Sequence[str] = ("-m", "hatch_sign"), **environ: str) -> Ran:
        """Run hatch-sign and hold it to what every command promises: no trace, no PIN."""
        assert self.token is not None
        done = subprocess.run(
            self.token.command(sys.executable, *program, *arguments, folder=self.folder),
            cwd=self.folder,
            env=self.token.environment(**self.environ, **environ),
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=_PATIENCE,
        )
        ran = Ran(done.returncode, done.stdout.decode(), done.stderr.decode())
        assert "Traceback" not in ran.output, ran.output
        assert self.token.pin not in ran.output
        assert self.token.so_pin not in ran.output
        return ran

    @property
    def sidecars(self) -> dict[str, bytes]:
        """The content of each signature in ``dist``, by its name."""
        return {path.name: path.read_bytes() for path in self.dist.glob("*.sigstore.json")}

    @property
    def audited(self) -> list[str]:
        """The artifacts that the audit file names, a name for each line."""
        lines = (self.folder / "audit.jsonl").read_text().splitlines() if (self.folder / "audit.jsonl").exists() else []
        return [json.loads(line)["artifact"] for line in lines]


def make_token_project(folder: Path, token: RealToken, *, artifacts: int = 0) -> TokenProject:
    """Return a project whose key was made in the token, of the first kind that it makes; with so many artifacts."""
    project = TokenProject(folder, {"HATCH_SIGN_HOME": str(folder / "home"), "PYTHONUTF8": "1"}, token)
    project.dist.mkdir(parents=True)
    project.succeed("key", "generate", token.reference(KEY), "--algorithm", token.algorithms[0].value)
    project.succeed("key", "export-public", token.reference(KEY), "-o", "release.pub")
    (folder / "hatch-sign.toml").write_text(_CONFIGURATION.format(key=token.reference(KEY)))
    for number in range(artifacts):
        project.add(f"artifact-{number:03}.bin", b"what is released, %d\n" % number)
    return project
