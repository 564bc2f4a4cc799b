"""Publish a release: copy it, verify the copy under the project's own policy, and send that copy to each destination."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_sign.artifacts.discovery import Artifact, find_artifacts
from hatch_sign.configuration.building import build_policy
from hatch_sign.contract import Previews
from hatch_sign.publishing.copying import PrivateCopy, private_copy
from hatch_sign.publishing.files import RELEASE_HASH, choose_files, find_signatures
from hatch_sign.publishing.reports import DestinationReport, Listener, PublishingReport
from hatch_sign.publishing.sending import Opening, drops_of, failed, publish_to
from hatch_sign.values.errors import HatchSignError
from hatch_sign.verification.configured import judged_by, refuse_foreign, tell_observers, verify_as_configured

if TYPE_CHECKING:
    from hatch_sign.configuration.model import Configuration
    from hatch_sign.contract import BackendContext, ReleaseFile, RevocationSource
    from hatch_sign.publishing.targets import Target
    from hatch_sign.registry import Registry
    from hatch_sign.trust.policy import Policy
    from hatch_sign.verification.reports import ArtifactReport


@dataclass(frozen=True, slots=True)
class Publishing:
    """All that a run needs beside the paths.

    `configuration` is the project's; `trust`, where it is given, is a configuration kept elsewhere, whose ``verify`` takes
    the place of the project's. `named` says that the user named the configuration, so that it may lie beside the
    artifacts. `revocations` may be asked what was taken back; without one, a rule that wants to know judges
    ``indeterminate``. A dry run opens no destination.
    """

    configuration: Configuration
    registry: Registry
    context: BackendContext
    targets: Sequence[Target]
    now: datetime
    trust: Configuration | None = None
    named: bool = False
    revocations: RevocationSource | None = None
    dry_run: bool = False

    @property
    def judging(self) -> Configuration:
        """The configuration to verify by: where signatures lie is the project's to say, whom to trust the policy's."""
        # As artifacts are found: no link and no ".." may make one folder two, or lead out of the private copy.
        output = self.configuration.output_directory
        output = None if output is None else Path(os.path.realpath(output))
        return replace(judged_by(self.configuration, self.trust), output_directory=output)


def publish_release(
    paths: Sequence[str | Path], publishing: Publishing, listener: Listener | None = None
) -> PublishingReport:
    """Publish what `paths` name, with every signature of it that is trusted, and report what became of each file.

    Every artifact is verified before any destination is opened, and what is sent is the very copy that was verified. Where
    one is rejected, nothing is sent; where a destination fails, the others have their turn: the report tells both,
    and raises nothing by itself. Raises what is wrong before that: UsageError, ConfigurationError, PluginError, SigningError
    for a file that changes, and the veto of an observer.
    """
    hear = listener or Listener()
    judging, registry = publishing.judging, publishing.registry
    policy = build_policy(judging, registry, at=publishing.now, revocations=publishing.revocations)
    artifacts = find_artifacts(paths, registry.formats().values())
    if not publishing.named:
        refuse_foreign(publishing.configuration, artifacts)
    hear.found(len(artifacts))
    signatures = find_signatures(artifacts, registry.formats(), judging)
    files = [*(artifact.path for artifact in artifacts), *(signature.path for signature in signatures)]
    with private_copy(files, _folders(artifacts, judging)) as copy:
        reports = _verify(artifacts, copy, publishing, policy, hear)
        report = PublishingReport(reports)
        if report.passed:
            report.files, report.withheld = choose_files(copy, reports, signatures)
        hear.verified(report)
        if report.passed:
            _publish(report, publishing, hear)
    return report


def _folders(artifacts: Sequence[Artifact], judging: Configuration) -> list[Path]:
    folders = [artifact.root for artifact in artifacts]
    return folders if judging.output_directory is None else [*folders, judging.output_directory]


def _verify(
    artifacts: Sequence[Artifact], copy: PrivateCopy, publishing: Publishing, policy: Policy, hear: Listener
) -> tuple[ArtifactReport, ...]:
    """Verify the copies, and report the originals: nobody knows where the copies are."""
    judging = publishing.judging
    if judging.output_directory is not None:
        judging = replace(judging, output_directory=copy.place_of(judging.output_directory))
    copies = [Artifact(copy.place_of(artifact.path), copy.place_of(artifact.root)) for artifact in artifacts]
    found = verify_as_configured(
        copies,
        policy=policy,
        configuration=judging,
        registry=publishing.registry,
        hashes=[RELEASE_HASH],
        on_done=hear.checked,
    )
    reports = tuple(_of_original(report, artifact, copy) for report, artifact in zip(found, artifacts, strict=True))
    tell_observers(reports, judging, publishing.registry)
    return reports


def _of_original(report: ArtifactReport, artifact: Artifact, copy: PrivateCopy) -> ArtifactReport:
    def original(place: str | None) -> str | None:
        return str(copy.original_of(Path(place))) if place else place

    outcomes = tuple(
        replace(outcome, sidecar=original(outcome.sidecar), over_list=original(outcome.over_list))
        for outcome in report.outcomes
    )
    return replace(report, artifact=artifact, outcomes=outcomes)


def _publish(report: PublishingReport, publishing: Publishing, hear: Listener) -> None:
    if publishing.dry_run:
        report.destinations += [_preview(target, report.files, publishing.context) for target in publishing.targets]
        return
    # Wrong settings of the last destination are told before the first has anything.
    openings = [_open(target, publishing.context) for target in publishing.targets]
    for opening in openings:
        destination = DestinationReport(opening.target.name, opening.target.publisher.name)
        report.destinations.append(destination)
        publish_to(opening, report.files, destination, hear)


def _open(target: Target, context: BackendContext) -> Opening:
    """Return what opens the destination. Raises ConfigurationError for settings that say nothing, as far as it can tell."""
    try:
        if isinstance(target.publisher, Previews):
            target.publisher.preview(target.settings, context)
        return Opening(target, target.publisher.open(target.settings, context))
    except HatchSignError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - as when it is published to
        raise failed(target.publisher.name, error) from None


def _preview(target: Target, files: Sequence[ReleaseFile], context: BackendContext) -> DestinationReport:
    report = DestinationReport(target.name, target.publisher.name)
    if not isinstance(target.publisher, Previews):
        return report
    try:
        preview = target.publisher.preview(target.settings, context)
        report.title = preview.title
        report.drops = drops_of(report, files, preview.drops)
    except HatchSignError as error:
        report.error = error
    except (Exception, SystemExit) as error:  # noqa: BLE001 - as when it is published to
        report.error = failed(report.publisher, error)
    return report
