"""``hatch-sign timestamp``."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from hatch_sign.cli.commands import add_configuration_argument, add_json_argument
from hatch_sign.cli.outcomes import outcome_document, show_outcomes
from hatch_sign.values.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hatch_sign.cli.environment import Environment
    from hatch_sign.configuration.model import Configuration
    from hatch_sign.stamping.stamping import StampingReport
    from hatch_sign.values.public_keys import PublicKey


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    paths = "an artifact, a folder of artifacts, a pattern, or a signature file"
    parser.add_argument("paths", metavar="PATH", nargs="+", help=paths)
    authority = "an RFC 3161 authority; tried in order; default: the configured ones"
    parser.add_argument("--timestamp", metavar="URL", action="append", help=authority)
    parser.add_argument("--renew", action="store_true", help="add another timestamp where there is one already")
    key = "the public key that made the signatures; default: those of the trust rules"
    parser.add_argument("--key", metavar="PEM", dest="public_key", help=key)
    add_configuration_argument(parser)
    add_json_argument(parser)


def run(arguments: argparse.Namespace, environment: Environment) -> int:
    """Give the signatures that have none a timestamp, and list them."""
    configuration = environment.load_configuration(arguments)
    report = _stamp(configuration, arguments, environment)
    if arguments.json:
        environment.console.document(_document(report))
    else:
        show_outcomes(environment.console, report.outcomes)
    report.raise_failure()
    return 0


def _stamp(configuration: Configuration, arguments: argparse.Namespace, environment: Environment) -> StampingReport:
    from hatch_sign.configuration.building import load_timestamp_roots  # noqa: PLC0415 - after the arguments were found right
    from hatch_sign.signing.witnessing import Timestamping  # noqa: PLC0415 - as above
    from hatch_sign.stamping.asking import Stamping  # noqa: PLC0415 - as above
    from hatch_sign.stamping.inside import find_inside  # noqa: PLC0415 - as above
    from hatch_sign.stamping.stamping import stamp_release  # noqa: PLC0415 - as above
    from hatch_sign.stamping.targets import find_targets  # noqa: PLC0415 - as above
    from hatch_sign.verification.presence import Shelf  # noqa: PLC0415 - as above

    addresses = _addresses(configuration, arguments.timestamp)
    formats, context = environment.registry.formats(), environment.context()
    shelf = Shelf(formats, configuration.output_directory, configuration.signature_names)
    inside = find_inside(arguments.paths, formats=formats, shelf=shelf)
    targets = find_targets(arguments.paths, formats=formats, shelf=shelf, found_others=bool(inside))
    with ExitStack() as stack, environment.console.progress("timestamping", len(targets) + len(inside)) as progress:
        timestamping = Timestamping(configuration, environment.registry, context, stack)
        stamping = Stamping(
            witness=timestamping.witnesses(addresses)[0],
            keys=_keys(configuration, arguments.public_key, environment),
            roots=load_timestamp_roots(configuration.verify.timestamp_roots),
            now=environment.clock(),
            renew=arguments.renew,
        )
        return stamp_release((*targets, *inside), stamping, on_done=progress.advance, on_failure=context.stop)


def _addresses(configuration: Configuration, given: Sequence[str] | None) -> Sequence[str]:
    from hatch_sign.configuration.schema import addresses  # noqa: PLC0415 - as above

    if given:
        if problem := addresses(list(given)):
            message = f"--timestamp {problem}"
            raise UsageError(message)
        return given
    configured = tuple(dict.fromkeys(address for settings in configuration.signs for address in settings.timestamp))
    if not configured:
        message = "no timestamp authority is configured"
        raise ConfigurationError(message, remedy="set `timestamp` in [tool.hatch-sign], or give --timestamp URL")
    return configured


def _keys(configuration: Configuration, named: str | None, environment: Environment) -> Sequence[PublicKey]:
    """Return the keys that the trust rules, or the command line in their place, name; none where nobody is named."""
    from hatch_sign.configuration.adhoc import adhoc_trust  # noqa: PLC0415 - as above
    from hatch_sign.configuration.building import build_policy  # noqa: PLC0415 - as above

    verify = configuration.verify
    if named is not None:
        verify = replace(verify, trust=adhoc_trust(key=named, directory=environment.directory))
    if not verify.trust:
        return ()
    return build_policy(replace(configuration, verify=verify), environment.registry, at=environment.clock()).keys


def _document(report: StampingReport) -> dict[str, object]:
    return {
        "schema": "hatch-sign/timestamps/v1",
        "signatures": [outcome_document(outcome) for outcome in report.outcomes],
        "errors": [str(error) for error in report.failures],
    }
