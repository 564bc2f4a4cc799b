"""Builds in GitHub Actions (build type https://actions.github.io/buildtypes/workflow/v1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hatch_sign.formats.slsa import Build, Dependency
from hatch_sign.provenance.checkout import commit_beside
from hatch_sign.provenance.variables import ADDRESS, COMMIT, NUMBER, REFERENCE, WORD

if TYPE_CHECKING:
    from hatch_sign.provenance.checkout import Checkout
    from hatch_sign.provenance.variables import Variables

BUILD_TYPE = "https://actions.github.io/buildtypes/workflow/v1"
"""The execution of a top-level workflow, as GitHub's own attestations tell of it."""
BUILDERS = "https://github.com/actions/runner"
"""What npm names the builder by, with the kind of runner after it: a step cannot learn the workflow that its job is in."""

_NEEDED = (
    "GITHUB_SERVER_URL",
    "GITHUB_REPOSITORY",
    "GITHUB_WORKFLOW_REF",
    "GITHUB_REF",
    "GITHUB_SHA",
    "GITHUB_EVENT_NAME",
    "GITHUB_RUN_ID",
    "GITHUB_RUN_ATTEMPT",
    "RUNNER_ENVIRONMENT",
)
_LOOK_ALIKES = ("GITEA_ACTIONS", "FORGEJO_ACTIONS", "ACT")
"""What marks runners that set GitHub's variables, too, and are not GitHub's."""

_REPOSITORY = rf"{WORD}/{WORD}"
_EVENT = r"[a-z_]+"
_RUNNER = r"github-hosted|self-hosted"
_WORKFLOW = rf"(?P<repository>{_REPOSITORY})/(?P<path>.+?)@(?P<reference>{REFERENCE})"


def describe_github_build(variables: Variables, checkout: Checkout | None) -> Build | None:
    """Return what the environment says of the workflow; None outside of one.

    Inputs and secrets of the workflow are no part of it: the build type has no place for them. The time is left out, as
    the workflow goes on. Raises ConfigurationError for variables that no workflow has.
    """
    marked = variables.is_true("GITHUB_ACTIONS") and not any(map(variables.is_true, _LOOK_ALIKES))
    if not marked or not variables.has(*_NEEDED):
        return None
    server = variables.get("GITHUB_SERVER_URL", ADDRESS).rstrip("/")
    repository, commit = variables.get("GITHUB_REPOSITORY", _REPOSITORY), variables.get("GITHUB_SHA", COMMIT)
    run, attempt = variables.get("GITHUB_RUN_ID", NUMBER), variables.get("GITHUB_RUN_ATTEMPT", NUMBER)
    source = Dependency(f"git+{server}/{repository}@{variables.get('GITHUB_REF', REFERENCE)}", {"gitCommit": commit})
    runner = variables.get("RUNNER_ENVIRONMENT", _RUNNER)
    return Build(
        build_type=BUILD_TYPE,
        builder=f"{BUILDERS}/{runner}",
        external={"workflow": _workflow(variables, server)},
        internal={"github": _internal(variables, runner)},
        dependencies=(source, *commit_beside(checkout, commit)),
        invocation=f"{server}/{repository}/actions/runs/{run}/attempts/{attempt}",
    )


def _workflow(variables: Variables, server: str) -> dict[str, str]:
    """Take ``OWNER/NAME/PATH@REFERENCE`` apart; either of the last two may hold an ``@``."""
    parts = re.fullmatch(_WORKFLOW, variables.get("GITHUB_WORKFLOW_REF", _WORKFLOW))
    assert parts is not None  # noqa: S101 - tells mypy what `get` made sure of
    return {"ref": parts["reference"], "repository": f"{server}/{parts['repository']}", "path": parts["path"]}


def _internal(variables: Variables, runner: str) -> dict[str, str]:
    found = {
        "event_name": variables.get("GITHUB_EVENT_NAME", _EVENT),
        "repository_id": variables.get("GITHUB_REPOSITORY_ID", NUMBER),
        "repository_owner_id": variables.get("GITHUB_REPOSITORY_OWNER_ID", NUMBER),
        "runner_environment": runner,
    }
    return {name: value for name, value in found.items() if value}
