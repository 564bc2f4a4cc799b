"""``hatch-sign plugins`` lists everything that is installed, and exits 2 where something is broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from .distributions import BACKEND, write_distribution

if TYPE_CHECKING:
    from pathlib import Path


def run_plugins(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH", "")]))
    command = [sys.executable, "-m", "hatch_sign", "plugins", *arguments]
    return subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False)


def install(site: Path, *, good: bool) -> None:
    write_distribution(site, "example-plugin", entry_points={"backend.example": "{module}"}, source=BACKEND)
    if not good:
        source = "raise RuntimeError('no\\nlicence \\x1b[31m')"
        write_distribution(site, "broken-plugin", entry_points={"backend.broken": "{module}"}, source=source)


def test_everything_good(tmp_path: Path) -> None:
    install(tmp_path, good=True)
    done = run_plugins(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "backend.example  example-plugin 1.0  opens example:" in done.stdout
    assert "format.sigstore  hatch-sign " in done.stdout
    assert done.stderr == ""


def test_one_broken(tmp_path: Path) -> None:
    install(tmp_path, good=False)
    done = run_plugins(tmp_path)
    assert done.returncode == 2
    assert "backend.example  example-plugin 1.0  opens example:" in done.stdout
    assert "backend.broken  broken-plugin 1.0  broken" in done.stdout
    assert "backend.broken of broken-plugin 1.0 cannot be imported: RuntimeError: no" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "\x1b" not in done.stderr


def test_as_json(tmp_path: Path) -> None:
    install(tmp_path, good=False)
    done = run_plugins(tmp_path, "--json")
    assert done.returncode == 2
    document = json.loads(done.stdout)
    rows = {f"{row['kind']}.{row['name']}": row for row in document["plugins"]}
    assert document["schema"] == "hatch-sign/plugins/v1"
    assert rows["backend.example"]["problem"] == ""
    assert "broken-plugin 1.0 cannot be imported" in rows["backend.broken"]["problem"]


def test_an_unknown_kind_is_told(tmp_path: Path) -> None:
    write_distribution(tmp_path, "odd-plugin", entry_points={"oracle.example": "{module}"}, source=BACKEND)
    done = run_plugins(tmp_path)
    assert done.returncode == 2
    assert "oracle.example of odd-plugin 1.0 is of no known kind" in done.stderr
