"""Names: most signatures cover bytes alone, so a signed 1.0 could be renamed and served as 2.0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from hatch_sign.artifacts.reading import open_artifact
from hatch_sign.values.errors import MalformedError
from hatch_sign.values.outcomes import REJECTING, Outcome, Verdict

if TYPE_CHECKING:
    from hatch_sign.artifacts.discovery import Artifact

NAME_NOT_COVERED = "name not covered"
"""What a trusted outcome says where nothing ties the artifact's name to its bytes."""

_DISTRIBUTIONS = (".whl", ".tar.gz", ".zip")


def settle_name(artifact: Artifact, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Hold a wheel's or sdist's name against the metadata inside, where the bytes are trusted and their name is not.

    Returns the outcomes without the reservation where the names agree, and with a ``malformed`` one where they do not.
    """
    reserved = [outcome for outcome in outcomes if NAME_NOT_COVERED in outcome.detail]
    covered = len(reserved) < sum(outcome.verdict is Verdict.TRUSTED for outcome in outcomes)
    broken = any(outcome.verdict in REJECTING for outcome in outcomes)
    if not reserved or covered or broken or not artifact.name.endswith(_DISTRIBUTIONS):
        return list(outcomes)
    from hatch_sign.formats.distributions import check_name  # noqa: PLC0415 - loads packaging, for wheels and sdists only

    try:
        with open_artifact(artifact.path) as stream:
            found = check_name(artifact.name, stream)
    except MalformedError as error:
        return [*outcomes, Outcome(artifact.name, "name", "name", Verdict.MALFORMED, detail=error.message)]
    return [replace(outcome, detail="") if outcome in reserved and found else outcome for outcome in outcomes]
