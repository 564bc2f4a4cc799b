"""At a terminal: a table, progress while it lasts, and a prompt that shows nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from .at_terminal import at_terminal
from .cli_project import PIN, Project, make_project

pytest.importorskip("pty", reason="the system has no pseudo-terminals")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = make_project(tmp_path_factory.mktemp("terminal"))
    for number in range(8):
        project.add(f"{number}.bin", b"data")
    return project


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


@pytest.mark.parametrize(("columns", "is_table"), [(60, False), (80, True)])
def test_no_width_breaks_a_word(project: Project, columns: int, *, is_table: bool) -> None:
    code, screen = at_terminal(project, "sign", "dist", "--overwrite", columns=columns)
    assert code == 0, screen
    assert ("│" in screen) == is_table
    for word in ("0.bin", "consistent", "emulated:test/release", "(ecdsa-p256,", "signed"):
        assert screen.count(word) >= 1, word


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
