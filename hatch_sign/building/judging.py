"""Judge what was just signed by the policy that its consumers will have: the project's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from hatch_sign.revocation.asking import open_revocations
from hatch_sign.values.display import display
from hatch_sign.values.errors import RejectedError
from hatch_sign.values.outcomes import REJECTING, Outcome

if TYPE_CHECKING:
    from datetime import datetime

    from hatch_sign.artifacts.discovery import Artifact
    from hatch_sign.artifacts.reading import Readings
    from hatch_sign.configuration.model import Configuration
    from hatch_sign.registry import Registry
    from hatch_sign.signing.plan import SigningPlan
    from hatch_sign.trust.policy import Policy
    from hatch_sign.verification.reports import ArtifactReport


def load_policy(configuration: Configuration, registry: Registry, now: datetime) -> Policy | None:
    """Return whom the project trusts; None where it trusts nobody. Raises ConfigurationError."""
    if not configuration.verify.trust:
        return None
    from hatch_sign.configuration.building import build_policy  # noqa: PLC0415 - for projects that trust somebody only

    revocations = open_revocations(asked=configuration.verify.asks_for_revocations)
    return build_policy(configuration, registry, at=now, revocations=revocations)


def narrowed(policy: Policy | None, wanted: Callable[[str], bool]) -> Policy | None:
    """Return the policy with those of its requirements that are `wanted`; None where none is left."""
    require = tuple(name for name in policy.require if wanted(name)) if policy is not None else ()
    return replace(policy, require=require) if policy is not None and require else None


def judge_plan(plan: SigningPlan, policy: Policy | None, registry: Registry, readings: Readings) -> tuple[Outcome, ...]:
    """Return the verdicts on what a run has made; of what the policy requires besides, nothing is asked of that run.

    `readings` are those of the run: what has not changed since is not read again.
    Raises RejectedError for the first artifact that the policy rejects.
    """
    made = {file.format.name for file in plan.files} | {file.settings.name for file in plan.files}
    made |= {format_.name for planned in plan.contents for format_ in planned.formats}
    judging = narrowed(policy, made.__contains__)
    if judging is None:
        return ()
    touched = {artifact for file in plan.files for artifact in file.artifacts} | {each.artifact for each in plan.contents}
    artifacts = [artifact for artifact in plan.artifacts if artifact in touched]  # `include` may leave others alone
    return judge_signed(artifacts, plan.configuration, judging, registry, readings)


def judge_signed(
    artifacts: Sequence[Artifact], configuration: Configuration, policy: Policy, registry: Registry, readings: Readings
) -> tuple[Outcome, ...]:
    """Return the verdicts on artifacts that were signed, and of which `readings` may tell.

    Raises RejectedError for the first that the policy rejects.
    """
    from hatch_sign.verification.configured import verify_as_configured  # noqa: PLC0415 - for projects that trust somebody only

    reports = verify_as_configured(
        artifacts, configuration=configuration, registry=registry, policy=policy, readings=readings
    )
    for report in reports:
        if not report.passed:
            raise _rejected(report)
    return tuple(outcome for report in reports for outcome in report.outcomes)


def _rejected(report: ArtifactReport) -> RejectedError:
    message = f"{display(report.artifact.name)} was signed, and the project's own policy rejects it: {report.objections}"
    damaged = any(outcome.verdict in REJECTING for outcome in report.outcomes)
    trust = "sign with the key that [[tool.hatch-sign.verify.trust]] names, or mend the rule"
    return RejectedError(message, remedy="take away what is malformed, and build again" if damaged else trust)
