"""Who caused the run: a key that signs releases is not lent to what strangers propose."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hatch_sign.values.errors import RejectedError

_OF_PULL_REQUESTS = frozenset(
    {"pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment"},
)


def refuse_strangers(environ: Mapping[str, str]) -> None:
    """Raise RejectedError where the run was caused by a pull request from a fork, or may have been."""
    reason = _stranger(environ.get("GITHUB_EVENT_NAME", ""), environ)
    if reason:
        message = f"no key is opened for {reason}"
        remedy = "sign in a workflow that starts when a tag is pushed; a pull request can use the command verify"
        raise RejectedError(message, remedy=remedy)


def _stranger(event: str, environ: Mapping[str, str]) -> str:
    if event in _OF_PULL_REQUESTS:
        pull_request = _at(_payload(environ), "pull_request")
        return "" if _is_own(_at(pull_request, "head", "repo"), environ) else "a pull request from a fork"
    if event == "workflow_run":
        run = _at(_payload(environ), "workflow_run")
        return "" if _is_own(_at(run, "head_repository"), environ) else "a workflow that a fork's pull request started"
    if event == "issue_comment" and _at(_payload(environ), "issue", "pull_request") is not None:
        return "a comment on a pull request, which may be from a fork"
    return ""


def _is_own(repository: Any, environ: Mapping[str, str]) -> bool:  # noqa: ANN401 - whatever the file holds
    """Return whether it is the repository that the workflow runs in. A fork that was deleted is none at all."""
    name, own = _at(repository, "full_name"), environ.get("GITHUB_REPOSITORY", "")
    return isinstance(name, str) and own != "" and name.lower() == own.lower()


def _payload(environ: Mapping[str, str]) -> Any:  # noqa: ANN401 - whatever the file holds
    """Return what the runner wrote of the event; nothing where it cannot be read, which then counts against it."""
    try:
        return json.loads(Path(environ.get("GITHUB_EVENT_PATH", "")).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def _at(value: Any, *path: str) -> Any:  # noqa: ANN401 - whatever the file holds
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value
