"""``hatch-sign upload``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, NoReturn

from hatch_sign.cli.commands import add_configuration_argument, add_json_argument, add_policy_argument
from hatch_sign.revocation.asking import open_revocations

if TYPE_CHECKING:
    from hatch_sign.cli.environment import Environment
    from hatch_sign.publishing.run import Publishing

_OF_INDEX = (
    "repository",
    "repository-url",
    "username",
    "skip-existing",
    "attestations",
    "non-interactive",
    "cert",
    "client-cert",
    "config-file",
    "comment",
    "verbose",
)
"""twine's options, which are settings of the publisher `index` by the same names."""

_SEEN_BY_ALL = (
    "a password on a command line is seen by everybody on the machine, and kept by the shell; "
    "put it into TWINE_PASSWORD, .pypirc or keyring"
)
_NO_GPG = "no index takes GPG signatures any more; `hatch-sign sign` makes those that this command verifies and publishes"


class _Refused(argparse.Action):
    """An option of twine that is refused, whatever value it has: that may be a secret, and is not repeated."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        parser.error(f"{'/'.join(self.option_strings)}: {self.const}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("paths", metavar="PATH", nargs="+", help="a file, a folder of artifacts, or a pattern")
    where = "a configured place, or a publisher such as index, github or folder; repeat for several; default: all configured"
    parser.add_argument("--to", metavar="NAME", action="append", default=[], help=where)
    setting = "a setting of a place, in place of the configured one; repeat for several"
    parser.add_argument(
        "-o", "--option", metavar="NAME.KEY=VALUE", dest="options", action="append", default=[], help=setting
    )
    add_policy_argument(parser)
    parser.add_argument("--dry-run", action="store_true", help="verify, and say what would go where; open no place")
    parser.add_argument("--offline", action="store_true", help="fetch no revocation lists")
    _add_index_arguments(parser.add_argument_group("for an index, as twine has them"))
    add_configuration_argument(parser)
    add_json_argument(parser)


def _add_index_arguments(index: argparse._ArgumentGroup) -> None:
    switch: dict[str, Any] = {"action": "store_const", "const": True}
    index.add_argument("-r", "--repository", metavar="NAME", help="the index, as .pypirc names it; default: pypi")
    index.add_argument("--repository-url", metavar="URL", help="the address that it takes uploads at")
    index.add_argument("-u", "--username", metavar="NAME", help="whom to log in as; for a token: __token__")
    index.add_argument("--skip-existing", **switch, help="pass over what is there already and cannot be compared")
    index.add_argument("--attestations", **switch, help="send PEP 740 attestations; each distribution must have one")
    index.add_argument("--non-interactive", **switch, help="ask for nothing")
    index.add_argument("--cert", metavar="PEM", help="authorities to trust in place of the system's")
    index.add_argument("--client-cert", metavar="PEM", help="a client certificate with its private key")
    index.add_argument("--config-file", metavar="FILE", help="the .pypirc to read; default: ~/.pypirc")
    index.add_argument("-c", "--comment", metavar="TEXT", help="a comment to send along")
    index.add_argument("--verbose", **switch, help="say more of what the index answers")
    index.add_argument("--disable-progress-bar", action="store_true", help="show no progress")
    hidden: dict[str, Any] = {"action": _Refused, "nargs": "?", "help": argparse.SUPPRESS}
    index.add_argument("-p", "--password", const=_SEEN_BY_ALL, **hidden)
    for flags in (("-s", "--sign"), ("--sign-with",), ("-i", "--identity")):
        index.add_argument(*flags, const=_NO_GPG, **hidden)


def run(arguments: argparse.Namespace, environment: Environment) -> int:
    """Verify, then publish, and list what became of each file; exit 0 where all of it is where it should be."""
    from hatch_sign.cli.telling import Teller  # noqa: PLC0415 - after the arguments were found to be right
    from hatch_sign.publishing.run import publish_release  # noqa: PLC0415 - as above

    publishing = _publishing(arguments, environment)
    teller = Teller(environment.console, publishing, quiet=arguments.json, bars=not arguments.disable_progress_bar)
    try:
        with teller:
            report = publish_release(arguments.paths, publishing, teller)
    except KeyboardInterrupt:
        teller.interrupted()
        raise
    teller.conclude()
    return report.exit_code


def _publishing(arguments: argparse.Namespace, environment: Environment) -> Publishing:
    from hatch_sign.publishing.run import Publishing  # noqa: PLC0415 - as above
    from hatch_sign.publishing.targets import choose_targets  # noqa: PLC0415 - as above

    configuration = environment.load_configuration(arguments, signs=False)
    trust = environment.load_policy(arguments)
    targets = choose_targets(
        configuration,
        environment.registry,
        wanted=arguments.to,
        options=arguments.options,
        for_index=_index_settings(arguments),
        directory=environment.directory,
    )
    return Publishing(
        configuration=configuration,
        registry=environment.registry,
        context=environment.context(),
        targets=targets,
        now=environment.clock(),
        trust=trust,
        named=arguments.config is not None,
        revocations=open_revocations(asked=(trust or configuration).verify.asks_for_revocations, offline=arguments.offline),
        dry_run=arguments.dry_run,
    )


def _index_settings(arguments: argparse.Namespace) -> dict[str, Any]:
    given = {name: getattr(arguments, name.replace("-", "_")) for name in _OF_INDEX}
    return {name: value for name, value in given.items() if value is not None}
