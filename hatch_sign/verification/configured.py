"""Verify as a configuration says: whom it trusts, what it requires, and who is told."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from hatch_sign.artifacts.reading import NO_READINGS
from hatch_sign.values.display import display
from hatch_sign.values.errors import UsageError
from hatch_sign.verification.verifying import verify_release

if TYPE_CHECKING:
    from hatch_sign.artifacts.discovery import Artifact
    from hatch_sign.artifacts.reading import Readings
    from hatch_sign.configuration.model import Configuration
    from hatch_sign.registry import Registry
    from hatch_sign.trust.policy import Policy
    from hatch_sign.verification.presence import Present
    from hatch_sign.verification.reports import ArtifactReport


def verify_as_configured(  # noqa: PLR0913 - all but the first four may be left out
    artifacts: Sequence[Artifact],
    *,
    configuration: Configuration,
    registry: Registry,
    policy: Policy,
    bundles: Sequence[Present] = (),
    hashes: Collection[str] = (),
    readings: Readings = NO_READINGS,
    on_done: Callable[[], None] = lambda: None,
) -> tuple[ArtifactReport, ...]:
    """Return a report for each artifact, judged by `policy`, with what else `configuration` says of verifying.

    `hashes` are those of the artifacts that the caller wants to know; `readings` what it has read of them already.

    Raises what :func:`~hatch_sign.verification.verifying.verify_release` does.
    """
    return verify_release(
        artifacts,
        policy=policy,
        formats=registry.formats(),
        folder=configuration.output_directory,
        signatures=configuration.signature_names,
        bundles=bundles,
        contents=configuration.contents,
        hashes=hashes,
        readings=readings,
        on_done=on_done,
    )


def judged_by(configuration: Configuration, policy: Configuration | None) -> Configuration:
    """Return what to verify by: `policy` says whom to trust, where one is given, and `configuration` where files lie.

    Observers of either are told.
    """
    if policy is None:
        return configuration
    observers = tuple(dict.fromkeys([*configuration.observers, *policy.observers]))
    return replace(policy, output_directory=configuration.output_directory, observers=observers)


def tell_observers(reports: Sequence[ArtifactReport], configuration: Configuration, registry: Registry) -> None:
    """Tell the configured observers of every outcome. Raises HatchSignError for a veto."""
    observers = registry.observers(configuration.observers)
    for report in reports:
        for outcome in report.outcomes:
            observers.after_verify(outcome)


def refuse_foreign(configuration: Configuration, artifacts: Sequence[Artifact]) -> None:
    """Raise UsageError for a configuration that came along with the artifacts: it would say whom to trust."""
    path = configuration.path
    if path is not None and any(artifact.path.parent.resolve() == path.parent.resolve() for artifact in artifacts):
        message = f"{display(path)} lies in the folder of an artifact, which may have brought it along"
        raise UsageError(message, remedy=f"run elsewhere, or give --config {path.name} if it is yours")
