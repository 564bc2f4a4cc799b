"""Where the release comes from: the tag, the commit, and what its provenance claims of them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_sign.provenance.git import open_git
from hatch_sign.provenance.variables import COMMIT
from hatch_sign.releasing.checks import Check, failure, listed, ok
from hatch_sign.releasing.tags import full_tag, tags_of, version_in
from hatch_sign.releasing.tree import find_tree, top_of

if TYPE_CHECKING:
    from hatch_sign.formats.slsa import SourceCommit
    from hatch_sign.releasing.tree import Tree

_SHORT = 12
"""Characters of a commit's id that people compare."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What git says. `tags` are those at the commit; `tagged` is the commit that the named tag is at, None for no such tag.

    `tree` is None where git cannot tell.
    """

    commit: str
    tags: tuple[str, ...]
    tagged: str | None
    tree: Tree | None


def find_origin(directory: Path, environ: Mapping[str, str], *, tag: str | None, folder: Path) -> Origin | None:
    """Return what git says of the project in `directory`; None where it says nothing. What is in `folder` is no change."""
    git = open_git(directory, environ)
    if git is None:
        return None
    # The second name is the folder in that commit: one that lies ignored in somebody's checkout is no part of it.
    named, root = git.ask("rev-parse", "HEAD", "HEAD:./"), top_of(git)
    commit = named.partition("\n")[0] if named is not None else ""
    if root is None or not re.fullmatch(COMMIT, commit):
        return None
    if not Path(os.path.realpath(directory)).is_relative_to(root):  # settings point at another tree: nobody asked about it
        return None
    built = Path(os.path.realpath(folder))
    inside = built.relative_to(root).as_posix() if built.is_relative_to(root) and built != root else ""
    tags = git.ask("tag", "--no-column", "--points-at", "HEAD") or ""
    tagged = None
    if tag is not None and (found := git.ask("show-ref", "--verify", "--hash", full_tag(tag))):
        tagged = (git.ask("rev-parse", "--verify", "--quiet", f"{found.strip()}^{{commit}}") or "").strip() or None
    return Origin(commit, tuple(tags.splitlines()), tagged, find_tree(git, root, environ, leaving_out=inside))


def choose_tag(origin: Origin | None, tag: str | None, version: str | None, configured: str) -> str | None:
    """Return the tag that is meant: the one that is named, else one at the commit that names the version."""
    if tag is not None or origin is None or version is None:
        return tag
    return next((each for each in origin.tags if version_in(each, configured) == version), None)


def check_tag(tag: str | None, version: str | None, configured: str) -> Check:
    """Check that the version is the tag's."""
    expected = f"tag {tags_of(version, configured)}" if version is not None else "a tag with the version"
    if tag is None:
        remedy = "`git tag` the commit that was built, or name the tag with --tag"
        return failure("tag", "the commit has no tag of this version", expected, remedy)
    if version is None:
        return failure("tag", f"{tag}, and no one version to hold it against", "one release", "build the tag's version")
    if version_in(tag, configured) == version:
        return ok("tag", f"{tag} is version {version}")
    return failure("tag", tag, expected, "check the tag out, and build its version, or tag this one")


def check_commit(origin: Origin | None, tag: str | None, directory: Path) -> Check:
    """Check that the tag is at the commit that is checked out."""
    if origin is None:
        remedy = "run it in the project's own checkout, with git on the path; `git status` there says what is wrong"
        return failure("commit", f"git says nothing of {directory}", "a git checkout", remedy)
    if tag is None:
        return failure(
            "commit", f"{origin.commit[:_SHORT]}, without a tag to hold it against", "a tag at it", "name the tag with --tag"
        )
    tagged = origin.commit if tag in origin.tags else origin.tagged
    if tagged == origin.commit:
        return ok("commit", f"{tag} is at {origin.commit[:_SHORT]}, which is checked out")
    found = f"{tag} is at {tagged[:_SHORT]}" if tagged else f"no tag {tag}"
    remedy = "check the tag out and build it" if tagged else f"`git tag {tag}`, or `git fetch --tags` where it is elsewhere"
    return failure("commit", found, f"it at {origin.commit[:_SHORT]}, which is checked out", remedy)


def check_provenance(claims: Iterable[tuple[str, tuple[SourceCommit, ...]]], origin: Origin | None) -> Iterator[Check]:
    """Check each claim of where the artifacts were built from: the signature's name, and the commits that it names."""
    wrong, right = [], 0
    commit = origin.commit if origin is not None else ""
    for name, sources in claims:
        if found := _objection(sources, commit):
            expected = f"commit {commit[:_SHORT]}, unchanged" if commit else "the commit that is checked out"
            wrong.append(failure("provenance", f"{name} {found}", expected, "build and sign what is checked out"))
        right += not found
    yield from listed(wrong)
    if not wrong:
        yield ok("provenance", f"{commit[:_SHORT]} is what {right} of the signatures claim" if right else "none is claimed")


def _objection(sources: tuple[SourceCommit, ...], commit: str) -> str:
    """Return what is wrong with the commits that one provenance names; it may name what else was built from, too."""
    same = [source for source in sources if source.commit == commit]
    if not same:
        return f"claims commit {', '.join(source.commit[:_SHORT] for source in sources)}"
    return "claims that files had been changed" if any(source.modified for source in same) else ""
