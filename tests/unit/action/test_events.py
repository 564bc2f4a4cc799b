"""No key is opened for what strangers and bots propose, nor where it cannot be told; payloads have GitHub's shape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hatch_sign.values.errors import RejectedError
from hatch_sign_action.events import refuse_strangers

OWN, FORK = {"full_name": "Example/App", "fork": False}, {"full_name": "stranger/app", "fork": True}
PERSON = {"login": "maintainer", "id": 1, "type": "User"}
OWNER = {"login": "Example", "id": 2, "type": "Organization"}
DEPENDABOT = {"login": "dependabot[bot]", "id": 49699333, "type": "Bot"}
OTHER_BOT = {"login": "renovate[bot]", "id": 29139614, "type": "Bot"}


def environ(folder: Path, event: str, payload: object, **more: str) -> dict[str, str]:
    path = folder / "event.json"
    path.write_text(payload if isinstance(payload, str) else json.dumps(payload))
    return {"GITHUB_EVENT_NAME": event, "GITHUB_EVENT_PATH": str(path), "GITHUB_REPOSITORY": "example/app", **more}


def proposal(*, repo: object = OWN, user: object = PERSON, ref: str = "topic") -> dict[str, Any]:
    """Return the payload of a pull request; whoever caused the event is a maintainer, and so is the head's owner."""
    head = {"label": f"Example:{ref}", "ref": ref, "sha": "0" * 40, "user": OWNER, "repo": repo}
    return {"action": "synchronize", "number": 1, "pull_request": {"user": user, "head": head}, "sender": PERSON}


def run_of(event: object = "push", *, repo: object = OWN, actor: object = PERSON, branch: object = "main") -> dict[str, Any]:
    """Return the payload of a workflow that began after another one was done."""
    run = {"event": event, "head_branch": branch, "head_repository": repo, "actor": actor, "pull_requests": []}
    return {"action": "completed", "workflow_run": run, "workflow": {"name": "build"}, "sender": PERSON}


PULL_REQUESTS = ["pull_request", "pull_request_target"]


@pytest.mark.parametrize("event", PULL_REQUESTS)
def test_a_pull_request_of_the_repository_itself_may_sign(tmp_path: Path, event: str) -> None:
    refuse_strangers(environ(tmp_path, event, proposal()))


@pytest.mark.parametrize("event", PULL_REQUESTS)
@pytest.mark.parametrize(
    "payload",
    [
        proposal(repo=FORK),
        proposal(repo=None),
        proposal(repo={"full_name": ["Example/App"]}),
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


@pytest.mark.parametrize("event", PULL_REQUESTS)
@pytest.mark.parametrize(
    "payload",
    [
        proposal(user=DEPENDABOT, ref="dependabot/pip/app-2.0"),
        proposal(user=DEPENDABOT),
        proposal(ref="dependabot/pip/app-2.0"),
        proposal(user=OTHER_BOT, ref="renovate/app-2.x"),
        proposal(user=None),
        proposal(user=["User"]),
    ],
    ids=["dependabot", "by-its-author", "by-its-branch", "another-bot", "deleted-author", "no-account"],
)
def test_a_bots_proposal_may_not_whoever_pushed_last(tmp_path: Path, event: str, payload: object) -> None:
    with pytest.raises(RejectedError, match="no key is opened for a pull request that a bot opened"):
        refuse_strangers(environ(tmp_path, event, payload, GITHUB_ACTOR="maintainer"))


def test_an_event_that_cannot_be_read_counts_against_it(tmp_path: Path) -> None:
    with pytest.raises(RejectedError, match="no key is opened for a pull request from a fork"):
        refuse_strangers(
            {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(tmp_path / "none"), "GITHUB_REPOSITORY": "a/b"}
        )
    own = environ(tmp_path, "pull_request", proposal(repo={"full_name": ""}))
    with pytest.raises(RejectedError, match="no key is opened for a pull request from a fork"):
        refuse_strangers({**own, "GITHUB_REPOSITORY": ""})


@pytest.mark.parametrize("event", ["push", "release", "workflow_dispatch", "schedule", "pull_request"])
def test_what_a_run_of_the_repository_itself_started_may_sign(tmp_path: Path, event: str) -> None:
    refuse_strangers(environ(tmp_path, "workflow_run", run_of(event)))


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (run_of("pull_request", repo=FORK), "a workflow that a fork's pull request started"),
        (run_of(repo=None), "a workflow that a fork's pull request started"),
        ({}, "a workflow that a fork's pull request started"),
        (run_of("pull_request", actor=DEPENDABOT), "a workflow that a bot's proposal started"),
        (run_of("pull_request", actor=OTHER_BOT), "a workflow that a bot's proposal started"),
        (run_of("pull_request", actor=None), "a workflow that a bot's proposal started"),
        (run_of("pull_request", branch="dependabot/pip/x"), "a workflow that a bot's proposal started"),
        (run_of("push", actor=DEPENDABOT), "a workflow that a bot's proposal started"),
        (run_of("pull_request_target"), "a workflow that the event pull_request_target started"),
        (run_of("issue_comment"), "a workflow that the event issue_comment started"),
        (run_of("workflow_run"), "a workflow that the event workflow_run started"),
        (run_of(None), "a workflow that the event without a name started"),
        (run_of(["push"]), "a workflow that the event"),
    ],
)
def test_what_others_started_may_not_by_way_of_another_workflow(tmp_path: Path, payload: object, reason: str) -> None:
    with pytest.raises(RejectedError, match=f"no key is opened for {reason}"):
        refuse_strangers(environ(tmp_path, "workflow_run", payload))


