"""Asking the gate, and reading what it says."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from importlib import resources
from typing import TYPE_CHECKING, Any

import jsonschema

from hatch_sign.cli.commands import build_parser
from hatch_sign.cli.console import Console
from hatch_sign.cli.environment import Environment
from hatch_sign.cli.release import run
from tests.build_services import machine

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from ..cli_project import Project

SCHEMA = json.loads(resources.files("hatch_sign").joinpath("schemas/release-check.v1.json").read_text())


def make_sdist(project: Project, name: str = "demo", version: str = "1.0") -> Path:
    path = project.dist / f"{name}-{version}.tar.gz"
    data = f"Metadata-Version: 2.3\nName: {name}\nVersion: {version}\n".encode()
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo(f"{name}-{version}/PKG-INFO")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return path


def git(project: Project, *arguments: str) -> str:
    person = ("-c", "user.name=Tester", "-c", "user.email=tester@example.invalid", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *person, *arguments],
        cwd=project.folder,
        env={**machine(), "GIT_CONFIG_NOSYSTEM": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def check(project: Project, *arguments: str, at: datetime | None = None) -> dict[str, Any]:
    """Run the gate in this process, hold its document against the schema, and return it."""
    clock = {} if at is None else {"clock": lambda: at}
    out, err = io.StringIO(), io.StringIO()
    parsed = build_parser(["release"]).parse_args(["release", "check", "--json", *arguments])
    environment = Environment(console=Console(out, err), environ=project.environ, directory=project.folder, **clock)
    code = run(parsed, environment)
    document: dict[str, Any] = json.loads(out.getvalue())
    jsonschema.validate(document, SCHEMA)
    assert code == (0 if document["passed"] else 1)
    return document


def told(document: dict[str, Any], status: str = "failure") -> list[tuple[str, str]]:
    return [(each["subject"], each["found"]) for each in document["checks"] if each["status"] == status]


def only_failure(document: dict[str, Any], subject: str) -> str:
    """Return what was found by the one check that failed; it says what was expected, and what to do."""
    (failed,) = [each for each in document["checks"] if each["status"] == "failure"]
    assert failed["subject"] == subject, failed
    assert failed["expected"]
    assert failed["remedy"]
    return str(failed["found"])


def expected_of(document: dict[str, Any], subject: str) -> list[str]:
    """Return what was expected by each check of a subject."""
    return [each["expected"] for each in document["checks"] if each["subject"] == subject]
