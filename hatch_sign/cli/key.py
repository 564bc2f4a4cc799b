"""``hatch-sign key``: the arguments; what is done stands in :mod:`hatch_sign.cli.key_actions`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.cli.commands import add_json_argument
from hatch_sign.values.algorithms import KeyAlgorithm

if TYPE_CHECKING:
    import argparse

    from hatch_sign.cli.environment import Environment

_ACTIONS = {
    "generate": "make a key that never leaves its token or service",
    "list": "list the keys that a reference selects",
    "show": "show one key: its kind, how it is kept, its certificates",
    "csr": "write a certificate request for code signing, signed inside the token",
    "import-certificate": "store a key's certificate and its issuers beside it",
    "export-public": "write the public key, for those who verify",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, summary in _ACTIONS.items():
        description = f"{summary[0].upper()}{summary[1:]}."
        action = actions.add_parser(name, help=summary, description=description, allow_abbrev=False)
        action.add_argument("uri", metavar="URI", help="the key's reference, such as emulated:TOKEN/KEY")
        _add_own_arguments(name, action)
        action.add_argument("--spend-final-try", action="store_true", help="try the PIN though a wrong one locks the token")


def run(arguments: argparse.Namespace, environment: Environment) -> int:
    """Run the action and return the exit code."""
    from hatch_sign.cli import key_actions  # noqa: PLC0415 - help and completion do not pay for it

    return key_actions.ACTIONS[arguments.action](arguments, environment)


def _add_own_arguments(name: str, action: argparse.ArgumentParser) -> None:
    if name == "generate":
        choices = [algorithm.value for algorithm in KeyAlgorithm]
        action.add_argument("--algorithm", choices=choices, default=choices[0], help="default: %(default)s")
    if name in {"generate", "list", "show"}:
        add_json_argument(action)
    if name == "csr":
        action.add_argument("--subject", metavar="DN", required=True, help="RFC 4514: CN=Example Ltd,O=Example Ltd,C=SI")
    if name == "import-certificate":
        action.add_argument("file", metavar="FILE", help="certificates in PEM, or one in DER")
    if name in {"csr", "export-public"}:
        action.add_argument("-o", "--output", metavar="FILE", help="default: standard output")
        action.add_argument("--overwrite", action="store_true", help="replace an older file")
