"""Where hatch-sign keeps its own files on each system, and how private folders are made there."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_sign.values.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping


def data_folder(environ: Mapping[str, str], *, platform: str = sys.platform) -> Path:
    r"""Return the folder of hatch-sign's own files: ``HATCH_SIGN_HOME``, else the user data folder of the platform.

    That is ``$XDG_DATA_HOME/hatch-sign`` or ``~/.local/share/hatch-sign``, on macOS ``~/Library/Application
    Support/hatch-sign``, on Windows ``%LOCALAPPDATA%\hatch-sign``. The folder need not exist. An empty variable counts
    as unset, and so does a relative ``XDG_DATA_HOME`` (XDG Base Directory Specification).

    Raises ConfigurationError where the environment names no home folder.
    """
    chosen = environ.get("HATCH_SIGN_HOME")
    if chosen:
        return Path(chosen).absolute()
    if platform == "win32":
        return _windows_folder(environ) / "hatch-sign"
    if platform == "darwin":
        return _home(environ, "HOME") / "Library" / "Application Support" / "hatch-sign"
    shared = Path(environ.get("XDG_DATA_HOME", ""))
    return (shared if shared.is_absolute() else _home(environ, "HOME") / ".local" / "share") / "hatch-sign"


def make_private_folder(folder: Path) -> None:
    """Create `folder` and what is missing above it, for this user alone (0700 on POSIX); leave what exists as it is.

    Raises OSError.
    """
    for missing in reversed([folder, *folder.parents]):
        if not missing.is_dir():
            missing.mkdir(mode=0o700, exist_ok=True)


def _windows_folder(environ: Mapping[str, str]) -> Path:
    local = environ.get("LOCALAPPDATA")
    return Path(local) if local else _home(environ, "USERPROFILE") / "AppData" / "Local"


def _home(environ: Mapping[str, str], variable: str) -> Path:
    home = environ.get(variable)
    if not home:
        message = f"the folder of hatch-sign's files is unknown: {variable} is not set"
        raise ConfigurationError(message, remedy="set HATCH_SIGN_HOME to a folder of your own")
    return Path(home)
