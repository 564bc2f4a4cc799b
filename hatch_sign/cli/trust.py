"""``hatch-sign trust``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_sign.cli.commands import add_configuration_argument
from hatch_sign.values.display import display
from hatch_sign.values.errors import UsageError

if TYPE_CHECKING:
    from hatch_sign.cli.environment import Environment


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    summary = "write whom the configuration trusts as one hatch-sign.toml, keys and certificates inside"
    description = f"{summary[0].upper()}{summary[1:]}."
    export = actions.add_parser("export", help=summary, description=description, allow_abbrev=False)
    export.add_argument("-o", "--output", metavar="FILE", help="default: standard output")
    export.add_argument("--overwrite", action="store_true", help="replace FILE where it exists")
    add_configuration_argument(export)


def run(arguments: argparse.Namespace, environment: Environment) -> int:
    """Write the file, or print it."""
    from hatch_sign.configuration.exporting import export_trust  # noqa: PLC0415 - after the arguments were found to be right

    target = environment.directory / arguments.output if arguments.output else None
    if target is not None and target.exists() and not arguments.overwrite:
        message = f"{display(target)} exists"
        raise UsageError(message, remedy="name another file, or add --overwrite")
    configuration = environment.load_configuration(arguments)
    text = export_trust(configuration, environment.registry, at=environment.clock())
    if target is None:
        environment.console.line(text.removesuffix("\n"))
    else:
        _write(target, text)
        environment.console.note(f"hatch-sign: wrote {display(target)}, from {display(configuration.path)}")
    return 0


def _write(target: Path, text: str) -> None:
    from hatch_sign.storage.atomic import write_atomically  # noqa: PLC0415 - needed for files only

    write_atomically(target, text.encode())