def test_a_bot_that_releases_may_push_a_tag_and_what_follows_it(tmp_path: Path) -> None:
    refuse_strangers(environ(tmp_path, "push", {"ref": "refs/tags/v1.0", "sender": OTHER_BOT}, GITHUB_ACTOR="renovate[bot]"))
    refuse_strangers(environ(tmp_path, "workflow_run", run_of(actor=OTHER_BOT, branch="v1.0")))


@pytest.mark.parametrize("event", ["push", "create", "deployment", "deployment_status"])
@pytest.mark.parametrize(
    ("payload", "actor"),
    [
        ({"ref": "refs/heads/main", "sender": PERSON}, "dependabot[bot]"),
        ({"ref": "refs/heads/main", "sender": DEPENDABOT}, "maintainer"),
        ({"ref": "refs/heads/dependabot/pip/app-2.0", "sender": PERSON}, "maintainer"),
        ({"ref": "dependabot/pip/app-2.0", "ref_type": "branch", "sender": PERSON}, "maintainer"),
    ],
    ids=["by-the-actor", "by-the-sender", "by-the-branch", "by-the-new-branch"],
)
def test_what_dependabot_pushed_is_refused(tmp_path: Path, event: str, payload: object, actor: str) -> None:
    with pytest.raises(RejectedError, match="no key is opened for what Dependabot pushed"):
        refuse_strangers(environ(tmp_path, event, payload, GITHUB_ACTOR=actor))


@pytest.mark.parametrize("event", ["push", "release", "workflow_dispatch", "schedule", "merge_group", "repository_dispatch"])
def test_what_maintainers_start_may_sign(tmp_path: Path, event: str) -> None:
    refuse_strangers(environ(tmp_path, event, {"ref": "refs/tags/v1.0", "sender": PERSON}, GITHUB_ACTOR="maintainer"))


def test_the_clock_of_a_workflow_that_dependabot_changed_last_may_sign(tmp_path: Path) -> None:
    refuse_strangers(environ(tmp_path, "workflow_run", run_of("schedule", actor=DEPENDABOT)))
    refuse_strangers(environ(tmp_path, "schedule", {"schedule": "0 0 * * 0"}, GITHUB_ACTOR="dependabot[bot]"))


@pytest.mark.parametrize(
    "event",
    [
        "issue_comment",
        "issues",
        "pull_request_review",
        "pull_request_review_comment",
        "discussion",
        "discussion_comment",
        "fork",
        "watch",
        "check_run",
        "an event of tomorrow",
    ],
)
def test_what_anybody_can_cause_may_not(tmp_path: Path, event: str) -> None:
    payload = {**proposal(), "issue": {"number": 1, "user": PERSON}, "comment": {"body": "/release"}}
    with pytest.raises(RejectedError, match=f"no key is opened for the event {event}, which others than maintainers"):
        refuse_strangers(environ(tmp_path, event, payload))


def test_an_event_without_a_name_may_not(tmp_path: Path) -> None:
    with pytest.raises(RejectedError, match="no key is opened for the event without a name"):
        refuse_strangers(environ(tmp_path, "", {}))
