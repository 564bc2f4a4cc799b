"""Who caused the run: a key that signs releases is not lent to what strangers or bots propose."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hatch_sign.values.display import display
from hatch_sign.values.errors import RejectedError

_OF_PULL_REQUESTS = frozenset({"pull_request", "pull_request_target"})
_OF_MAINTAINERS = frozenset(
    {
        "create",
        "deployment",
        "deployment_status",
        "merge_group",
        "push",
        "release",
        "repository_dispatch",
        "schedule",
        "workflow_dispatch",
    }
)
"""What only those can cause who may write to the repository, or its own clock. A comment or a review anybody can write."""

_OF_DEPENDABOT = frozenset({"create", "deployment", "deployment_status", "push"})
"""What GitHub keeps its secrets from where Dependabot caused it; a runner of one's own would lend its key all the same."""

_DEPENDABOT = "dependabot[bot]"
_BRANCHES_OF_DEPENDABOT = ("dependabot/", "refs/heads/dependabot/")


def refuse_strangers(environ: Mapping[str, str]) -> None:
    """Raise RejectedError where the run was caused by a stranger or by a bot's proposal, or may have been.

    `environ` names the event and the file that the runner wrote of it; what that does not tell counts against it.
    """
    reason = _stranger(environ.get("GITHUB_EVENT_NAME", ""), environ)
    if reason:
        message = f"no key is opened for {reason}"
        remedy = "sign in a workflow that starts when a tag is pushed; a pull request can use the command verify"
        raise RejectedError(message, remedy=remedy)


def _stranger(event: str, environ: Mapping[str, str]) -> str:
    payload = _payload(environ)
    if event in _OF_PULL_REQUESTS:
        return _proposed(_at(payload, "pull_request"), environ)
    if event == "workflow_run":
        return _started(_at(payload, "workflow_run"), environ)
    if event not in _OF_MAINTAINERS:
        return f"the event {display(event or 'without a name')}, which others than maintainers can cause"
    told = (environ.get("GITHUB_ACTOR"), _at(payload, "sender", "login"), _at(payload, "ref"))
    if event in _OF_DEPENDABOT and _is_dependabots(*told):
        return "what Dependabot pushed"
    return ""


def _proposed(pull_request: Any, environ: Mapping[str, str]) -> str:  # noqa: ANN401 - whatever the file holds
    """Return what is against a pull request. Who pushed to its branch last is not asked: the rest is its author's still."""
    if not _is_own(_at(pull_request, "head", "repo"), environ):
        return "a pull request from a fork"
    author, branch = _at(pull_request, "user"), _at(pull_request, "head", "ref")
    return "" if _is_person(author) and not _is_dependabots(branch) else "a pull request that a bot opened"


def _started(run: Any, environ: Mapping[str, str]) -> str:  # noqa: ANN401 - as above
    """Return what is against the run of another workflow, after which this one began."""
    event, actor = str(_at(run, "event") or "without a name"), _at(run, "actor")
    if not _is_own(_at(run, "head_repository"), environ):
        return "a workflow that a fork's pull request started"
    # Of whom a `pull_request_target` was is not told, and a run after a run tells nothing of the first.
    if event not in {*_OF_MAINTAINERS, "pull_request"}:
        return f"a workflow that the event {display(event)} started, which others than maintainers can cause"
    proposed = event == "pull_request" and not _is_person(actor)
    pushed = event in {*_OF_DEPENDABOT, "pull_request"} and _is_dependabots(_at(actor, "login"), _at(run, "head_branch"))
    return "a workflow that a bot's proposal started" if proposed or pushed else ""


def _is_own(repository: Any, environ: Mapping[str, str]) -> bool:  # noqa: ANN401 - as above
    """Return whether it is the repository that the workflow runs in. A fork that was deleted is none at all."""
    name, own = _at(repository, "full_name"), environ.get("GITHUB_REPOSITORY", "")
    return isinstance(name, str) and own != "" and name.lower() == own.lower()


def _is_person(account: Any) -> bool:  # noqa: ANN401 - as above
    """Return whether it is the account of somebody; of one that was deleted nothing is told."""
    kind = _at(account, "type")
    return isinstance(kind, str) and kind == "User"


def _is_dependabots(*told: Any) -> bool:  # noqa: ANN401 - as above
    """Return whether one of these is Dependabot's login, or a branch of its own."""
    return any(isinstance(each, str) and (each == _DEPENDABOT or each.startswith(_BRANCHES_OF_DEPENDABOT)) for each in told)


def _payload(environ: Mapping[str, str]) -> Any:  # noqa: ANN401 - as above
    """Return what the runner wrote of the event; nothing where it cannot be read."""
    try:
        return json.loads(Path(environ.get("GITHUB_EVENT_PATH", "")).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def _at(value: Any, *path: str) -> Any:  # noqa: ANN401 - as above
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value
