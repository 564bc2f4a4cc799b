"""No key is opened for a pull request from a fork, nor where it cannot be told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hatch_sign.values.errors import RejectedError
from hatch_sign_action.events import refuse_strangers

OWN, FORK = {"full_name": "Example/App"}, {"full_name": "stranger/app", "fork": True}


def environ(folder: Path, event: str, payload: object) -> dict[str, str]:
    path = folder / "event.json"
    path.write_text(payload if isinstance(payload, str) else json.dumps(payload))
    return {"GITHUB_EVENT_NAME": event, "GITHUB_EVENT_PATH": str(path), "GITHUB_REPOSITORY": "example/app"}


PULL_REQUESTS = ["pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment"]


@pytest.mark.parametrize("event", PULL_REQUESTS)
def test_a_pull_request_of_the_repository_itself_may_sign(tmp_path: Path, event: str) -> None:
    refuse_strangers(environ(tmp_path, event, {"pull_request": {"head": {"repo": OWN}}}))


@pytest.mark.parametrize("event", PULL_REQUESTS)
@pytest.mark.parametrize(
    "payload",
    [
        {"pull_request": {"head": {"repo": FORK}}},
        {"pull_request": {"head": {"repo": None}}},
        {"pull_request": {"head": {"repo": {"full_name": ["Example/App"]}}}},
        {"pull_request": [OWN]},
        {},
        [],
        "no JSON",
        "[" * 100_000,
    ],
    ids=["fork", "deleted-fork", "list-for-name", "list", "empty", "no-object", "no-json", "deep"],
)
def test_any_other_may_not(tmp_path: Path, event: str, payload: object) -> None:
    with pytest.raises(RejectedError, match="no key is opened for a pull request from a fork"):
        refuse_strangers(environ(tmp_path, event, payload))


def test_an_event_that_cannot_be_read_counts_against_it(tmp_path: Path) -> None:
    with pytest.raises(RejectedError, match="no key is opened for a pull request from a fork"):
        refuse_strangers(
            {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(tmp_path / "none"), "GITHUB_REPOSITORY": "a/b"}
        )
    own = environ(tmp_path, "pull_request", {"pull_request": {"head": {"repo": {"full_name": ""}}}})
    with pytest.raises(RejectedError, match="no key is opened for a pull request from a fork"):
        refuse_strangers({**own, "GITHUB_REPOSITORY": ""})


def test_what_a_forks_pull_request_started_is_refused_too(tmp_path: Path) -> None:
    refuse_strangers(environ(tmp_path, "workflow_run", {"workflow_run": {"head_repository": OWN}}))
    with pytest.raises(RejectedError, match="a workflow that a fork's pull request started"):
        refuse_strangers(environ(tmp_path, "workflow_run", {"workflow_run": {"head_repository": FORK}}))


def test_a_comment_on_a_pull_request_is_refused(tmp_path: Path) -> None:
    refuse_strangers(environ(tmp_path, "issue_comment", {"issue": {"number": 1}}))
    with pytest.raises(RejectedError, match="a comment on a pull request"):
        refuse_strangers(environ(tmp_path, "issue_comment", {"issue": {"number": 1, "pull_request": {}}}))


@pytest.mark.parametrize("event", ["push", "release", "workflow_dispatch", "schedule", "merge_group", ""])
def test_what_maintainers_start_may_sign(tmp_path: Path, event: str) -> None:
    refuse_strangers(environ(tmp_path, event, {}))
