"""Which release a set of artifacts belongs to."""

from __future__ import annotations

from collections.abc import Iterable

from hatch_sign.artifacts.naming import DISTRIBUTIONS
from hatch_sign.values.artifacts import Release


def release_of(names: Iterable[str]) -> Release | None:
    """Return the one release that the wheels and sdists among `names` belong to; None where they name none or several."""
    distributions = [name for name in names if name.endswith(DISTRIBUTIONS)]
    if not distributions:
        return None
    from hatch_sign.archives.distributions import declared_name  # noqa: PLC0415 - loads packaging, and other artifacts do without

    declared = {pair for name in distributions if (pair := declared_name(name)) is not None}
    return Release(*declared.pop()) if len(declared) == 1 else None
