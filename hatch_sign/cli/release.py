"""``hatch-sign release``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from hatch_sign.cli.commands import add_configuration_argument, add_json_argument, add_policy_argument
from hatch_sign.cli.outcomes import report_document
from hatch_sign.revocation.asking import open_revocations
from hatch_sign.values.display import display

if TYPE_CHECKING:
    from hatch_sign.cli.console import Console
    from hatch_sign.cli.environment import Environment
    from hatch_sign.releasing.checks import ReleaseReport
    from hatch_sign.releasing.run import Gate

_FOLDER = "dist"
_GRAVITY = ("ok", "warning", "failure")
_CHECK = "check that a release is complete, is its tag's, comes from a clean commit, is signed and trusted, and alone"
_HOOK = "print a pre-push script for git, which checks release tags that are pushed alone, too"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    check = actions.add_parser("check", help=_CHECK, description=f"{_CHECK[0].upper()}{_CHECK[1:]}.", allow_abbrev=False)
    _add_folder(check)
    check.add_argument("--tag", metavar="TAG", help="the tag of the release; default: the one at the commit")
    add_policy_argument(check)
    check.add_argument("--offline", action="store_true", help="fetch no revocation lists; nothing else asks a network")
    add_configuration_argument(check)
    add_json_argument(check)
    hook = actions.add_parser("hook", help=_HOOK, description=f"{_HOOK[0].upper()}{_HOOK[1:]}.", allow_abbrev=False)
    _add_folder(hook)
    add_configuration_argument(hook)


def run(arguments: argparse.Namespace, environment: Environment) -> int:
    """Check, and list what was found; exit 0 where the release may leave. Or print the hook."""
    return _print_hook(arguments, environment) if arguments.action == "hook" else _check(arguments, environment)


def _add_folder(parser: argparse.ArgumentParser) -> None:
    where = f"the folder that holds the release and nothing else; default: {_FOLDER}"
    parser.add_argument("folder", metavar="DIST", nargs="?", help=where)


def _print_hook(arguments: argparse.Namespace, environment: Environment) -> int:
    from hatch_sign.releasing.pre_push import encode_hook, find_place  # noqa: PLC0415 - after the arguments were found to be right

    configuration = environment.load_configuration(arguments, signs=False)
    script = encode_hook(
        tag=configuration.release.tag,
        folder=arguments.folder or "",
        configuration=arguments.config or "",
        place=find_place(environment.directory, environment.environ),
    )
    environment.console.script(script)
    return 0


def _check(arguments: argparse.Namespace, environment: Environment) -> int:
    from hatch_sign.releasing.run import check_release  # noqa: PLC0415 - as above

    gate = _gate(arguments, environment)
    report = check_release(environment.directory / (arguments.folder or _FOLDER), gate, tag=arguments.tag)
    if arguments.json:
        environment.console.document(_document(gate, report))
    else:
        _show(gate, report, environment.console)
    return report.exit_code


def _gate(arguments: argparse.Namespace, environment: Environment) -> Gate:
    from hatch_sign.releasing.run import Gate  # noqa: PLC0415 - as above

    configuration = environment.load_configuration(arguments, signs=False)
    trust = environment.load_policy(arguments)
    return Gate(
        configuration=configuration,
        registry=environment.registry,
        environ=environment.environ,
        now=environment.clock(),
        trust=trust,
        named=arguments.config is not None,
        revocations=open_revocations(asked=(trust or configuration).verify.asks_for_revocations, offline=arguments.offline),
    )


def _show(gate: Gate, report: ReleaseReport, console: Console) -> None:
    console.note(f"hatch-sign: trust from {display(gate.judging.path)}")
    checks = sorted(report.checks, key=lambda check: _GRAVITY.index(check.status))  # what stops it stands beside the end
    rows = [(each.status, each.subject, each.found, _expected(each.expected), each.remedy) for each in checks]
    console.table(("", "what", "found", "expected", "what to do"), rows)
    failed = sum(check.status == "failure" for check in report.checks)
    if failed:
        console.error(f"{display(report.folder)} is not to be released: {failed} of {len(report.checks)} checks failed")
    else:
        console.note(f"hatch-sign: {display(', '.join(report.names))} {display(report.version)} may be released")


def _expected(text: str) -> str:
    return f"expected {text}" if text else ""


def _document(gate: Gate, report: ReleaseReport) -> dict[str, object]:
    return {
        "schema": "hatch-sign/release-check/v1",
        "configuration": str(gate.configuration.path) if gate.configuration.path else None,
        "policy": str(gate.trust.path) if gate.trust is not None else None,
        "folder": str(report.folder),
        "name": report.names[0] if len(report.names) == 1 else None,
        "names": list(report.names),
        "version": report.version,
        "tag": report.tag,
        "commit": report.commit,
        "passed": report.passed,
        "checks": [
            {
                "status": check.status,
                "subject": check.subject,
                "found": check.found,
                "expected": check.expected,
                "remedy": check.remedy,
            }
            for check in report.checks
        ],
        "artifacts": [report_document(each) for each in report.artifacts],
    }
