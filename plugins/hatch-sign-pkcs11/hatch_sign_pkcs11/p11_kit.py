"""The modules that p11-kit is configured with, read as it reads them: pkcs11.conf(5).

p11-kit itself is not asked: it may be absent, and loads every module that it knows to answer about one.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PROGRAM = "hatch-sign"
"""The name that ``enable-in`` and ``disable-in`` know this program by."""

_LARGEST_FILE = 64 * 1024
_MOST_FILES = 200
_FILE_NAME = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]*)\.module\Z")
_USER_MODES = {"none": "none", "merge": "merge", "only": "only", "override": "only"}


@dataclass(frozen=True, slots=True)
class P11KitFolders:
    """Where p11-kit's files are.

    `system` and `user` each hold ``pkcs11.conf`` and a folder ``modules``, `packages` holds what packages installed;
    `libraries` are the folders of modules that are named by a relative path. Leave `user` out where it must not count.
    """

    system: Path
    packages: Path
    libraries: tuple[Path, ...]
    user: Path | None = None


@dataclass(frozen=True, slots=True)
class ConfiguredModule:
    """One module of p11-kit's configuration; `source` is the file that says where it is."""

    name: str
    path: Path
    source: Path
    enabled: bool
    holds_keys: bool


def configured_modules(folders: P11KitFolders, *, program: str = PROGRAM) -> tuple[ConfiguredModule, ...]:
    """Return the configured modules, by priority and name as p11-kit orders them; files that it refuses are left out.

    A module that is configured away (an empty ``module:``) or lives behind ``remote:`` is not there. Never raises.
    """
    merged: dict[str, dict[str, tuple[str, Path]]] = {}
    for file in _module_files(folders):
        name = file.name.removesuffix(".module")
        # What was read first wins, setting by setting: the user's files, then the system's, then those of packages.
        merged[name] = {key: (value, file) for key, value in _read(file).items()} | merged.get(name, {})
    by_priority = sorted(merged, key=lambda name: (-_priority(merged[name]), name))
    found = (_configured_module(name, merged[name], folders, program) for name in by_priority)
    return tuple(module for module in found if module is not None)


def _module_files(folders: P11KitFolders) -> list[Path]:
    mode = _user_mode(folders)
    user = [folders.user / "modules"] if folders.user is not None and mode != "none" else []
    system = [folders.system / "modules", folders.packages] if mode != "only" else []
    return [file for folder in (*user, *system) for file in _files(folder)]


def _user_mode(folders: P11KitFolders) -> str:
    """Return what becomes of the user's own configuration; the user may narrow what the system allows."""
    if folders.user is None:
        return "none"
    mode = _USER_MODES.get(_read(folders.system / "pkcs11.conf").get("user-config", "merge"), "none")
    if mode == "none":
        return mode
    return _USER_MODES.get(_read(folders.user / "pkcs11.conf").get("user-config", mode), "none")


def _files(folder: Path) -> list[Path]:
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError:
        return []
    return [folder / name for name in names if _FILE_NAME.match(name)][:_MOST_FILES]


def _read(path: Path) -> dict[str, str]:
    """Return the settings of one file; none where it cannot be read or is not of the format."""
    settings: dict[str, str] = {}
    for line in _lines(path):
        name, colon, value = line.partition(":")
        if not colon:
            return {}
        settings[name.strip()] = value.strip()
    return settings


def _lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except (OSError, ValueError):
        return []
    if len(content) > _LARGEST_FILE:
        return []
    lines = (line.strip() for line in content.decode("utf-8", "surrogateescape").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _configured_module(
    name: str, settings: Mapping[str, tuple[str, Path]], folders: P11KitFolders, program: str
) -> ConfiguredModule | None:
    library, source = settings.get("module", ("", folders.system))
    if not library or "remote" in settings:
        return None
    return ConfiguredModule(
        name=name,
        path=_library(library, folders),
        source=source,
        enabled=_is_enabled(settings, program),
        holds_keys=settings.get("trust-policy", ("no", source))[0] != "yes",
    )


def _library(library: str, folders: P11KitFolders) -> Path:
    # Joining an absolute path returns it as it is.
    candidates = [folder / library for folder in folders.libraries] or [folders.system / library]
    # pathlib's exists() raises where a folder above may not be searched.
    return next((candidate for candidate in candidates if os.path.exists(candidate)), candidates[0])  # noqa: PTH110


def _is_enabled(settings: Mapping[str, tuple[str, Path]], program: str) -> bool:
    if "enable-in" in settings:
        return program in _programs(settings["enable-in"][0])
    return "disable-in" not in settings or program not in _programs(settings["disable-in"][0])


def _programs(value: str) -> list[str]:
    return re.split(r"[,\s]+", value)


def _priority(settings: Mapping[str, tuple[str, Path]]) -> int:
    value = settings.get("priority", ("0", None))[0]
    return int(value) if re.fullmatch(r"-?[0-9]{1,9}", value) else 0
