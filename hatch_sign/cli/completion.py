"""``hatch-sign completion``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from hatch_sign.values.errors import PluginError

if TYPE_CHECKING:
    from hatch_sign.cli.environment import Environment


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("shell", choices=("bash", "zsh"))


def run(arguments: argparse.Namespace, environment: Environment) -> int:
    """Print a script for the shell to read. Raises PluginError where the extra is not installed."""
    from hatch_sign.cli.commands import COMMANDS, build_parser  # noqa: PLC0415 - every command is imported, for once

    try:
        import shtab  # noqa: PLC0415 - an extra
    except ImportError:
        message = "completion needs shtab, which is not installed"
        raise PluginError(message, remedy="pip install shtab") from None
    environment.console.line(shtab.complete(build_parser(list(COMMANDS)), shell=arguments.shell))
    return 0
