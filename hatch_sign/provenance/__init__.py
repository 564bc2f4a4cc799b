"""How the artifacts of a run were built, as far as the run can tell: an SLSA Provenance v1, for statements to carry.

Nothing here is proven, and no one is trusted for it: whoever signs the statement says so. Of the environment, only the
variables that the modules name are read, and each is held against the form that the build service gives it.
"""

from __future__ import annotations

from hatch_sign.provenance.describing import describe_build

__all__ = ["describe_build"]
