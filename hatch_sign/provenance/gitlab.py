"""Builds in GitLab CI (the build type of GitLab's runner, PROVENANCE.md of its version)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.formats.slsa import Build, Dependency
from hatch_sign.provenance.checkout import commit_beside
from hatch_sign.provenance.variables import ADDRESS, COMMIT, NUMBER, TEXT, WORD

if TYPE_CHECKING:
    from datetime import datetime

    from hatch_sign.provenance.checkout import Checkout
    from hatch_sign.provenance.variables import Variables

BUILD_TYPES = "https://gitlab.com/gitlab-org/gitlab-runner/-/blob"
"""Where the runner's build types are, each below the version or revision of the runner."""

_NEEDED = ("CI_PROJECT_URL", "CI_COMMIT_SHA", "CI_JOB_NAME", "CI_JOB_ID", "CI_RUNNER_ID", "CI_RUNNER_REVISION")
_PLATFORM = r"[A-Za-z0-9._\-]+/[A-Za-z0-9._\-]+"


def describe_gitlab_build(variables: Variables, checkout: Checkout | None, now: datetime) -> Build | None:
    """Return what the environment says of the job; None outside of one.

    The runner itself would add the name of every variable; here, of what configures a job, only its own name is told. The
    runner writes a commit as ``sha256``, whatever it is; here it is a ``gitCommit``. Raises ConfigurationError for
    variables that no job has.
    """
    if not variables.is_true("GITLAB_CI") or not variables.has(*_NEEDED):
        return None
    project = variables.get("CI_PROJECT_URL", ADDRESS).rstrip("/")
    commit, job = variables.get("CI_COMMIT_SHA", COMMIT), variables.get("CI_JOB_ID", NUMBER)
    revision = variables.get("CI_RUNNER_REVISION", WORD)
    source = Dependency(f"git+{project}{_reference(variables)}", {"gitCommit": commit})
    return Build(
        build_type=f"{BUILD_TYPES}/{revision}/PROVENANCE.md",
        builder=f"{project}/-/runners/{variables.get('CI_RUNNER_ID', NUMBER)}",
        versions={"gitlab-runner": revision},
        external={"source": project, "entryPoint": variables.get("CI_JOB_NAME", TEXT)},
        internal=_internal(variables, job),
        dependencies=(source, *commit_beside(checkout, commit)),
        invocation=job,
        started=variables.instant("CI_JOB_STARTED_AT"),
        finished=now,
    )


def _reference(variables: Variables) -> str:
    """Return the git reference of the pipeline after an ``@``; nothing for one that is of neither a tag nor a branch."""
    for name, kind in (("CI_COMMIT_TAG", "tags"), ("CI_COMMIT_BRANCH", "heads")):
        if value := variables.get(name, r"[^\s~^:?*\[\\]+"):
            return f"@refs/{kind}/{value}"
    return ""


def _internal(variables: Variables, job: str) -> dict[str, str]:
    platform = variables.get("CI_RUNNER_EXECUTABLE_ARCH", _PLATFORM)
    found = {
        "name": variables.get("CI_RUNNER_DESCRIPTION", TEXT),
        "architecture": platform.rpartition("/")[2],
        "job": job,
    }
    return {name: value for name, value in found.items() if value}
