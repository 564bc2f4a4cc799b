"""What front ends ask: how the artifacts of this run were built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hatch_sign.formats.slsa import encode_provenance
from hatch_sign.provenance.checkout import find_checkout
from hatch_sign.provenance.github import describe_github_build
from hatch_sign.provenance.gitlab import describe_gitlab_build
from hatch_sign.provenance.plain import describe_plain_build
from hatch_sign.provenance.variables import Variables

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path


def describe_build(environ: Mapping[str, str], directory: Path, now: datetime) -> Mapping[str, Any]:
    """Return the predicate of an SLSA Provenance v1 for what this run signs.

    `environ` is the environment as the run began; `directory` is the project's folder, whose git checkout is asked for its
    commit; `now` is aware. A GitHub workflow and a GitLab job are told of by the build types that their makers define,
    anything else as a plain machine. Raises ConfigurationError, naming the variable and never its value, where a variable of
    a build service is set to what that never sets it to.
    """
    variables = Variables(environ)
    checkout = find_checkout(directory, environ)
    build = describe_github_build(variables, checkout) or describe_gitlab_build(variables, checkout, now)
    return encode_provenance(build or describe_plain_build(checkout, now))
