"""Hold a folder against everything that a release must be; each check is made, whatever the others found."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_sign.artifacts.discovery import find_artifacts
from hatch_sign.configuration.building import build_policy
from hatch_sign.releasing.checks import ReleaseReport
from hatch_sign.releasing.folder import check_complete, check_identity, check_names, check_nothing_else, sort_out
from hatch_sign.releasing.origin import check_commit, check_provenance, check_tag, choose_tag, find_origin
from hatch_sign.releasing.signatures import (
    check_ends,
    check_signatures,
    check_timestamps,
    claimed_sources,
    signature_files,
)
from hatch_sign.releasing.tags import short_tag, version_in
from hatch_sign.releasing.tree import check_tree
from hatch_sign.values.display import display
from hatch_sign.values.errors import UsageError
from hatch_sign.verification.configured import judged_by, refuse_foreign, tell_observers, verify_as_configured

if TYPE_CHECKING:
    from hatch_sign.configuration.model import Configuration
    from hatch_sign.contract import RevocationSource
    from hatch_sign.registry import Registry


@dataclass(frozen=True, slots=True)
class Gate:
    """All that is needed beside the folder and the tag.

    `configuration` is the project's; `trust`, where it is given, is a configuration kept elsewhere, whose ``verify`` takes
    the place of the project's. `named` says that the user named the configuration, so that it may lie beside the
    artifacts. `environ` is where git is found.
    """

    configuration: Configuration
    registry: Registry
    environ: Mapping[str, str]
    now: datetime
    trust: Configuration | None = None
    named: bool = False
    revocations: RevocationSource | None = None

    @property
    def judging(self) -> Configuration:
        """The configuration to verify by: files lie where the project's says, and observers of either are told."""
        return judged_by(self.configuration, self.trust)


def check_release(
    folder: Path, gate: Gate, *, tag: str | None = None, on_done: Callable[[], None] = lambda: None
) -> ReleaseReport:
    """Return what was found of the release in `folder`, under `tag`, or under one that the commit has.

    Raises what keeps it from looking: UsageError for a folder without artifacts, ConfigurationError, PluginError,
    SigningError for a file that changes meanwhile, and the veto of an observer.
    """
    configuration, formats = gate.configuration, gate.registry.formats()
    judging = gate.judging
    policy = build_policy(judging, gate.registry, at=gate.now, revocations=gate.revocations)
    if not folder.is_dir():
        message = f"{display(folder)} is no folder"
        raise UsageError(message, remedy="build first, or name the folder that holds the release")
    folder = Path(os.path.realpath(folder))
    artifacts = find_artifacts([folder], formats.values())
    if not gate.named:
        refuse_foreign(configuration, artifacts)
    settings, tag = configuration.release, short_tag(tag) if tag is not None else None
    contents = sort_out(artifacts, settings, version=version_in(tag, settings.tag) if tag else None)
    reports = verify_as_configured(
        contents.own, policy=policy, configuration=judging, registry=gate.registry, on_done=on_done
    )
    tell_observers(reports, judging, gate.registry)
    origin = find_origin(configuration.directory, gate.environ, tag=tag, folder=folder)
    version = contents.version
    tag = choose_tag(origin, tag, version, settings.tag)
    belonging = signature_files(contents.own, reports, configuration=judging, formats=formats)
    checks = (
        *check_identity(contents, settings.projects),
        *check_complete(contents, settings.expect),
        *check_names(contents),
        check_tag(tag, version, settings.tag),
        check_commit(origin, tag, configuration.directory),
        *check_tree(origin.tree if origin is not None else None),
        *check_provenance(claimed_sources(reports, formats), origin),
        *check_signatures(reports, policy.require),
        *check_ends(reports),
        *check_timestamps(reports, configuration, believed=bool(policy.timestamp_roots)),
        *check_nothing_else(folder, contents, belonging),
    )
    names, commit = tuple(name for name, _ in contents.release), origin.commit if origin is not None else None
    return ReleaseReport(folder, checks, reports, names, version, tag, commit)
