"""From what verifying found to what a report says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from hatch_sign.reporting.chains import Chains
from hatch_sign.reporting.material import describe_certificate, fingerprint, instant
from hatch_sign.reporting.model import ArtifactEntry, PolicyEntry, Report, RuleEntry, SignatureEntry
from hatch_sign.trust.certificate import CertificateKind
from hatch_sign.trust.pem import MARK
from hatch_sign.values.outcomes import Verdict

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from hatch_sign.configuration.model import TrustSettings, VerifySettings
    from hatch_sign.reporting.model import Circumstances
    from hatch_sign.trust.policy import Policy, ScopedRule
    from hatch_sign.values.outcomes import Outcome
    from hatch_sign.verification.reports import ArtifactReport


def gather_report(
    reports: Sequence[ArtifactReport], *, policy: Policy, verify: VerifySettings, circumstances: Circumstances
) -> Report:
    """Return what a report says of `reports`, which were judged by `policy`, as `verify` configures it.

    Certificates and timestamps are described whatever is wrong with them. Raises nothing.
    """
    chains = Chains(policy, {settings.label: settings.kind for settings in verify.trust})
    artifacts = tuple(_artifact(report, chains) for report in reports)
    return Report(
        circumstances=circumstances,
        passed=all(report.passed for report in reports),
        headline=_headline(reports),
        artifacts=artifacts,
        chains=chains.entries(),
        policy=_policy(policy, verify),
    )


def _headline(reports: Sequence[ArtifactReport]) -> str:
    total, rejected = len(reports), sum(not report.passed for report in reports)
    if not rejected:
        return "The artifact is trusted" if total == 1 else f"All {total} artifacts are trusted"
    if rejected == total:
        return "The artifact is rejected" if total == 1 else f"All {total} artifacts are rejected"
    return f"{rejected} of {total} artifacts {'is' if rejected == 1 else 'are'} rejected"


def _artifact(report: ArtifactReport, chains: Chains) -> ArtifactEntry:
    subject = report.subject
    digest = subject.digests.get("sha256") if subject is not None else None
    sha256 = digest.hex() if digest is not None else None
    return ArtifactEntry(
        name=report.artifact.name_below(report.artifact.root),
        passed=report.passed,
        size=subject.size if subject is not None else None,
        sha256=sha256,
        signatures=tuple(_signature(outcome, sha256, chains) for outcome in report.outcomes),
    )


def _signature(outcome: Outcome, sha256: str | None, chains: Chains) -> SignatureEntry:
    claim = outcome.grounds.claim if outcome.grounds is not None else ""
    return SignatureEntry(
        artifact=outcome.artifact,
        member=outcome.member or "",
        signature=outcome.signature,
        format=outcome.format,
        verdict=outcome.verdict.value,
        trusted=outcome.verdict is Verdict.TRUSTED,
        matters=outcome.verdict is not Verdict.NOT_APPLICABLE,
        signer=outcome.signer or "",
        time=instant(outcome.time) if outcome.time is not None else "",
        file=_file(outcome),
        detail=outcome.detail,
        claim=claim,
        warnings=outcome.warnings,
        chain=chains.add(outcome, sha256),
    )


def _file(outcome: Outcome) -> str:
    names = (outcome.sidecar, outcome.over_list)
    return ", signed in ".join(name.replace("\\", "/").rpartition("/")[2] for name in names if name is not None)


def _policy(policy: Policy, verify: VerifySettings) -> PolicyEntry:
    rules = zip(verify.trust, policy.rules, strict=True)
    return PolicyEntry(
        require=policy.require,
        rules=tuple(RuleEntry(settings.label, tuple(_settings(settings, scoped))) for settings, scoped in rules),
        timestamp_roots=tuple(describe_certificate(root, "timestamp root") for root in policy.timestamp_roots),
    )


def _settings(settings: TrustSettings, scoped: ScopedRule) -> Iterable[tuple[str, str]]:
    """Give a rule's settings under the names that the configuration has for them, then what its files hold."""
    yield "kind", settings.kind
    for name, value in settings.table.items():
        yield name, _written(value)
    for name, among in (
        ("formats", settings.formats),
        ("artifacts", settings.artifacts),
        ("signatures", settings.signatures),
    ):
        if among is not None:
            yield name, ", ".join(among)
    for name, moment in (("not-before", settings.not_before), ("not-after", settings.not_after)):
        if moment is not None:
            yield name, instant(moment)
    for key in scoped.rule.keys:
        yield "key, SHA-256", fingerprint(key)
    for root in _roots(settings, scoped):
        described = describe_certificate(root, "root")
        yield "root", f"{described.subject}; SHA-256 {described.sha256}"


def _roots(settings: TrustSettings, scoped: ScopedRule) -> Sequence[Certificate]:
    """Return the roots of a rule that has some; what rules of plugins hold is their own matter."""
    if settings.kind != CertificateKind.name:
        return ()
    from hatch_sign.trust.certificate_rule import CertificateRule  # noqa: PLC0415 - 60 ms of imports, which such a rule has cost

    return scoped.rule.roots if isinstance(scoped.rule, CertificateRule) else ()


def _written(value: object) -> str:
    if isinstance(value, str):
        return "PEM, in the configuration itself" if MARK in value else value
    if isinstance(value, list | tuple):
        return ", ".join(_written(each) for each in value)
    return str(value).lower() if isinstance(value, bool) else str(value)
