"""The native ``pre-push`` script: git runs it for every push, a tag alone included (githooks(5), "pre-push")."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from hatch_sign.provenance.git import open_git
from hatch_sign.releasing.tags import VERSION, patterns

_SCRIPT = """\
#!/bin/sh
# Stops a release tag from leaving unless `hatch-sign release check` passes. Written by `hatch-sign release hook`.
#
# Why a script beside pre-commit: pushing a tag whose commit was pushed before runs no pre-push hook of pre-commit.
# pre-commit compares commits, finds none that are new, and stops before any hook; where a branch is pushed along, it
# shows its hooks the branch and hides the tag. git itself tells this script of every reference that is pushed.
#
# To install it, in the project's folder, in place of a pre-push hook that is there:
#
#     hatch-sign release hook > "$(git rev-parse --git-path hooks)/pre-push"
#     chmod +x "$(git rev-parse --git-path hooks)/pre-push"
#
# Where pre-commit is used as well, run `pre-commit install --hook-type pre-push` after that: it keeps this script as
# pre-push.legacy, and runs it first. Each clone needs its own: hooks do not travel, and `git push --no-verify` passes
# them by. What nobody passes by is the same check in the workflow that publishes.
#
# git gives a line for each reference: LOCAL_REF LOCAL_ID REMOTE_REF REMOTE_ID.
set -u
status=0
while read -r local_ref local_id remote_ref remote_id; do
  case $local_id in
    *[!0]*) ;;
    *) continue ;; # what is deleted is not released
  esac
  case $remote_ref in
    {cases}) ;;
    *) continue ;; # not the tag of a release
  esac
  printf 'hatch-sign: %s is about to leave\\n' "$remote_ref" >&2
  if ! command -v hatch-sign >/dev/null 2>&1; then
    echo 'hatch-sign: error: the program hatch-sign is not on the path; activate its environment, and push again' >&2
    exit 1
  fi
  # What is pushed under this name need not be what the tag of that name is here.
  if [ "$(git rev-parse --verify --quiet "$local_id^{{commit}}")" != "$(git rev-parse --verify HEAD)" ]; then
    printf 'hatch-sign: error: %s is not the commit that is checked out; check it out, build, sign, and push again\n' \
      "${{remote_ref#refs/tags/}}" >&2
    status=1
    continue
  fi
  ({enter}hatch-sign release check {arguments}--tag "${{remote_ref#refs/tags/}}") </dev/null >&2 || status=1
done
exit $status
"""


def find_place(directory: Path, environ: Mapping[str, str]) -> str:
    """Return where in its checkout a folder is, with ``/``; empty for its top, and where git says nothing."""
    git = open_git(directory, environ)
    prefix = git.ask("rev-parse", "--show-prefix") if git is not None else None
    return (prefix or "").rstrip("\r\n").rstrip("/")


def encode_hook(*, tag: str = "", folder: str = "", configuration: str = "", place: str = "") -> str:
    """Return the script for a POSIX shell.

    `tag` is how the version stands in a tag; empty for the version alone, or after a ``v``. `folder` holds the release, and
    `configuration` is the file to check it by; empty for the command's own defaults. Both are relative to `place`, where
    the project is in its checkout; empty for the top, where git runs its hooks.
    """
    cases = [_case(pattern) for pattern in patterns(tag)]
    words = [*(["--config", configuration] if configuration else []), *([folder] if folder else [])]
    enter = f"cd {shlex.quote('./' + place)} && " if place else ""
    arguments = "".join(f"{shlex.quote(word)} " for word in words)
    return _SCRIPT.format(cases=" | ".join(cases), enter=enter, arguments=arguments)


def _case(pattern: str) -> str:
    """Return a shell pattern for tags with a version in this place: a version begins with a digit."""
    before, _, after = pattern.partition(VERSION)
    end = shlex.quote(after) if after else ""
    return f"{shlex.quote('refs/tags/' + before)}[0-9]*{end}"
