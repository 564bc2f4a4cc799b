"""What remains once a command has signed: what it made stale, and what the project itself would say of the result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hatch_sign.building.judging import judge_plan
from hatch_sign.building.stale import find_stale, remove_signature
from hatch_sign.values.display import display
from hatch_sign.values.errors import RejectedError

if TYPE_CHECKING:
    from hatch_sign.artifacts.reading import Readings
    from hatch_sign.registry import Registry
    from hatch_sign.signing.plan import SigningPlan
    from hatch_sign.trust.policy import Policy


def settle(
    plan: SigningPlan, policy: Policy | None, registry: Registry, *, readings: Readings, remove: bool
) -> tuple[Path, ...]:
    """Judge what `plan` has signed; return the signatures over older bytes that were removed, as `remove` asks.

    `readings` are what the run has read of the artifacts.

    Raises RejectedError where such a signature is left, which would have the release rejected, and where the policy rejects
    what was signed. All that was signed stays where it is: unlike a build's, the artifacts are the user's.
    """
    formats = registry.formats()
    artifacts = [artifact.path for artifact in plan.artifacts]
    folders = dict.fromkeys([plan.folder, *(artifact.root for artifact in plan.artifacts)])
    stale = find_stale(artifacts, formats, folders, fresh={file.path for file in plan.files}, readings=readings)
    if stale and not remove:
        path, artifact = next(iter(stale.items()))
        message = f"{display(path.name)} is over an older {display(artifact.name)}, and would have it rejected"
        raise RejectedError(message, remedy="sign again with --overwrite, which removes it, or take it away yourself")
    removed = tuple(file for path in stale for file in remove_signature(path, formats))
    try:
        judge_plan(plan, policy, registry, readings)
    except RejectedError as error:
        error.remedy += "; what was signed is where it was"
        raise
    return removed
