"""When a build may be signed: decided from paths and the environment alone, before anything is opened."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

ALLOW_VARIABLE = "HATCH_SIGN_ALLOW_DIRECTORY"
"""Folders, separated as in ``PATH``, in which builds are signed although they look like a passing place."""

_UV_BUCKET = re.compile(r"(?:builds|sdists|archive|built-wheels)-v[0-9]+", re.ASCII)
"""A folder that only uv makes: its cache may lie anywhere (``--cache-dir``), but is laid out like this."""


def reason_to_abstain(output: Path, *, version: str, environ: Mapping[str, str], temporary: Iterable[Path]) -> str | None:
    """Return why what is built at `output`, a file or its folder, is no release; None where it may be one.

    `version` is "editable", or whatever else the front end calls the build; `temporary` are the folders of the system for
    passing files. Judged by where the artifact ends up, never by where it is built from: front ends build releases from an
    unpacked sdist.
    """
    if version == "editable":
        return "an editable build is no release"
    if built_by_pip(environ):
        return "pip keeps what it builds only to install it"
    place = Path(os.path.realpath(output))
    allowed = [folder for folder in allowed_folders(environ) if place.is_relative_to(folder)]
    for passing, found in _passing_places(place, environ, temporary):
        # What is allowed must lie within: allowing a workspace does not allow the folder of tox in it.
        if not any(folder.is_relative_to(passing) for folder in allowed):
            return f"it was built in {found}; to sign all the same, name the folder's absolute path in {ALLOW_VARIABLE}"
    return None


def built_by_pip(environ: Mapping[str, str]) -> bool:
    """Return whether pip runs the build: only to install, whatever it builds."""
    return bool(environ.get("PIP_BUILD_TRACKER"))


def allowed_folders(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the folders that the user has allowed; relative ones, which would depend on who runs, are passed over."""
    named = environ.get(ALLOW_VARIABLE, "").split(os.pathsep)
    return tuple(Path(os.path.realpath(name)) for name in named if name and Path(name).is_absolute())


def uv_cache_folders(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield where uv's cache is: ``UV_CACHE_DIR``, and the place that uv takes without it."""
    home = environ.get("HOME") or environ.get("USERPROFILE") or ""
    for variable, below in (("UV_CACHE_DIR", ""), ("XDG_CACHE_HOME", "uv"), ("LOCALAPPDATA", "uv/cache")):
        if environ.get(variable):
            yield Path(environ[variable], below)
    if home:
        yield Path(home, ".cache", "uv")


def _passing_places(place: Path, environ: Mapping[str, str], temporary: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """Yield each folder around `place` whose files are for passing use, and what it is."""
    around = (place, *place.parents)
    tox = environ.get("TOX_WORK_DIR")
    named = [
        *((Path(os.path.realpath(folder)), "a folder of tox") for folder in ([tox] if tox else [])),
        *((Path(os.path.realpath(folder)), "the cache of uv") for folder in uv_cache_folders(environ)),
        *((Path(os.path.realpath(folder)), "the temporary folder of the system") for folder in temporary),
    ]
    yield from ((folder, "a folder of tox") for folder in around if folder.name == ".tox")
    yield from ((folder, "the cache of uv") for folder in around if _UV_BUCKET.fullmatch(folder.name))
    yield from ((folder, what) for folder, what in named if folder in around)
