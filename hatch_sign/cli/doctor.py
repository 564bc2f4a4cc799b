"""``hatch-sign doctor``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from hatch_sign.cli.commands import add_configuration_argument, add_json_argument
from hatch_sign.revocation.asking import open_revocations
from hatch_sign.values.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hatch_sign.cli.console import Console
    from hatch_sign.cli.environment import Environment
    from hatch_sign.configuration.model import Configuration
    from hatch_sign.diagnosis.checks import Examination

_SCHEMA = "hatch-sign/diagnosis/v1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("uri", metavar="URI", nargs="?", help="a key's reference; default: every key of the configuration")
    parser.add_argument("--log-in", action="store_true", help="open the key: this tries the PIN")
    parser.add_argument("--test-signature", action="store_true", help="open the key, and sign random bytes")
    parser.add_argument("--spend-final-try", action="store_true", help="try the PIN even where a wrong one locks the token")
    add_configuration_argument(parser)
    add_json_argument(parser)


def run(arguments: argparse.Namespace, environment: Environment) -> int:
    """Examine the configuration and its keys, or one key; list what was found, and what to do."""
    from hatch_sign.diagnosis.checks import exit_code  # noqa: PLC0415 - after the arguments were found to be right

    examinations = list(_examine(arguments, environment))
    code = exit_code(examinations)
    if arguments.json:
        environment.console.document(_document(examinations, code))
    else:
        _show(environment.console, examinations)
    return code


def _examine(arguments: argparse.Namespace, environment: Environment) -> Iterator[Examination]:
    from hatch_sign.diagnosis.configuration import unreadable_configuration  # noqa: PLC0415 - as above

    configuration: Configuration | None = None
    try:
        configuration = environment.load_configuration(arguments)
    except ConfigurationError as error:
        yield unreadable_configuration(error)
    if arguments.uri is not None:
        yield from _examine_keys([arguments.uri], configuration, arguments, environment)
    elif configuration is not None:
        yield _examine_configuration(configuration, environment)
        keys = list(dict.fromkeys(settings.key for settings in configuration.signs))
        yield from _examine_keys(keys, configuration, arguments, environment)


def _examine_configuration(configuration: Configuration, environment: Environment) -> Examination:
    from hatch_sign.cli.config_checks import find_problems, find_warnings  # noqa: PLC0415 - as above
    from hatch_sign.diagnosis.configuration import examine_configuration  # noqa: PLC0415 - as above

    at, registry = environment.clock(), environment.registry
    problems = find_problems(configuration, registry, at=at)
    warnings = () if problems else tuple(find_warnings(configuration, registry, at=at))
    return examine_configuration(configuration, registry, problems=problems, warnings=warnings)


def _examine_keys(
    references: Sequence[str], configuration: Configuration | None, arguments: argparse.Namespace, environment: Environment
) -> Iterator[Examination]:
    from hatch_sign.custody.context import RunContext  # noqa: PLC0415 - as above
    from hatch_sign.custody.terminal import terminal_prompt  # noqa: PLC0415 - as above
    from hatch_sign.diagnosis.configuration import expected_of  # noqa: PLC0415 - as above
    from hatch_sign.diagnosis.credentials import Expected  # noqa: PLC0415 - as above
    from hatch_sign.diagnosis.keys import Means, Warnings, examine_key  # noqa: PLC0415 - as above

    warnings, prompt, now = Warnings(), terminal_prompt(), environment.clock()
    # One for all keys, so that a wrong PIN is tried once; its warnings become lines like all else.
    context = RunContext(
        environment.environ, prompt=prompt, on_warning=warnings.add, spend_final_try=arguments.spend_final_try
    )
    means = Means(
        environment.registry,
        context,
        warnings,
        log_in=arguments.log_in,
        test_signature=arguments.test_signature,
        can_ask=prompt is not None,
    )
    revocations = open_revocations(asked=configuration.verify.asks_for_revocations) if configuration else None
    for reference in references:
        known = Expected(now)
        if configuration is not None:
            known = expected_of(configuration, means.registry, reference, now=now, revocations=revocations)
        yield examine_key(reference, known, means)


def _show(console: Console, examinations: Sequence[Examination]) -> None:
    statuses = [check.symptom.status for examination in examinations for check in examination.checks]
    for examination in examinations:
        console.line(examination.about)
        symptoms = [check.symptom for check in examination.checks]
        rows = [(each.status, each.subject, each.found, each.remedy) for each in symptoms]
        console.table(("", "what", "found", "what to do"), rows)
    console.note(f"hatch-sign: failures: {statuses.count('failure')}, warnings: {statuses.count('warning')}")


def _document(examinations: Sequence[Examination], code: int) -> dict[str, object]:
    return {
        "schema": _SCHEMA,
        "examined": [_examination_document(each) for each in examinations],
        "exit-code": code,
    }


def _examination_document(examination: Examination) -> dict[str, object]:
    symptoms = [check.symptom for check in examination.checks]
    rows = [{"status": s.status, "subject": s.subject, "found": s.found, "remedy": s.remedy} for s in symptoms]
    return {"about": examination.about, "checks": rows}
