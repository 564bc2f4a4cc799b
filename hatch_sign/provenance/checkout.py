"""The git checkout of a project, asked through git, which may be missing and is not believed blindly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_sign.formats.slsa import Dependency
from hatch_sign.provenance.git import open_git
from hatch_sign.provenance.variables import COMMIT

if TYPE_CHECKING:
    from collections.abc import Mapping


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
    takes more than :data:`~hatch_sign.provenance.git.PATIENCE`.
    """
    git = open_git(directory, environ)
    if git is None:
        return None
    # The second name is the folder in that commit: one that lies untracked in somebody's checkout is no part of it.
    named = git.ask("rev-parse", "HEAD", "HEAD:./")
    commit = named.partition("\n")[0] if named is not None else ""
    if not re.fullmatch(COMMIT, commit):
        return None
    changes = git.changes()
    return None if changes is None else Checkout(commit, modified=bool(changes))


def commit_beside(checkout: Checkout | None, commit: str) -> tuple[Dependency, ...]:
    """Return the checkout as one more dependency where it is not simply what `commit` names."""
    if checkout is None or (checkout.commit == commit and not checkout.modified):
        return ()
    return (checkout.dependency,)
