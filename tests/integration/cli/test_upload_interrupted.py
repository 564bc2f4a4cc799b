"""Killed or interrupted while it publishes to a folder: nothing half done is seen, and a second run completes."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from .at_terminal import at_terminal
from .cli_project import CONFIGURATION, Project, Ran

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of this kind are POSIX's")

INJECTOR = str(Path(__file__).with_name("fault_injection.py"))
NAMES = ["a.bin", "a.bin.sigstore.json"]


@pytest.fixture
def release(project: Project) -> Project:
    (project.folder / "hatch-sign.toml").write_text(CONFIGURATION + '[[publish]]\nto = "folder"\npath = "public"\n')
    project.add("a.bin", b"what is released")
    project.succeed("sign", "dist")
    (project.folder / "temporary").mkdir()
    return project.unmeasured()


def strike(project: Project, number: int, kind: str, below: str) -> Ran:
    program = (INJECTOR, str(number), kind, str(project.folder / below))
    return project.run("upload", "dist", program=program, TMPDIR=str(project.folder / "temporary"))


@pytest.mark.parametrize("kind", ["SIGKILL", "SIGINT"])
@pytest.mark.parametrize("below", ["public", "temporary"])
def test_struck_at_any_instant_what_is_there_is_whole(release: Project, kind: str, below: str) -> None:
    public, temporary = release.folder / "public", release.folder / "temporary"
    code = 0
    for number in range(1, 60, 2 if below == "temporary" else 1):
        code = (ran := strike(release, number, kind, below)).code
        if code == 0:
            assert number > 3, "the injector never struck"
            break
        assert code == (-signal.SIGKILL if kind == "SIGKILL" else 130), (number, ran.output)
        for path in public.iterdir() if public.exists() else ():
            whole = (release.dist / path.name).read_bytes() if path.name in NAMES else None
            assert path.name.startswith(".") or path.read_bytes() == whole, number
        if kind == "SIGINT":
            assert list(temporary.iterdir()) == [], number
        assert {path.stat().st_mode & 0o777 for path in temporary.iterdir()} <= {0o700}
    assert code == 0
    assert sorted(path.name for path in public.iterdir()) == NAMES


def test_a_terminal_is_shown_a_table_once_all_is_done(release: Project) -> None:
    code, screen = at_terminal(release, "upload", "dist")
    assert code == 0, screen
    assert screen.count("what was done") == 1
    assert screen.count("uploaded") == 2
    plain = release.succeed("upload", "dist")
    assert "\x1b" not in plain.output
    assert "what was done" not in plain.output
