"""``hatch-sign token``: the arguments; what is done stands in :mod:`hatch_sign.cli.token_actions`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.cli.commands import add_json_argument

if TYPE_CHECKING:
    import argparse

    from hatch_sign.cli.environment import Environment

_ACTIONS = {
    "init": "make an empty token; PINs from HATCH_SIGN_PIN and HATCH_SIGN_SO_PIN, or asked for",
    "list": "list all tokens",
    "info": "show one token",
    "unlock": "set a new PIN (HATCH_SIGN_PIN, or asked for) with the SO PIN",
    "delete": "delete a token with all its keys",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, summary in _ACTIONS.items():
        description = f"{summary[0].upper()}{summary[1:]}."
        action = actions.add_parser(name, help=summary, description=description, allow_abbrev=False)
        if name != "list":
            action.add_argument("label", metavar="LABEL", help="the token's name, as in emulated:LABEL")
        if name in {"list", "info"}:
            add_json_argument(action)
        if name == "unlock":
            action.add_argument("--spend-final-try", action="store_true", help="try even the last try of the SO PIN")
        if name == "delete":
            action.add_argument("--yes", action="store_true", help="do not ask")


def run(arguments: argparse.Namespace, environment: Environment) -> int:
    """Run the action and return the exit code."""
    from hatch_sign.cli import token_actions  # noqa: PLC0415 - help and completion do not pay for it

    return token_actions.ACTIONS[arguments.action](arguments, environment)
