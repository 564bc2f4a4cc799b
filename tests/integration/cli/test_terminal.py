"""At a terminal: a table, progress while it lasts, and a prompt that shows nothing."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from .cli_project import PIN, Project, make_project

pty = pytest.importorskip("pty", reason="the system has no pseudo-terminals")

PATIENCE = 300
"""Seconds of silence after which the program is taken to hang, and is ended."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = make_project(tmp_path_factory.mktemp("terminal"))
    for number in range(8):
        project.add(f"{number}.bin", b"data")
    return project


def at_terminal(
    project: Project, *arguments: str, typed: str = "", without: str = "", columns: int = 160
) -> tuple[int, str]:
    """Run hatch-sign on a pseudo-terminal, type something, and return the exit code and the screen."""
    environ = {name: value for name, value in project.environ.items() if name != without} | {
        "TERM": "xterm",
        "COLUMNS": str(columns),
    }
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "hatch_sign", *arguments]
    screen = b""
    with subprocess.Popen(
        command, cwd=project.folder, env=environ, stdin=follower, stdout=follower, stderr=follower, start_new_session=True
    ) as process:
        os.close(follower)
        while select.select([leader], [], [], PATIENCE)[0]:
            try:
                piece = os.read(leader, 4096)
            except OSError:  # the other end is closed
                break
            screen += piece
            if typed and screen.rstrip().endswith(b":"):
                os.write(leader, typed.encode() + b"\n")
                typed = ""
        try:
            process.wait(PATIENCE)
        finally:
            process.kill()
    os.close(leader)
    return process.returncode, screen.decode()


def test_results_are_a_table_and_progress_comes_and_goes(project: Project) -> None:
    code, screen = at_terminal(project, "sign", "dist", "--overwrite")
    assert code == 0, screen
    assert "━" in screen
    assert "signing" in screen
    code, screen = at_terminal(project, "verify", "dist")
    assert code == 0, screen
    assert "verdict" in screen
    assert screen.count("trusted") >= 8
    assert "│" in screen


def test_what_is_wider_than_the_terminal_is_not_folded(project: Project) -> None:
    code, screen = at_terminal(project, "key", "list", "emulated:test", columns=20)
    assert code == 0, screen
    assert "emulated:test/release  ecdsa-p256  software" in screen
    assert "│" not in screen


def test_nothing_of_the_kind_reaches_a_pipe(project: Project) -> None:
    ran = project.succeed("sign", "dist", "--overwrite")
    assert "━" not in ran.output
    assert "\x1b" not in ran.output
    assert "signing" not in ran.output


def test_a_pin_is_asked_for_once_and_never_shown(project: Project) -> None:
    code, screen = at_terminal(project, "sign", "dist", "--overwrite", typed=PIN, without="HATCH_SIGN_PIN")
    assert code == 0, screen
    assert PIN not in screen
    assert screen.count("PIN") == 1


def test_a_wrong_pin_that_was_typed_is_not_shown_either(project: Project) -> None:
    code, screen = at_terminal(project, "sign", "dist", "--overwrite", typed="wr0ng-pin-here", without="HATCH_SIGN_PIN")
    assert code == 3, screen
    assert "wr0ng-pin-here" not in screen
    assert "tries left" in screen or "2" in screen
    project.succeed("sign", "dist", "--overwrite")


def test_a_name_full_of_markup_is_shown_as_it_is(project: Project, tmp_path: Path) -> None:
    artifact = tmp_path / "[bold red]x.bin"
    artifact.write_bytes(b"data")
    project.succeed("sign", str(artifact))
    _, screen = at_terminal(project, "verify", str(artifact))
    assert "[bold red]x.bin" in screen
