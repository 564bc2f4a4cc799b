"""What is the same for every signature of a run, whoever makes it and in whichever format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hatch_sign.registry.observing import Observers
    from hatch_sign.values.artifacts import Release


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The release and how it was built, the instant of the run, and who observes it with which settings."""

    release: Release | None
    provenance: Mapping[str, Any] | None
    now: datetime
    observers: Observers
    environ: Mapping[str, str]
    observer_settings: Mapping[str, str]
