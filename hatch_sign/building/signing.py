"""Sign what was just built, and judge it at once by the policy that its consumers will have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_sign.artifacts.discovery import find_artifacts
from hatch_sign.building.judging import judge_signed, load_policy, narrowed
from hatch_sign.building.places import anchored, is_unpacked_sdist
from hatch_sign.building.stale import find_stale, remove_signature
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError

if TYPE_CHECKING:
    from datetime import datetime

    from hatch_sign.configuration.model import Configuration
    from hatch_sign.custody.context import RunContext
    from hatch_sign.registry import Registry
    from hatch_sign.trust.policy import Policy
    from hatch_sign.values.outcomes import Outcome

_WHOLE_RELEASE = frozenset({"aggregate", "manifest"})
"""Kinds of format that cover all artifacts at once: a build sees one at a time, and never knows the last."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """All that signing needs and that can be wrong before anything is built.

    `configuration` signs with what a build can make; `deferred` are the configured formats that it cannot. `policy` is None
    where the project trusts nobody, and then nothing is judged.
    """

    configuration: Configuration
    deferred: tuple[str, ...]
    policy: Policy | None
    registry: Registry


def prepare(root: Path, project: Path, environ: Mapping[str, str], registry: Registry, now: datetime) -> Preparation:
    """Load the configuration of the project at `root`, its formats and its trust; outputs go below `project`.

    Raises ConfigurationError, which says so where a file may be missing because it was not put into the sdist, or
    PluginError.
    """
    try:
        configuration = load_anchored(root, project, environ, registry)
        policy = load_policy(configuration, registry, now)
        _require_credentials(configuration)
    except ConfigurationError as error:
        if is_unpacked_sdist(root):
            hint = "this is built from an sdist, so the sdist must include each file that is named"
            place = "[tool.hatch.build.targets.sdist], MANIFEST.in or the like"
            error.remedy = "; ".join(filter(None, [error.remedy, f"{hint}: see {place}"]))
        raise
    deferred = _deferred(configuration, registry)
    kept = _without(configuration, deferred, registry)
    return Preparation(kept, deferred, _narrowed(policy, configuration, deferred), registry)


def load_anchored(root: Path, project: Path, environ: Mapping[str, str], registry: Registry) -> Configuration:
    """Load the configuration of the project at `root`, with its outputs below `project`. Raises ConfigurationError."""
    from hatch_sign.configuration.loading import Overrides, find_configuration, load_configuration  # noqa: PLC0415 - cheap to import without

    path = find_configuration(root, None)
    configuration = load_configuration(path, directory=root, environ=environ, overrides=Overrides(), registry=registry)
    return anchored(configuration, root, project)


def sign_built(
    preparation: Preparation, built: Path, *, folders: Sequence[Path], context: RunContext, now: datetime
) -> tuple[tuple[Outcome, ...], tuple[Path, ...]]:
    """Sign the artifact at `built`, or all in that folder; return what was found, and the stale files that were removed.

    `folders` are where signatures may lie besides the artifacts' own. Raises HatchSignError where anything is not signed,
    or is signed in a way that the project's own policy rejects.
    """
    from hatch_sign.signing.describing import with_provenance  # noqa: PLC0415 - a build that fails early does not need it
    from hatch_sign.signing.existing import Overwrite  # noqa: PLC0415 - as above
    from hatch_sign.signing.plan import plan_release  # noqa: PLC0415 - as above
    from hatch_sign.signing.run import sign_release  # noqa: PLC0415 - as above

    formats = preparation.registry.formats()
    artifacts = find_artifacts([built], formats.values())
    plan = plan_release(preparation.configuration, artifacts, preparation.registry)
    report = sign_release(
        with_provenance(plan, context.environ, now),
        registry=preparation.registry,
        context=context,
        now=now,
        overwrite=Overwrite.OTHER,
        on_failure=context.stop,
    )
    report.raise_failure()
    paths, fresh = [artifact.path for artifact in artifacts], {file.path for file in plan.files}
    stale = find_stale(paths, formats, folders, fresh=fresh, readings=report.readings)
    removed = tuple(file for path in stale for file in remove_signature(path, formats))
    if preparation.policy is None:
        return report.outcomes, removed
    configuration, policy = preparation.configuration, preparation.policy
    return judge_signed(artifacts, configuration, policy, preparation.registry, report.readings), removed


def _require_credentials(configuration: Configuration) -> None:
    """Raise ConfigurationError for what would only be missed after the build."""
    where = display(configuration.path or configuration.directory)
    if not configuration.signatures:
        message = f"{where}: no key is configured to sign the build"
        raise ConfigurationError(message, remedy="set `key` in [tool.hatch-sign], or HATCH_SIGN_KEY")
    chains = {settings.certificates for settings in configuration.signs if settings.certificates is not None}
    missing = [display(path) for path in sorted(chains) if not path.is_file()]
    if missing:
        message = f"{where}: certificates: {', '.join(missing)} does not exist"
        raise ConfigurationError(message, remedy="name a PEM file, leaf first")


def _deferred(configuration: Configuration, registry: Registry) -> tuple[str, ...]:
    names = dict.fromkeys(name for settings in configuration.signatures for name in settings.formats)
    return tuple(name for name in names if registry.format(name).kind in _WHOLE_RELEASE)


def _without(configuration: Configuration, deferred: Iterable[str], registry: Registry) -> Configuration:
    """Return the configuration without the formats; and without logs where only those had a place for their entries."""
    kept = tuple(
        replace(settings, formats=formats, log=settings.log if _carry_log_entries(formats, registry) else ())
        for settings in configuration.signatures
        if (formats := tuple(name for name in settings.formats if name not in deferred))
    )
    if not kept:
        message = f"a build can make none of the configured formats ({', '.join(map(display, deferred))})"
        remedy = "add one for each artifact, such as `sigstore`; or build without signing and run `hatch-sign sign dist/`"
        raise ConfigurationError(message, remedy=remedy)
    return replace(configuration, signatures=kept)


def _carry_log_entries(formats: Iterable[str], registry: Registry) -> bool:
    return any(registry.format(name).carries_log_entries for name in formats)


def _narrowed(policy: Policy | None, configuration: Configuration, deferred: Iterable[str]) -> Policy | None:
    """Return the policy without what it requires of the whole release; None where it requires nothing else."""
    later = set(deferred)
    later |= {settings.name for settings in configuration.signatures if settings.name and later.issuperset(settings.formats)}
    return narrowed(policy, lambda name: name not in later)
