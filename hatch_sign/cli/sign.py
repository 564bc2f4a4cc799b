"""``hatch-sign sign``."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hatch_sign.artifacts.discovery import find_artifacts
from hatch_sign.cli.commands import add_configuration_argument, add_json_argument
from hatch_sign.cli.outcomes import outcome_document, show_outcomes
from hatch_sign.values.display import display
from hatch_sign.values.errors import HatchSignError

if TYPE_CHECKING:
    from hatch_sign.cli.environment import Environment
    from hatch_sign.configuration.model import Configuration, ContentsSettings
    from hatch_sign.signing.plan import SigningPlan
    from hatch_sign.signing.run import SigningReport
    from hatch_sign.trust.policy import Policy


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("paths", metavar="PATH", nargs="+", help="a file, a folder of artifacts, or a pattern")
    parser.add_argument("--key", metavar="URI", help="the key or identity, such as emulated:TOKEN/KEY or sigstore:")
    parser.add_argument("--certificates", metavar="PEM", help="the certificate chain of the key, leaf first")
    parser.add_argument(
        "--format", dest="formats", metavar="NAME", action="append", help="such as sigstore or cms; repeat for several"
    )
    parser.add_argument("--timestamp", metavar="URL", action="append", help="an RFC 3161 authority; tried in order")
    optional = "sign all the same, with a warning, where no authority answers"
    parser.add_argument("--timestamp-optional", action="store_const", const=True, help=optional)
    identity = "where the token of an identity is (env:NAME or file:PATH); default: as the environment or the build has it"
    parser.add_argument("--identity-token", metavar="SOURCE", help=identity)
    parser.add_argument("--log", metavar="URL", action="append", help="a Rekor transparency log; tried in order")
    inside = "sign the binaries inside wheels first, as [tool.hatch-sign.contents] says or by its defaults"
    parser.add_argument("--contents", action="store_true", help=inside)
    parser.add_argument("--output-directory", metavar="DIR", help="where signatures go; default: beside each artifact")
    parser.add_argument("--overwrite", action="store_true", help="replace signatures that are there already")
    parser.add_argument("--dry-run", action="store_true", help="say what would be signed, by which key, into which files")
    parser.add_argument("--spend-final-try", action="store_true", help="try the PIN even where a wrong one locks the token")
    add_configuration_argument(parser)
    add_json_argument(parser)


def run(arguments: argparse.Namespace, environment: Environment) -> int:
    """Sign, check what was signed, and list it."""
    from hatch_sign.signing.plan import plan_release  # noqa: PLC0415 - after the arguments were found to be right

    configuration = environment.load_configuration(arguments)
    if arguments.identity_token is not None:
        configuration = _with_token_source(configuration, arguments.identity_token, environment)
    if arguments.contents and configuration.contents is None:
        configuration = replace(configuration, contents=_default_contents(configuration))
    artifacts = find_artifacts(arguments.paths, environment.registry.formats().values())
    plan = plan_release(configuration, artifacts, environment.registry)
    if arguments.dry_run:
        _show_plan(plan, environment, as_json=arguments.json)
        return 0
    policy = _load_policy(configuration, environment)
    report = _sign(plan, arguments, environment)
    rejection = _settle(plan, report, policy, arguments, environment)
    if arguments.json:
        environment.console.document(_document(plan, report, rejection))
    else:
        show_outcomes(environment.console, report.outcomes)
    report.raise_failure()
    if rejection is not None:
        raise rejection
    return 0


def _with_token_source(configuration: Configuration, source: str, environment: Environment) -> Configuration:
    from hatch_sign.cli.identity_tokens import with_token_source  # noqa: PLC0415 - where it is asked for only

    return with_token_source(configuration, source, environment.registry)


def _default_contents(configuration: Configuration) -> ContentsSettings:
    from hatch_sign.configuration.contents import default_contents  # noqa: PLC0415 - where it is asked for only

    return default_contents(configuration.signatures)


def _sign(plan: SigningPlan, arguments: argparse.Namespace, environment: Environment) -> SigningReport:
    from hatch_sign.signing.describing import with_provenance  # noqa: PLC0415 - a dry run does not need it
    from hatch_sign.signing.existing import Overwrite  # noqa: PLC0415 - as above
    from hatch_sign.signing.run import sign_release  # noqa: PLC0415 - as above

    context = environment.context(spend_final_try=arguments.spend_final_try)
    now = environment.clock()
    with environment.console.progress("signing", len(plan.files)) as progress:
        return sign_release(
            with_provenance(plan, environment.environ, now),
            registry=environment.registry,
            context=context,
            now=now,
            overwrite=Overwrite.ALWAYS if arguments.overwrite else Overwrite.REFUSE,
            on_done=progress.advance,
            on_failure=context.stop,
        )


def _load_policy(configuration: Configuration, environment: Environment) -> Policy | None:
    """Return whom the project trusts, before any key is opened: what it says may be wrong."""
    from hatch_sign.building.judging import load_policy  # noqa: PLC0415 - a dry run does not need it

    return load_policy(configuration, environment.registry, environment.clock())


def _settle(
    plan: SigningPlan, report: SigningReport, policy: Policy | None, arguments: argparse.Namespace, environment: Environment
) -> HatchSignError | None:
    """Return why the project itself would reject what was signed; None where it would not, or nothing is complete."""
    from hatch_sign.building.settling import settle  # noqa: PLC0415 - a dry run does not need it

    if report.failures:
        return None
    try:
        removed = settle(plan, policy, environment.registry, readings=report.readings, remove=arguments.overwrite)
    except HatchSignError as error:
        return error
    for path in removed:
        environment.console.note(f"removed {display(path.name)}: it was over older bytes")
    return None


def _planned_files(plan: SigningPlan) -> list[dict[str, Any]]:
    """Return the files that hold signatures, as the published schemas have them: those inside artifacts first."""
    inside = [
        {
            "artifacts": [planned.artifact.name],
            "format": format_.name,
            "key": planned.settings.key.partition("?")[0],
            "file": str(planned.artifact.path),
            "contents": planned.is_archive,
        }
        for planned in plan.contents
        for format_ in planned.formats
    ]
    beside = [
        {
            "artifacts": [artifact.name for artifact in file.artifacts],
            "format": file.format.name,
            "key": file.settings.key.partition("?")[0],
            "file": str(file.path),
            "contents": False,
        }
        for file in plan.files
    ]
    return [*inside, *beside]


def _show_plan(plan: SigningPlan, environment: Environment, *, as_json: bool) -> None:
    rows = _planned_files(plan)
    if as_json:
        environment.console.document({"schema": "hatch-sign/plan/v1", "files": rows})
        return
    patterns = display(_patterns(plan.configuration.contents))
    for row in rows:
        names = row["artifacts"]
        what = display(names[0] if len(names) == 1 else f"{len(names)} artifacts")
        how = f"with {display(row['key'])} as {row['format']}"
        if row["contents"]:
            environment.console.line(f"would sign what is inside {what} ({patterns}) {how}")
        else:
            environment.console.line(f"would sign {what} {how} into {display(row['file'])}")


def _patterns(contents: ContentsSettings | None) -> str:
    """Return what is signed inside archives, as a phrase."""
    if contents is None:
        return ""
    included, excluded = ", ".join(contents.include), ", ".join(contents.exclude)
    return f"{included}, but not {excluded}" if excluded else included


def _document(plan: SigningPlan, report: SigningReport, rejection: HatchSignError | None) -> dict[str, object]:
    return {
        "schema": "hatch-sign/signing/v1",
        "release": {"name": plan.release.name, "version": plan.release.version} if plan.release else None,
        "artifacts": [{"name": artifact.name, "path": str(artifact.path)} for artifact in plan.artifacts],
        "files": _planned_files(plan),
        "signatures": [outcome_document(outcome) for outcome in report.outcomes],
        "errors": [str(error) for error in (*report.failures, *filter(None, [rejection]))],
    }
