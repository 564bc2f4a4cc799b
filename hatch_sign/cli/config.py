"""``hatch-sign config``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from hatch_sign.cli.commands import add_configuration_argument, add_json_argument
from hatch_sign.contract.references import without_query
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError

if TYPE_CHECKING:
    from hatch_sign.cli.console import Console
    from hatch_sign.cli.environment import Environment
    from hatch_sign.configuration.model import Configuration, ContentsSettings, SignatureSettings, TrustSettings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    summary = "read the configuration and every file that it names, and say what it means; opens no key"
    check = actions.add_parser("check", help=summary, description=f"{summary[0].upper()}{summary[1:]}.", allow_abbrev=False)
    add_configuration_argument(check)
    add_json_argument(check)


def run(arguments: argparse.Namespace, environment: Environment) -> int:
    """Check the configuration and sum it up. Raises ConfigurationError with every mistake."""
    configuration = environment.load_configuration(arguments)
    if configuration.path is None:
        message = f"{display(environment.directory)} holds no configuration"
        remedy = "write a table [tool.hatch-sign] in pyproject.toml, or a hatch-sign.toml, or name a file with --config"
        raise ConfigurationError(message, remedy=remedy)
    _check(configuration, environment)
    if arguments.json:
        environment.console.document(_document(configuration))
    else:
        _show(configuration, environment.console)
    return 0


def _check(configuration: Configuration, environment: Environment) -> None:
    """Look at everything that the configuration names; report all that is wrong together, else what to be warned of."""
    from hatch_sign.cli.config_checks import find_problems, find_warnings  # noqa: PLC0415 - after the file was found to be right

    at = environment.clock()
    if problems := find_problems(configuration, environment.registry, at=at):
        count = "a mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
        message = f"the configuration {display(configuration.path)} holds {count}"
        raise ConfigurationError(message, problems=problems)
    for warning in find_warnings(configuration, environment.registry, at=at):
        environment.console.warn(warning)


def _show(configuration: Configuration, console: Console) -> None:
    console.line(f"{display(configuration.path)}: no mistakes")
    for settings in configuration.signatures:
        console.line(f"signs {display(_what(', '.join(settings.include), settings))}")
    contents = configuration.contents
    if contents is not None and contents.signature is not None:
        left = f" (but not {', '.join(contents.exclude)})" if contents.exclude else ""
        what = f"{', '.join(contents.include)} inside wheels{left}"
        console.line(f"signs {display(_what(what, contents.signature))}")
    verify = configuration.verify
    console.line(f"requires {display(', '.join(verify.require))}")
    for rule in verify.trust:
        console.line(f"trusts {display(rule.label)}{display(_whom(rule))}{display(_scope(rule))}")
    for place in configuration.publish:
        console.line(f"publishes to {display(place.name)}" + (f" by {display(place.to)}" if place.to != place.name else ""))


def _what(files: str, settings: SignatureSettings) -> str:
    stamped = f", timestamped by {' or '.join(settings.timestamp)}" if settings.timestamp else ""
    optional = " where one of them answers" if settings.timestamp and settings.timestamp_optional else ""
    logged = f", logged by {' or '.join(settings.log)}" if settings.log else ""
    return f"{files} with {without_query(settings.key)} as {', '.join(settings.formats)}{stamped}{optional}{logged}"


def _whom(rule: TrustSettings) -> str:
    """Return what a rule demands of the signer beside what its label names: roots alone would be everybody."""
    return "".join(f" with {key} {rule.table[key]}" for key in ("subject", "issuer") if key in rule.table)


def _scope(rule: TrustSettings) -> str:
    parts = [f"for {', '.join(names)}" for names in (rule.formats, rule.artifacts, rule.signatures) if names]
    parts += [f"from {rule.not_before:%Y-%m-%d %H:%M:%SZ}"] if rule.not_before else []
    parts += [f"until {rule.not_after:%Y-%m-%d %H:%M:%SZ}"] if rule.not_after else []
    return "".join(f" {part}" for part in parts)


def _document(configuration: Configuration) -> dict[str, object]:
    return {
        "schema": "hatch-sign/configuration/v1",
        "configuration": str(configuration.path),
        "signatures": [_signature_document(settings) for settings in configuration.signatures],
        "contents": _contents_document(configuration.contents),
        "require": list(configuration.verify.require),
        "trust": [_rule_document(rule) for rule in configuration.verify.trust],
        "publish": [{"name": place.name, "publisher": place.to} for place in configuration.publish],
    }


def _signature_document(settings: SignatureSettings) -> dict[str, object]:
    return {
        "name": settings.name,
        "key": without_query(settings.key),
        "formats": list(settings.formats),
        "include": list(settings.include),
        "timestamp": list(settings.timestamp),
        "timestamp-optional": settings.timestamp_optional,
        "log": list(settings.log),
        "certificates": str(settings.certificates) if settings.certificates else None,
    }


def _contents_document(contents: ContentsSettings | None) -> dict[str, object] | None:
    if contents is None:
        return None
    return {
        "key": without_query(contents.key) if contents.key is not None else None,
        "formats": list(contents.formats),
        "include": list(contents.include),
        "exclude": list(contents.exclude),
        "timestamp": list(contents.timestamp),
        "timestamp-optional": contents.timestamp_optional,
        "certificates": str(contents.certificates) if contents.certificates else None,
        "replace-signatures": contents.replace_signatures,
    }


def _rule_document(rule: TrustSettings) -> dict[str, object]:
    return {
        "rule": rule.label,
        "kind": rule.kind,
        "subject": rule.table.get("subject"),
        "formats": list(rule.formats) if rule.formats else None,
        "artifacts": list(rule.artifacts) if rule.artifacts else None,
        "signatures": list(rule.signatures) if rule.signatures else None,
        "not-before": rule.not_before.isoformat() if rule.not_before else None,
        "not-after": rule.not_after.isoformat() if rule.not_after else None,
    }
