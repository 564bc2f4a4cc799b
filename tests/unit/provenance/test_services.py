"""What is said of builds in GitHub Actions, in GitLab CI and on any other machine."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from hatch_sign import __version__
from hatch_sign.provenance import describe_build
from hatch_sign.values.errors import ConfigurationError

from ...build_services import COMMIT, GITHUB, GITLAB, SECRET, SECRETS, machine
from ...slsa_rules import require_provenance

NOW = datetime(2026, 2, 3, 6, 7, 8, tzinfo=timezone(timedelta(hours=1)))
NOW_WRITTEN = "2026-02-03T05:07:08Z"


def describe(environ: dict[str, str], folder: Path) -> dict[str, Any]:
    """Describe a build in a folder that is no checkout, and hold it against the specification."""
    predicate = json.loads(json.dumps(describe_build(environ, folder, NOW)))
    require_provenance(predicate)
    assert isinstance(predicate, dict)
    return predicate


def test_a_workflow_is_told_of_as_github_tells_of_it(tmp_path: Path) -> None:
    assert describe(GITHUB, tmp_path) == {
        "buildDefinition": {
            "buildType": "https://actions.github.io/buildtypes/workflow/v1",
            "externalParameters": {
                "workflow": {
                    "ref": "refs/tags/v1.0",
                    "repository": "https://github.com/example/demo",
                    "path": ".github/workflows/release.yml",
                }
            },
            "internalParameters": {
                "github": {
                    "event_name": "release",
                    "repository_id": "111222333",
                    "repository_owner_id": "444555",
                    "runner_environment": "github-hosted",
                }
            },
            "resolvedDependencies": [
                {"uri": "git+https://github.com/example/demo@refs/tags/v1.0", "digest": {"gitCommit": COMMIT}}
            ],
        },
        "runDetails": {
            "builder": {"id": "https://github.com/actions/runner/github-hosted"},
            "metadata": {"invocationId": "https://github.com/example/demo/actions/runs/8001/attempts/2"},
        },
    }


def test_a_runner_of_ones_own_is_another_builder(tmp_path: Path) -> None:
    predicate = describe({**GITHUB, "RUNNER_ENVIRONMENT": "self-hosted"}, tmp_path)
    assert predicate["runDetails"]["builder"] == {"id": "https://github.com/actions/runner/self-hosted"}
    assert predicate["buildDefinition"]["internalParameters"]["github"]["runner_environment"] == "self-hosted"


@pytest.mark.parametrize(
    ("repository", "path", "reference"),
    [
        ("example/demo", ".github/workflows/a@b.yml", "refs/heads/x"),
        ("example/demo", ".github/workflows/r.yml", "refs/tags/@a/b@1"),
        ("example/shared", ".github/workflows/r.yml", "refs/heads/main"),
    ],
)
def test_a_workflow_is_named_by_its_path_and_its_own_repository(
    repository: str, path: str, reference: str, tmp_path: Path
) -> None:
    predicate = describe({**GITHUB, "GITHUB_WORKFLOW_REF": f"{repository}/{path}@{reference}"}, tmp_path)
    assert predicate["buildDefinition"]["externalParameters"] == {
        "workflow": {"ref": reference, "repository": f"https://github.com/{repository}", "path": path}
    }


def test_a_job_is_told_of_as_its_runner_tells_of_it(tmp_path: Path) -> None:
    assert describe(GITLAB, tmp_path) == {
        "buildDefinition": {
            "buildType": "https://gitlab.com/gitlab-org/gitlab-runner/-/blob/2147fb44/PROVENANCE.md",
            "externalParameters": {
                "source": "https://gitlab.example/group/sub/demo",
                "entryPoint": "build wheels: [3.12, linux]",
            },
            "internalParameters": {
                "name": "green-4.example/default",
                "architecture": "amd64",
                "job": "10340684631",
            },
            "resolvedDependencies": [
                {"uri": "git+https://gitlab.example/group/sub/demo@refs/tags/v1.0", "digest": {"gitCommit": COMMIT}}
            ],
        },
        "runDetails": {
            "builder": {
                "id": "https://gitlab.example/group/sub/demo/-/runners/12270857",
                "version": {"gitlab-runner": "2147fb44"},
            },
            "metadata": {
                "invocationId": "10340684631",
                "startedOn": "2026-02-03T04:00:00Z",
                "finishedOn": NOW_WRITTEN,
            },
        },
    }


@pytest.mark.parametrize(
    ("set_", "suffix"),
    [({"CI_COMMIT_BRANCH": "feature/x"}, "@refs/heads/feature/x"), ({}, "")],
    ids=["branch", "merge request"],
)
def test_a_job_names_the_branch_where_there_is_no_tag(set_: dict[str, str], suffix: str, tmp_path: Path) -> None:
    untagged = {name: value for name, value in GITLAB.items() if name != "CI_COMMIT_TAG"}
    predicate = describe({**untagged, **set_}, tmp_path)
    source = predicate["buildDefinition"]["resolvedDependencies"][0]
    assert source["uri"] == f"git+https://gitlab.example/group/sub/demo{suffix}"


PLAIN = {
    "buildDefinition": {"buildType": "hatch-sign:build/plain/v1", "externalParameters": {}},
    "runDetails": {
        "builder": {"id": "hatch-sign:builder/plain", "version": {"hatch-sign": __version__}},
        "metadata": {"finishedOn": NOW_WRITTEN},
    },
}


def test_a_plain_machine_is_called_plain(tmp_path: Path) -> None:
    assert describe({}, tmp_path) == PLAIN


@pytest.mark.parametrize(
    "environ",
    [
        {**GITHUB, "GITHUB_ACTIONS": "false"},
        {**GITHUB, "GITEA_ACTIONS": "true"},
        {**GITHUB, "FORGEJO_ACTIONS": "true"},
        {**GITHUB, "ACT": "true"},
        {**GITLAB, "GITLAB_CI": ""},
        *({name: value for name, value in GITHUB.items() if name != missing} for missing in GITHUB if "_ID" not in missing),
        {**GITLAB, "CI_COMMIT_SHA": ""},
    ],
)
def test_what_only_looks_like_a_build_service_is_a_plain_machine(environ: dict[str, str], tmp_path: Path) -> None:
    assert describe(environ, tmp_path) == PLAIN


@pytest.mark.parametrize("service", [GITHUB, GITLAB, {}], ids=["github", "gitlab", "plain"])
def test_holds_no_secret_of_the_environment(service: dict[str, str], tmp_path: Path) -> None:
    assert SECRET not in json.dumps(describe({**machine(), **SECRETS, **service}, tmp_path))


HOSTILE = ["line\nbreak", "tab\tin it", "\x1b[31mred", "\u202eright to left", "not utf-8 \udcff", "x" * (1 << 20), " "]
WRONG = {
    "GITHUB_SERVER_URL": [
        "github.com",
        "https://user:password@github.com",
        "https://github.com/?token=x",
        "ftp://github.com",
    ],
    "GITHUB_REPOSITORY": ["demo", "a/b/c", "example/demo.git?x"],
    "GITHUB_REPOSITORY_ID": ["-1", "one", "9" * 21],
    "GITHUB_REPOSITORY_OWNER_ID": ["0x1"],
    "GITHUB_WORKFLOW_REF": ["release.yml@refs/tags/v1", "example/demo/release.yml", "example/demo/release.yml@v1"],
    "GITHUB_REF": ["v1.0", "refs/tags/v1 0", "refs/tags/v1?"],
    "GITHUB_SHA": ["4f2b1c3", COMMIT.upper(), COMMIT + "0"],
    "GITHUB_EVENT_NAME": ["Push!"],
    "GITHUB_RUN_ID": ["run"],
    "GITHUB_RUN_ATTEMPT": ["1.5"],
    "RUNNER_ENVIRONMENT": ["github-hosted-by-me"],
}
WRONG_IN_GITLAB = {
    "CI_PROJECT_URL": ["https://gitlab-ci-token:t@gitlab.example/a", "https://gitlab.example/a b"],
    "CI_COMMIT_SHA": ["HEAD"],
    "CI_COMMIT_TAG": ["v1 0", "v1^{}"],
    "CI_JOB_NAME": [],
    "CI_JOB_ID": ["job"],
    "CI_JOB_STARTED_AT": ["yesterday", "2026-02-30T04:00:00Z", "2026-02-03T04:00:00+01:00"],
    "CI_RUNNER_ID": ["#1"],
    "CI_RUNNER_REVISION": ["../../etc"],
    "CI_RUNNER_DESCRIPTION": [],
    "CI_RUNNER_EXECUTABLE_ARCH": ["amd64"],
}


@pytest.mark.parametrize(
    ("service", "name", "value"),
    [
        pytest.param(service, name, value, id=f"{name}-{number}")
        for service, wrong in ((GITHUB, WRONG), (GITLAB, WRONG_IN_GITLAB))
        for name in wrong
        # Names that people give may hold spaces.
        for number, value in enumerate([*wrong[name], *(HOSTILE if wrong[name] else HOSTILE[:-1])])
    ],
)
def test_refuses_what_the_service_never_sets(service: dict[str, str], name: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=rf"^the environment variable {name} is n") as raised:
        describe({**service, name: value}, tmp_path)
    assert len(str(raised.value)) < 300
    assert value.strip() == "" or value not in str(raised.value)


def test_the_time_is_in_utc(tmp_path: Path) -> None:
    assert describe_build({}, tmp_path, NOW.astimezone(UTC)) == PLAIN
