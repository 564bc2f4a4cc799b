"""``hatch-sign verify``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_sign import __version__
from hatch_sign.artifacts.discovery import find_artifacts
from hatch_sign.cli.commands import add_configuration_argument, add_json_argument, add_policy_argument
from hatch_sign.cli.outcomes import report_document, show_outcomes
from hatch_sign.cli.reports import REPORT_HASHES, add_report_argument, digest_of_policy, require_free_targets, write_reports
from hatch_sign.revocation.asking import open_revocations
from hatch_sign.values.display import display
from hatch_sign.values.errors import UsageError

if TYPE_CHECKING:
    from hatch_sign.cli.environment import Environment
    from hatch_sign.configuration.model import Configuration
    from hatch_sign.trust.policy import Policy
    from hatch_sign.verification.reports import ArtifactReport


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("paths", metavar="PATH", nargs="+", help="a file, a folder of artifacts, or a pattern")
    trust = parser.add_argument_group("trust, in place of the configured rules")
    trust.add_argument("--key", metavar="PEM", dest="public_key", help="the public key to trust")
    trust.add_argument("--certificate-roots", metavar="PEM", help="roots of certificates to trust; needs --subject")
    trust.add_argument("--subject", metavar="DN", help="the whole subject of the certificate, as RFC 4514 writes it")
    trust.add_argument("--timestamp-roots", metavar="PEM", help="roots of timestamp authorities to believe")
    trust.add_argument("--cert-identity", metavar="ID", help="the identity in a Fulcio certificate")
    trust.add_argument("--cert-oidc-issuer", metavar="URL", help="the issuer that vouched for the identity")
    trust.add_argument(
        "--trusted-root", metavar="FILE", help="the trusted root of the Sigstore instance; default: production"
    )
    required = "a format or signature that must be trusted; repeat for several; default: as configured"
    parser.add_argument("--require", metavar="NAME", action="append", help=required)
    parser.add_argument("--bundle", metavar="FILE", help="the signature file of the one artifact, where it lies elsewhere")
    add_policy_argument(parser)
    parser.add_argument("--offline", action="store_true", help="fetch no revocation lists; nothing else asks a network")
    parser.add_argument("--at", metavar="TIME", type=_instant, help="judge as of this time, in UTC: 2027-01-31T12:00")
    add_report_argument(parser)
    add_configuration_argument(parser)
    add_json_argument(parser)


def run(arguments: argparse.Namespace, environment: Environment) -> int:
    """Verify, and list every signature; exit 0 where each artifact passes, 1 where one does not."""
    configuration = _with_arguments(environment, arguments)
    digest = digest_of_policy(configuration) if arguments.reports else None
    policy, reports = _verify(configuration, arguments, environment)
    try:
        if arguments.reports:
            _write_reports(configuration, policy, reports, arguments, environment, digest=digest)
    finally:  # a full disk hides no verdict
        if arguments.json:
            environment.console.document(_document(configuration, reports))
        else:
            _show(configuration, reports, environment)
    return 0 if all(report.passed for report in reports) else 1


def _verify(
    configuration: Configuration, arguments: argparse.Namespace, environment: Environment
) -> tuple[Policy, tuple[ArtifactReport, ...]]:
    from hatch_sign.configuration.building import build_policy  # noqa: PLC0415 - after the arguments were found to be right
    from hatch_sign.verification.configured import refuse_foreign, tell_observers, verify_as_configured  # noqa: PLC0415 - as above
    from hatch_sign.verification.presence import load_named  # noqa: PLC0415 - as above

    formats = environment.registry.formats()
    revocations = open_revocations(asked=configuration.verify.asks_for_revocations, offline=arguments.offline)
    at = arguments.at or environment.clock()
    policy = build_policy(configuration, environment.registry, at=at, revocations=revocations)
    artifacts = find_artifacts(arguments.paths, formats.values())
    if not (arguments.config or arguments.policy):
        refuse_foreign(configuration, artifacts)
    require_free_targets(arguments.reports, arguments.paths, artifacts, formats.values())
    if arguments.bundle and len(artifacts) != 1:
        message = f"--bundle belongs to one artifact, and {len(artifacts)} are named"
        raise UsageError(message, remedy="name one artifact")
    with environment.console.progress("verifying", len(artifacts)) as progress:
        reports = verify_as_configured(
            artifacts,
            policy=policy,
            configuration=configuration,
            registry=environment.registry,
            bundles=[load_named(Path(arguments.bundle), formats.values())] if arguments.bundle else [],
            hashes=REPORT_HASHES if arguments.reports or arguments.json else (),
            on_done=progress.advance,
        )
    tell_observers(reports, configuration, environment.registry)
    return policy, reports


def _write_reports(
    configuration: Configuration,
    policy: Policy,
    reports: Sequence[ArtifactReport],
    arguments: argparse.Namespace,
    environment: Environment,
    *,
    digest: str | None,
) -> None:
    from hatch_sign.reporting.model import Circumstances  # noqa: PLC0415 - as above

    document = _document(configuration, reports)
    circumstances = Circumstances(
        version=__version__,
        written_at=environment.clock(),
        judged_at=policy.at,
        exit_code=0 if document["passed"] else 1,
        policy_path=str(configuration.path) if configuration.path else None,
        policy_sha256=digest,
    )
    write_reports(
        arguments.reports,
        reports,
        policy=policy,
        configuration=configuration,
        circumstances=circumstances,
        document=document,
    )


def _with_arguments(environment: Environment, arguments: argparse.Namespace) -> Configuration:
    """Let the command line take the place of the configured trust, never add to it."""
    from hatch_sign.configuration.adhoc import adhoc_trust  # noqa: PLC0415 - as above
    from hatch_sign.verification.configured import judged_by  # noqa: PLC0415 - as above

    project = environment.load_configuration(arguments, signs=False)
    configuration = judged_by(project, environment.load_policy(arguments))
    verify = configuration.verify
    trust = adhoc_trust(
        key=arguments.public_key,
        certificate_roots=arguments.certificate_roots,
        subject=arguments.subject,
        identity=arguments.cert_identity,
        issuer=arguments.cert_oidc_issuer,
        trusted_root=arguments.trusted_root,
        directory=environment.directory,
    )
    if trust:
        verify = replace(verify, trust=trust, require=verify.require or ("sigstore",))
    if arguments.timestamp_roots:
        verify = replace(verify, timestamp_roots=environment.directory / arguments.timestamp_roots)
    if arguments.require:
        verify = replace(verify, require=_known(arguments.require, configuration, environment))
    return replace(configuration, verify=verify)


def _known(names: Sequence[str], configuration: Configuration, environment: Environment) -> tuple[str, ...]:
    """Return names that formats or signatures have. Raises for others: nothing could ever satisfy them."""
    for name in names:
        if name not in configuration.signature_names:
            environment.registry.format(name)
    return tuple(names)


def _show(configuration: Configuration, reports: Sequence[ArtifactReport], environment: Environment) -> None:
    environment.console.note(f"hatch-sign: trust from {_source_of_trust(configuration)}")
    show_outcomes(environment.console, [outcome for report in reports for outcome in report.outcomes])
    rejected = [report for report in reports if not report.passed]
    for report in rejected:
        environment.console.error(f"{display(report.artifact.path)} is rejected")
    if not rejected:
        count = "1 artifact is" if len(reports) == 1 else f"{len(reports)} artifacts are"
        environment.console.note(f"hatch-sign: {count} trusted")


def _source_of_trust(configuration: Configuration) -> str:
    labels = [rule.label for rule in configuration.verify.trust if rule.label.startswith("--")]
    return ", ".join(labels) or display(configuration.path)


def _document(configuration: Configuration, reports: Sequence[ArtifactReport]) -> dict[str, object]:
    return {
        "schema": "hatch-sign/verification/v1",
        "configuration": str(configuration.path) if configuration.path else None,
        "passed": all(report.passed for report in reports),
        "artifacts": [{**report_document(report), **_content(report)} for report in reports],
    }


def _content(report: ArtifactReport) -> dict[str, object]:
    """Return what bytes were verified, so that a document that is kept says of what it speaks."""
    subject = report.subject
    digest = subject.digests.get("sha256") if subject is not None else None
    return {"size": subject.size if subject is not None else None, "sha256": digest.hex() if digest is not None else None}


def _instant(text: str) -> datetime:
    """Parse a time for argparse, and return it in UTC."""
    try:
        instant = datetime.fromisoformat(text)
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # OverflowError: the first or last day there is, in another zone
        message = f"{display(text)!r} is no time of ISO 8601, such as 2027-01-31T12:00:00"
        raise argparse.ArgumentTypeError(message) from None
