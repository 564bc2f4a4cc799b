"""Where artifacts go that were built and could not be signed: out of the way of whoever publishes."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from hatch_sign.values.display import display

PLACE = Path(".hatch-sign", "unsigned")
"""The folder below the project. Only what can be built again is ever in it."""


def withdraw(artifacts: Mapping[Path, Path], project: Path) -> str:
    """Move each artifact to the quarantine of `project`, under its relative path there, and say what became of them.

    Never raises: what cannot be moved, because the project is not writable or its disk is full, is removed, as it can be
    built again; and what cannot even be removed is named.
    """
    fates: dict[str, list[Path]] = {"moved": [], "removed": [], "left": []}
    for path, below in artifacts.items():
        fates[_withdraw_one(path, project / PLACE / below, project)].append(path)
    said = [
        f"moved to {display(project / PLACE)}" if fates["moved"] else "",
        f"removed {_list(fates['removed'])}, as it cannot be moved" if fates["removed"] else "",
        f"{_list(fates['left'])} cannot be removed either: do not publish it" if fates["left"] else "",
    ]
    return ", ".join(filter(None, said)) or "there is nothing left of it"


def empty_quarantine(project: Path) -> None:
    """Remove what an earlier failure left: an sdist takes in all that the `.gitignore` at the root does not name."""
    with contextlib.suppress(OSError):
        shutil.rmtree(project / PLACE)
        (project / PLACE).parent.rmdir()  # which fails where it holds anything else


def _withdraw_one(path: Path, target: Path, project: Path) -> str:
    try:
        _prepare(target.parent, project)
        move(path, target)
    except OSError:
        return _remove(path)
    return "moved"


def _remove(path: Path) -> str:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return "left"
    return "removed"


def _prepare(folder: Path, project: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (project / PLACE / ".gitignore").write_text("*\n")


def move(source: Path, target: Path) -> None:
    """Move a file over an older one, also to another file system; `target` is never seen half-written. Raises OSError."""
    try:
        os.replace(source, target)  # noqa: PTH105 - the one call that is atomic on every system
    except OSError:
        # Another file system, most likely; a second failure below says what it was if not.
        temporary = target.with_name(f".{secrets.token_hex(8)}.hatch-sign-tmp")
        try:
            shutil.copyfile(source, temporary, follow_symlinks=False)
            os.replace(temporary, target)  # noqa: PTH105 - as above
        finally:
            temporary.unlink(missing_ok=True)
        source.unlink()


def _list(paths: Iterable[Path]) -> str:
    return ", ".join(display(path) for path in paths)
