"""git, asked about a checkout that may have been made to run programs, and told nothing of the environment."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PATIENCE = 30.0
"""Seconds that git is waited for, each time it is asked."""

_PASSED_ON = ("HOME", "USERPROFILE", "SYSTEMROOT", "PATH")
"""What git is told of the environment: where its user's settings are, among them whose checkouts are safe."""

_QUIET = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    # An object that a partial clone lacks would be fetched by a program that the checkout names.
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    # Objects that the checkout says stand in for others: a commit is what its id says.
    "GIT_NO_REPLACE_OBJECTS": "1",
}

# A file system monitor and hooks would be programs that the checkout names.
_HARMLESS = ("--no-optional-locks", "-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}")

_OWN_SCOPES = frozenset({"local", "worktree"})
"""Whose settings came with the checkout; those of the user and of the system are believed."""

_OF_SUBMODULE = "160000 "
"""How the index lists a commit of another repository (gitformat-index(5))."""

_FILTER, _RUNS = "filter.", (".clean", ".smudge", ".process")

_EXTENSIONS = "lfs.extension."
"""Settings of programs that git-lfs runs, whose own filter is the user's, and so is believed."""


SHARED_EXCLUDES = "--exclude-per-directory=.gitignore"
"""Passes over what the checkout says is not tracked, as build backends do; what one machine alone says is not heard."""

ALL_EXCLUDES = "--exclude-standard"
"""Passes over what is said in ``.git/info/exclude`` and in the user's own excludes file as well, as ``git status`` does."""


@dataclass(frozen=True, slots=True)
class Unwatched:
    """Files that git was told to take for unchanged, and to leave out of the checkout (git-update-index(1))."""

    assumed: tuple[str, ...]
    skipped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Git:
    """git for one folder. `settings` are those that it is told on its command line."""

    program: str
    directory: Path
    environ: Mapping[str, str]
    settings: tuple[str, ...] = _HARMLESS

    def ask(self, *arguments: str) -> str | None:
        """Return what git prints, None where it fails or takes more than :data:`PATIENCE`."""
        try:
            done = subprocess.run(  # noqa: S603 - found on an absolute entry of PATH; the arguments are ours
                [self.program, "-C", str(self.directory), *self.settings, *arguments],
                env=dict(self.environ),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=PATIENCE,
                check=False,
            )
        except (OSError, ValueError, subprocess.TimeoutExpired):  # ValueError: a NUL in an argument
            return None
        return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None

    def changes(self, *, leaving_out: str = "") -> tuple[str, ...] | None:
        """Return the tracked files of the whole checkout that differ from its commit; None where git cannot tell.

        `leaving_out` is a folder, relative to the checkout's top and with ``/``. Of a submodule it is told whether another
        commit is checked out: looking further would run git under settings of the submodule's own.
        """
        told = self.ask(
            "status", "--porcelain", "-z", "--untracked-files=no", "--ignore-submodules=dirty", "--", *_paths(leaving_out)
        )
        return None if told is None else tuple(_changed(told.split("\0")))

    def untracked(self, *, by: str, leaving_out: str = "") -> tuple[str, ...] | None:
        """Return the files that are not tracked; None where git cannot tell. A repository in a folder is one of them.

        `by` is the option that says which are passed over: :data:`SHARED_EXCLUDES` or :data:`ALL_EXCLUDES`.
        """
        told = self.ask("ls-files", "--others", by, "-z", "--full-name", "--", *_paths(leaving_out))
        return None if told is None else _entries(told)

    def submodules(self) -> tuple[str, ...] | None:
        """Return the folders that hold commits of other repositories, from the top; None where git cannot tell."""
        told = self.ask("ls-files", "--stage", "-z", "--full-name", "--", ":/")
        entries = (entry for entry in _entries(told or "") if entry.startswith(_OF_SUBMODULE))
        return None if told is None else tuple(dict.fromkeys(entry.partition("\t")[2] for entry in entries))

    def unwatched(self) -> Unwatched | None:
        """Return the files that git was told not to look at, so that it tells no change; None where it cannot tell."""
        told = self.ask("ls-files", "-v", "-z", "--full-name", "--", ":/")
        if told is None:
            return None
        entries = _entries(told)
        skipped = tuple(entry[2:] for entry in entries if entry[0] in "Ss")
        return Unwatched(tuple(entry[2:] for entry in entries if entry[0].islower() and entry[0] != "s"), skipped)


def open_git(directory: Path, environ: Mapping[str, str]) -> Git | None:
    """Return git for a folder; None where it is not on an absolute entry of PATH, or cannot read the settings there.

    Filters that the checkout itself defines are switched off: they are programs, which looking for changes would run.
    """
    program = _find_git(environ)
    if program is None:
        return None
    git = Git(program, directory, {**{name: environ[name] for name in _PASSED_ON if name in environ}, **_QUIET})
    listed = git.ask("config", "--list", "--show-scope", "--name-only", "-z")
    if listed is None:
        return None
    own = _own_settings(listed.split("\0"))
    names = sorted(set(_filters(own)))
    if any("=" in name for name in names):  # such a name cannot be given on the command line
        return None
    if any(setting.startswith(_EXTENSIONS) for setting in own):
        return None
    off = [word for name in names for kind in _RUNS for word in ("-c", f"{_FILTER}{name}{kind}=")]
    optional = [word for name in names for word in ("-c", f"{_FILTER}{name}.required=false")]
    return replace(git, settings=(*git.settings, *off, *optional))


def _find_git(environ: Mapping[str, str]) -> str | None:
    entries = [entry for entry in environ.get("PATH", "").split(os.pathsep) if Path(entry).is_absolute()]
    found = shutil.which("git", path=os.pathsep.join(entries)) if entries else None
    return found if found is not None and Path(found).is_absolute() else None  # Windows looks in the working directory first


def _own_settings(listed: list[str]) -> list[str]:
    """Return the settings that came with the checkout, among scopes and names of settings, which alternate."""
    return [setting for scope, setting in zip(listed[::2], listed[1::2], strict=False) if scope in _OWN_SCOPES]


def _filters(settings: list[str]) -> Iterator[str]:
    """Yield the names of filters among settings."""
    for setting in settings:
        kind = next((kind for kind in _RUNS if setting.endswith(kind)), None)
        if setting.startswith(_FILTER) and kind is not None:
            yield setting[len(_FILTER) : -len(kind)]


def _paths(leaving_out: str) -> Iterator[str]:
    """Yield what names the whole checkout but for one folder."""
    yield ":/"
    if leaving_out:
        yield f":(top,exclude,literal){leaving_out}"


def _entries(told: str) -> tuple[str, ...]:
    return tuple(entry for entry in told.split("\0") if entry)


def _changed(entries: list[str]) -> Iterator[str]:
    """Yield the paths in ``status -z``: two letters and a blank stand before each, and after a rename its old path."""
    following = iter(entries)
    for entry in following:
        if entry:
            yield entry[3:]
        if entry[:1] in {"R", "C"}:
            next(following, None)
