"""Environments of build services, with the variables that provenance is made of and the secrets that it must not hold."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

COMMIT = "4f2b1c3d5e6f708192a3b4c5d6e7f8091a2b3c4d"

GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "example/demo",
    "GITHUB_REPOSITORY_ID": "111222333",
    "GITHUB_REPOSITORY_OWNER_ID": "444555",
    "GITHUB_WORKFLOW_REF": "example/demo/.github/workflows/release.yml@refs/tags/v1.0",
    "GITHUB_REF": "refs/tags/v1.0",
    "GITHUB_SHA": COMMIT,
    "GITHUB_EVENT_NAME": "release",
    "GITHUB_RUN_ID": "8001",
    "GITHUB_RUN_ATTEMPT": "2",
    "RUNNER_ENVIRONMENT": "github-hosted",
}
GITLAB = {
    "GITLAB_CI": "true",
    "CI_PROJECT_URL": "https://gitlab.example/group/sub/demo",
    "CI_COMMIT_SHA": COMMIT,
    "CI_COMMIT_TAG": "v1.0",
    "CI_JOB_NAME": "build wheels: [3.12, linux]",
    "CI_JOB_ID": "10340684631",
    "CI_JOB_STARTED_AT": "2026-02-03T04:00:00Z",
    "CI_RUNNER_ID": "12270857",
    "CI_RUNNER_REVISION": "2147fb44",
    "CI_RUNNER_DESCRIPTION": "green-4.example/default",
    "CI_RUNNER_EXECUTABLE_ARCH": "linux/amd64",
}

SECRET = "s3cr3t-of-the-job"  # noqa: S105 - of nothing
SECRETS = dict.fromkeys(
    (
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
        "ACTIONS_RUNTIME_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "CI_JOB_JWT",
        "CI_JOB_TOKEN",
        "CI_REGISTRY_PASSWORD",
        "GITHUB_EVENT_PATH",
        "GITHUB_TOKEN",
        "GITHUB_WORKFLOW",
        "VAULT_TOKEN",
        "INPUT_PASSWORD",
        "TWINE_PASSWORD",
    ),
    SECRET,
)
"""Variables of either service, and of ours, that a predicate has no use for."""


def machine() -> dict[str, str]:
    """Return what a plain machine sets: where programs are, and a home folder whose settings git does not need."""
    return {"PATH": os.environ["PATH"], "HOME": os.devnull}


def make_checkout(folder: Path) -> str:
    """Put everything in `folder` under git, and return the commit."""
    _git(folder, "init", "--quiet", "--initial-branch=main")
    _git(folder, "add", ".")
    _git(folder, "commit", "--quiet", "--allow-empty", "--message=release")
    return _git(folder, "rev-parse", "HEAD")


def _git(folder: Path, *arguments: str) -> str:
    person = ("-c", "user.name=Tester", "-c", "user.email=tester@example.invalid", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *person, *arguments],
        cwd=folder,
        env={**machine(), "GIT_CONFIG_NOSYSTEM": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()
