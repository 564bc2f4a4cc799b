"""``hatch-sign plugins``."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from hatch_sign.cli.commands import add_json_argument

if TYPE_CHECKING:
    from hatch_sign.cli.environment import Environment


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_json_argument(parser)


def run(arguments: argparse.Namespace, environment: Environment) -> int:
    """List every plugin; exit 2 where one is broken, so that a script sees it."""
    rows = environment.registry.inventory()
    if arguments.json:
        environment.console.document({"schema": "hatch-sign/plugins/v1", "plugins": [asdict(row) for row in rows]})
    else:
        headers = ("plugin", "distribution", "what it does")
        cells = [(f"{row.kind}.{row.name}", f"{row.distribution} {row.version}", row.summary or "broken") for row in rows]
        environment.console.table(headers, cells)
        for row in rows:
            if row.problem:
                environment.console.warn(row.problem)
    return 2 if any(row.problem for row in rows) else 0
