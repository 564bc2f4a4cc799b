"""The policy of a protected branch, taken from git with the files that it names: what is checked out has no say."""

from __future__ import annotations

import posixpath
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatch_sign.provenance.git import open_git
from hatch_sign.values.display import display
from hatch_sign.values.errors import UsageError

if TYPE_CHECKING:
    from hatch_sign.provenance.git import Git

MOST_FILES = 100
"""Files that one policy may name."""

_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_PSEUDO_REFERENCES = frozenset({"HEAD", "FETCH_HEAD"})
"""What git takes before any reference of that name."""

_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_NO_PATH = re.compile(r'[\\:\x00-\x1f"<>|?*]')


def load_policy(policy: str, *, folder: Path, workspace: Path, environ: Mapping[str, str]) -> Path:
    """Return the path of a policy: `policy` itself, or a copy in `folder` of what git has where it is ``REF:PATH``.

    A colon always means git, also where a file of that name lies in the workspace: a pull request could add one. Raises
    UsageError where git does not have it.
    """
    if ":" not in policy or _DRIVE.match(policy):
        return workspace / policy
    reference, _, path = policy.partition(":")
    wanted = _inside(path)
    if not reference or wanted is None:
        message = f"found the policy {display(policy)!r}, expected REF:PATH with a path inside the repository"
        raise UsageError(message, remedy="write it like origin/main:hatch-sign.toml")
    git = _open(workspace, environ)
    commit = _commit(git, reference)
    if commit is None:
        message = f"git does not know {display(reference)}"
        raise UsageError(message, remedy="fetch it in an earlier step, such as `git fetch --depth=1 origin main`")
    return _copy(git, commit, wanted, folder)


def _open(workspace: Path, environ: Mapping[str, str]) -> Git:
    git = open_git(workspace, environ)
    if git is None:
        message = "git cannot be asked for the policy"
        raise UsageError(message, remedy="have it on the path, which the container of a job may not")
    if git.ask("rev-parse", "--git-dir") is None:
        message = f"git reads no repository in {display(workspace)}"
        remedy = "check it out in an earlier step; where it is another user's, git needs to be told of it by safe.directory"
        raise UsageError(message, remedy=remedy)
    return git


def _commit(git: Git, reference: str) -> str | None:
    """Return the commit of a branch, a tag, or a whole commit id; None where there is none.

    git itself would take a tag ``origin/main`` before the branch of that name, and whoever may push tags could say who is
    trusted. Raises UsageError where several references have the name.
    """
    if _ID.fullmatch(reference) or reference in _PSEUDO_REFERENCES:
        found = [reference]
    else:
        found = [
            name for name in _whole_names(reference) if git.ask("show-ref", "--verify", "--quiet", "--", name) is not None
        ]
    if len(found) > 1:
        message = f"{display(reference)} is ambiguous: git has {', '.join(map(display, found))}"
        raise UsageError(message, remedy=f"write the one that is meant, such as {display(found[-1])}:PATH")
    told = git.ask("rev-parse", "--verify", "--end-of-options", f"{found[0]}^{{commit}}") if found else None
    return None if told is None else told.strip()


def _whole_names(reference: str) -> tuple[str, ...]:
    """Return the references that a name may stand for (gitrevisions(7)); a whole one is meant alone."""
    if reference.startswith("refs/"):
        return (reference,)
    return tuple(f"refs/{folder}{reference}" for folder in ("", "tags/", "heads/", "remotes/"))


def _copy(git: Git, commit: str, path: str, folder: Path) -> Path:
    text = _show(git, commit, path)
    if text is None:
        message = f"commit {commit} has no file {display(path)}"
        raise UsageError(message, remedy="write the path as it is from the top of the repository")
    target = _write(folder, path, text)
    for beside in sorted({*_named(text, posixpath.dirname(path))} - {path})[:MOST_FILES]:
        found = _show(git, commit, beside)
        if found is not None:
            _write(folder, beside, found)
    return target


def _show(git: Git, commit: str, path: str) -> str | None:
    return git.ask("cat-file", "blob", f"{commit}:{path}")


def _write(folder: Path, path: str, text: str) -> Path:
    target = folder.joinpath(*path.split("/"))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(text.encode())
    return target


def _named(text: str, directory: str) -> Iterator[str]:
    """Yield the paths in the repository that values of a configuration may be; what is no TOML names none."""
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError):  # ValueError: numbers beyond what int() takes, too
        return
    tool = document.get("tool")
    table = tool.get("hatch-sign") if isinstance(tool, dict) else document
    for value in _strings(table):
        path = _inside(posixpath.join(directory, value))
        if path is not None:
            yield path


def _strings(value: Any) -> Iterator[str]:  # noqa: ANN401 - whatever TOML can say
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)


def _inside(path: str) -> str | None:
    """Return `path` without detours; None where it leaves the repository, or is no path on every system."""
    plain = posixpath.normpath(path)
    parts = plain.split("/")
    if path and not plain.startswith("/") and not {"", ".", ".."} & {*parts} and not _NO_PATH.search(plain):
        return plain
    return None
