"""The commands that need no project: help, version, completion, the demonstration; and how the program ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hatch_sign import __version__
from hatch_sign.cli.commands import COMMANDS, EXIT_CODES

from .cli_project import Project


@pytest.fixture
def nowhere(tmp_path: Path) -> Project:
    import os  # noqa: PLC0415 - here only

    return Project(tmp_path, {**os.environ, "HATCH_SIGN_HOME": str(tmp_path / "home")})


def test_version_and_help(nowhere: Project) -> None:
    assert nowhere.succeed("--version").out == f"hatch-sign {__version__}\n"
    shown = nowhere.succeed("--help").out
    for name, (_, summary) in COMMANDS.items():
        assert name in shown
        assert summary.split()[0] in shown
    assert "Exit codes" in shown


@pytest.mark.parametrize("command", [("verify",), ("key", "generate"), ("release", "check")])
def test_every_help_ends_with_the_exit_codes(nowhere: Project, command: tuple[str, ...]) -> None:
    shown = nowhere.succeed(*command, "--help").out
    assert " ".join(shown.split()).endswith(EXIT_CODES)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(nowhere: Project, command: str) -> None:
    shown = nowhere.succeed(command, "--help").out
    assert shown.startswith(f"usage: hatch-sign {command}")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nothing",),
        ("sign",),
        ("sign", "--unknown", "x"),
        ("verify", "x", "--at", "never"),
        ("verify", "x", "--at", "9999-12-31T23:59:59-14:00"),
    ],
)
def test_misuse_ends_with_2_and_a_usage(nowhere: Project, arguments: tuple[str, ...]) -> None:
    ran = nowhere.run(*arguments)
    assert ran.code == 2
    assert ran.err.startswith("usage: hatch-sign")


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_completion_script_knows_the_commands(nowhere: Project, shell: str) -> None:
    script = nowhere.succeed("completion", shell).out
    assert "verify" in script
    assert "--certificate-roots" in script


def test_completion_without_its_extra_says_what_to_install(nowhere: Project) -> None:
    program = (
        "import sys; sys.modules['shtab'] = None\nfrom hatch_sign.cli import main; sys.exit(main(['completion', 'bash']))"
    )
    ran = nowhere.run(program=("-c", program))
    assert ran.code == 2
    assert "pip install shtab" in ran.err


def test_the_demonstration_shows_a_tampered_copy_refused_and_leaves_nothing(nowhere: Project) -> None:
    (nowhere.folder / "tmp").mkdir()
    ran = nowhere.succeed("demo", TMPDIR=str(nowhere.folder / "tmp"))
    assert "trusted" in ran.out
    assert "hash-mismatch" in ran.out
    assert "is rejected" in ran.err
    assert list((nowhere.folder / "tmp").iterdir()) == []
    assert not (nowhere.folder / "home").exists()


def test_a_bug_is_one_line_and_names_no_text_of_its_exception(nowhere: Project) -> None:
    program = (
        "import sys; from hatch_sign.cli import plugins, main\n"
        "def fail(*_): raise RuntimeError('token s3cret')\n"
        "plugins.run = fail; sys.exit(main(['plugins']))"
    )
    ran = nowhere.run(program=("-c", program))
    assert ran.code == 3
    assert (
        ran.err == "hatch-sign: error: an error in hatch-sign or in a plugin: RuntimeError; HATCH_SIGN_DEBUG=1 shows where\n"
    )


def test_a_reader_that_goes_away_is_no_trace(nowhere: Project) -> None:
    command = f"'{sys.executable}' -m hatch_sign plugins --json | true"
    done = subprocess.run(
        ["sh", "-c", command], cwd=nowhere.folder, env=dict(nowhere.environ), check=False, capture_output=True, text=True
    )
    assert done.stderr == ""
