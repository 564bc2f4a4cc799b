"""The git checkout of a project, asked through git, which may be missing and is not believed blindly."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_sign.formats.slsa import Dependency
from hatch_sign.provenance.variables import COMMIT

if TYPE_CHECKING:
    from collections.abc import Mapping

PATIENCE = 30.0
"""Seconds that git is waited for."""

_PASSED_ON = ("HOME", "USERPROFILE", "SYSTEMROOT")
"""What git is told of the environment: where its user's settings are, among them whose checkouts are safe."""

# A file system monitor and hooks would be programs that the checkout names.
_QUIET = ("--no-optional-locks", "-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}")


@dataclass(frozen=True, slots=True)
class Checkout:
    """The commit that a folder is checked out at; `modified` says whether tracked files in it differ from the commit."""

    commit: str
    modified: bool

    @property
    def dependency(self) -> Dependency:
        """The checkout as something that went into a build. Where it came from is left out: addresses hold credentials."""
        return Dependency(name="checkout", digest={"gitCommit": self.commit}, annotations={"modified": self.modified})


def find_checkout(directory: Path, environ: Mapping[str, str]) -> Checkout | None:
    """Return the checkout whose commit holds the folder `directory`.

    None where there is none, where git is not on an absolute entry of PATH, refuses (a checkout that is another user's), or
    takes more than :data:`PATIENCE`.
    """
    program = _find_git(environ)
    if program is None:
        return None
    # The second name is the folder in that commit: one that lies untracked in somebody's checkout is no part of it.
    named = _ask(program, directory, environ, "rev-parse", "HEAD", "HEAD:./")
    commit = named.partition("\n")[0] if named is not None else ""
    if not re.fullmatch(COMMIT, commit):
        return None
    changes = _ask(program, directory, environ, "status", "--porcelain", "--untracked-files=no", "--", ":/")
    return None if changes is None else Checkout(commit, modified=bool(changes))


def commit_beside(checkout: Checkout | None, commit: str) -> tuple[Dependency, ...]:
    """Return the checkout as one more dependency where it is not simply what `commit` names."""
    if checkout is None or (checkout.commit == commit and not checkout.modified):
        return ()
    return (checkout.dependency,)


def _find_git(environ: Mapping[str, str]) -> str | None:
    entries = [entry for entry in environ.get("PATH", "").split(os.pathsep) if Path(entry).is_absolute()]
    found = shutil.which("git", path=os.pathsep.join(entries)) if entries else None
    return found if found is not None and Path(found).is_absolute() else None  # Windows looks in the working directory first


def _ask(program: str, directory: Path, environ: Mapping[str, str], *arguments: str) -> str | None:
    """Return what git prints, None where it fails. It gets no secret of the environment, and no variable of its own."""
    passed = {name: environ[name] for name in (*_PASSED_ON, "PATH") if name in environ}
    try:
        done = subprocess.run(  # noqa: S603 - found on an absolute entry of PATH; the arguments are ours
            [program, "-C", str(directory), *_QUIET, *arguments],
            env={**passed, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None
