"""Whether what is checked out is what is committed, and nothing else: builds pack what is there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_sign.provenance.git import ALL_EXCLUDES, SHARED_EXCLUDES, open_git
from hatch_sign.releasing.checks import Check, failure, listed, ok, warning

if TYPE_CHECKING:
    from hatch_sign.provenance.git import Git


@dataclass(frozen=True, slots=True)
class Tree:
    """How the checkout differs from its commit.

    `changes` are files that differ or are not tracked, and `hidden` those of the latter that only the settings of this
    machine hide. `unwatched` are files that are there, and that git was told not to look at; `absent` are what was left
    out of the checkout: by a sparse one, or submodules.
    """

    changes: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    unwatched: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether all that is there is what is committed."""
        return not (self.changes or self.hidden or self.unwatched)


def top_of(git: Git) -> Path | None:
    """Return the folder of the whole checkout, without links; None where git cannot tell."""
    top = git.ask("rev-parse", "--show-toplevel")
    return None if top is None else Path(os.path.realpath(top.rstrip("\r\n")))


def find_tree(git: Git, root: Path, environ: Mapping[str, str], *, leaving_out: str = "") -> Tree | None:
    """Return how the checkout at `root` differs, and its submodules; None where git cannot tell.

    Each is asked about itself, so that what its own settings would run is switched off for each.
    """
    tree, submodules = _look_alone(git, root, leaving_out), git.submodules()
    if tree is None or submodules is None:
        return None
    for name in submodules:
        if not os.path.lexists(root / name / ".git"):
            tree = _without(tree, root, name)
            continue
        inner = open_git(root / name, environ)
        is_there = inner is not None and top_of(inner) == Path(os.path.realpath(root / name))
        below = find_tree(inner, root / name, environ) if inner is not None and is_there else None
        if below is None:
            return None
        tree = _joined(tree, below, name)
    return tree


def _without(tree: Tree, root: Path, name: str) -> Tree:
    """Return a tree in which a submodule was left out; git tells nothing of files that lie in its place."""
    folder = root / name
    if folder.is_dir() and any(folder.iterdir()):
        return replace(tree, changes=(*tree.changes, f"{name}/"))
    return replace(tree, absent=(*tree.absent, name))


def _look_alone(git: Git, root: Path, leaving_out: str) -> Tree | None:
    changes, unwatched = git.changes(leaving_out=leaving_out), git.unwatched()
    untracked = git.untracked(by=SHARED_EXCLUDES, leaving_out=leaving_out)
    told = git.untracked(by=ALL_EXCLUDES, leaving_out=leaving_out) if untracked else ()
    if changes is None or untracked is None or told is None or unwatched is None:
        return None
    seen = frozenset(told)
    there = frozenset(path for path in unwatched.skipped if os.path.lexists(root / path))
    return Tree(
        changes=(*changes, *(path for path in untracked if path in seen)),
        hidden=tuple(path for path in untracked if path not in seen),
        unwatched=(*unwatched.assumed, *sorted(there)),
        absent=tuple(path for path in unwatched.skipped if path not in there),
    )


def _joined(tree: Tree, below: Tree, name: str) -> Tree:
    """Return a tree with that of the submodule `name` in it."""

    def moved(paths: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(f"{name}/{path}" for path in paths)

    return Tree(
        (*tree.changes, *moved(below.changes)),
        (*tree.hidden, *moved(below.hidden)),
        (*tree.unwatched, *moved(below.unwatched)),
        (*tree.absent, *moved(below.absent)),
    )


def check_tree(tree: Tree | None) -> Iterator[Check]:
    """Check that no file differs from the commit, and none is there that is not tracked: it may be in the sdist.

    What is not there, because the checkout was told to leave it out, is warned of: the sdist lacks it.
    """
    if tree is None:
        expected, remedy = "an answer", "run `git status` in the project's own checkout"
        yield failure("tree", "git does not say what changed", expected, remedy)
        return
    expected = "nothing but what is committed"
    if tree.is_clean:
        yield ok("tree", expected)
    remedy = "commit it, name it in .gitignore or remove it, and build again"
    yield from listed(failure("tree", f"changed or not tracked: {path}", expected, remedy) for path in tree.changes)
    remedy = "name it in .gitignore, which builds read as well, or remove it, and build again"
    found = "not tracked, and hidden by .git/info/exclude or the user's own excludes file"
    yield from listed(failure("tree", f"{found}: {path}", expected, remedy) for path in tree.hidden)
    remedy = "`git update-index --no-assume-unchanged --no-skip-worktree` it, and see `git status`"
    yield from listed(failure("tree", f"git is not to look at {path}", expected, remedy) for path in tree.unwatched)
    remedy = "`git sparse-checkout disable` or `git submodule update --init` where the sdist should have it, and build again"
    found = "left out of the checkout, so that no build here has it"
    yield from listed(warning("tree", f"{found}: {path}", "all that is committed", remedy) for path in tree.absent)
