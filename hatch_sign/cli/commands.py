"""The commands: name, module and summary. The table alone is read to show the help."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, cast

from hatch_sign import __version__
from hatch_sign.values.display import display

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hatch_sign.cli.environment import Environment

COMMANDS = {
    "sign": ("hatch_sign.cli.sign", "sign artifacts and check what was signed"),
    "verify": ("hatch_sign.cli.verify", "verify artifacts under the configured trust"),
    "upload": ("hatch_sign.cli.upload", "verify artifacts, then publish them with their signatures"),
    "release": ("hatch_sign.cli.release", "check a release before it leaves, and print the hook that does"),
    "timestamp": ("hatch_sign.cli.timestamp", "give signatures that are there already a timestamp"),
    "token": ("hatch_sign.cli.token", "make and keep emulated tokens for development"),
    "key": ("hatch_sign.cli.key", "make, list and certify keys where they live"),
    "trust": ("hatch_sign.cli.trust", "write the one file that a consumer needs"),
    "doctor": ("hatch_sign.cli.doctor", "look for what keeps a key from signing, step by step, and say what to do"),
    "config": ("hatch_sign.cli.config", "check the configuration"),
    "plugins": ("hatch_sign.cli.plugins", "list what is installed and what fails to load"),
    "demo": ("hatch_sign.cli.demo", "build, sign, verify and tamper with a small project"),
    "completion": ("hatch_sign.cli.completion", "print a completion script for a shell"),
}


class Command(Protocol):
    """What a command's module offers."""

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        """Declare the command's arguments."""

    @staticmethod
    def run(arguments: argparse.Namespace, environment: Environment) -> int:
        """Run the command and return the exit code."""
        ...


def load_command(name: str) -> Command:
    """Import the module of a command."""
    return cast("Command", import_module(COMMANDS[name][0]))


_UNRECOGNIZED = "unrecognized arguments: "
"""How argparse begins to tell of what it does not know."""


EXIT_CODES = "Exit codes: 0 done and verified; 1 rejected; 2 misuse or configuration; 3 backend, token or network."


class Parser(argparse.ArgumentParser):
    """A parser that shows what it does not understand as safely as everything else, and below each help the exit codes."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - those of argparse, handed on
        super().__init__(**{"epilog": EXIT_CODES, **settings})

    def error(self, message: str) -> NoReturn:
        """Show the usage and the reason, and end with 2. What an unknown option was given is not shown."""
        _, unknown, words = message.partition(_UNRECOGNIZED)
        options = [_option_in(word) for word in words.split() if word.startswith("-")]
        super().error(display(unknown + " ".join(options) if options else message))


def _option_in(word: str) -> str:
    return word.partition("=")[0] if word.startswith("--") else word[:2]


def build_parser(wanted: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser, complete for the `wanted` commands, and with no more than a summary for the others."""
    parser = Parser(
        prog="hatch-sign",
        description="Sign the releases of Python projects with keys that stay in their hardware, and verify them.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"hatch-sign {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (_, summary) in COMMANDS.items():
        description = f"{summary[0].upper()}{summary[1:]}."
        command = commands.add_parser(name, help=summary, description=description, allow_abbrev=False)
        if name in wanted:
            load_command(name).add_arguments(command)
    return parser


def add_configuration_argument(parser: argparse.ArgumentParser) -> None:
    """Declare ``--config``."""
    where = "pyproject.toml or hatch-sign.toml; default: the working directory's"
    parser.add_argument("--config", metavar="FILE", help=where)


def add_policy_argument(parser: argparse.ArgumentParser) -> None:
    """Declare ``--policy``."""
    policy = "judge by the `verify` of this hatch-sign.toml, in place of the project's"
    parser.add_argument("--policy", metavar="FILE", help=policy)


def add_json_argument(parser: argparse.ArgumentParser) -> None:
    """Declare ``--json``."""
    parser.add_argument("--json", action="store_true", help="print one JSON document on standard output")
