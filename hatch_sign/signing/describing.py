"""How what is signed was built, for the formats of a plan that say so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from hatch_sign.signing.plan import SigningPlan


def with_provenance(plan: SigningPlan, environ: Mapping[str, str], now: datetime) -> SigningPlan:
    """Return the plan with the provenance of what it signs; as it is, and nothing asked, where no format would say it.

    `environ` is the environment as the run began. Raises ConfigurationError for a build service's variable that is none.
    """
    if not plan.states_provenance:
        return plan
    from hatch_sign.provenance import describe_build  # noqa: PLC0415 - where something is to say it only

    return replace(plan, provenance=describe_build(environ, plan.configuration.directory, now))
