"""Names: most signatures cover bytes alone, so a signed 1.0 could be renamed and served as 2.0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from hatch_sign.artifacts.naming import DISTRIBUTIONS
from hatch_sign.artifacts.reading import open_artifact
from hatch_sign.values.errors import MalformedError
from hatch_sign.values.outcomes import REJECTING, Outcome, Verdict

if TYPE_CHECKING:
    from hatch_sign.artifacts.discovery import Artifact


def settle_name(artifact: Artifact, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Hold a wheel's or sdist's name against the metadata inside, where the bytes are trusted and their name is not.

    Returns the outcomes, with a ``malformed`` one where the names differ; where nothing ties the name to the bytes, the
    trusted ones say so.
    """
    trusted = [outcome for outcome in outcomes if outcome.verdict is Verdict.TRUSTED and outcome.member is None]
    broken = any(outcome.verdict in REJECTING for outcome in outcomes)
    if broken or not trusted or any(outcome.covers_name for outcome in trusted):
        return list(outcomes)
    try:
        found = artifact.name.endswith(DISTRIBUTIONS) and _metadata_vouches(artifact)
    except MalformedError as error:
        return [*outcomes, Outcome(artifact.name, "name", "name", Verdict.MALFORMED, detail=error.message)]
    return list(outcomes) if found else [_reserved(outcome) for outcome in outcomes]


def _metadata_vouches(artifact: Artifact) -> bool:
    from hatch_sign.archives.distributions import check_name  # noqa: PLC0415 - loads packaging, for wheels and sdists only

    with open_artifact(artifact.path) as stream:
        return check_name(artifact.name, stream)


def _reserved(outcome: Outcome) -> Outcome:
    if outcome.verdict is not Verdict.TRUSTED or outcome.member is not None:
        return outcome
    return replace(outcome, detail="; ".join(filter(None, [outcome.detail, "name not covered"])))
