"""Find an executable, and make the environment that it runs in."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from hatch_sign.contract.executables import ALLOW_VARIABLE, allowed_executables
from hatch_sign.values.errors import ConfigurationError, CustodyError
from hatch_sign_kms.executables.calls import PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

_WITHHELD_PREFIXES = ("HATCH_", "TWINE_", "FLIT_", "PDM_PUBLISH_", "POETRY_", "UV_PUBLISH_", "UV_INDEX", "UV_DEFAULT_INDEX")
_WITHHELD_NAMES = frozenset({"COSIGN_PASSWORD", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_EXTRA_INDEX_URL"})
_WITHHELD_WORDS = frozenset({"PIN", "PYPI", "TESTPYPI"})
_SECRET_WORDS = frozenset({"AUTH", "CREDENTIAL", "CREDENTIALS", "KEY", "PASS", "PASSWD", "PASSWORD", "SECRET", "TOKEN"})
_SHORTEST_SECRET = 4


def require_allowed(name: str, environ: Mapping[str, str]) -> None:
    """Raise ConfigurationError unless the environment allows the executable of this name."""
    if name not in allowed_executables(environ):
        message = f"{name}: the executable {PREFIX}{name} may not be run"
        raise ConfigurationError(message, remedy=f"where you trust it, set {ALLOW_VARIABLE}={name} outside the project")


def find_executable(name: str, environ: Mapping[str, str], *, directory: str) -> str:
    """Return the path of ``sigstore-kms-NAME``: the first on an absolute entry of PATH that is not `directory`.

    `directory` is the working directory, where whoever wrote a project may have put a program. Raises CustodyError.
    """
    file_name = PREFIX + name + (".exe" if sys.platform == "win32" else "")
    for entry in environ.get("PATH", os.defpath).split(os.pathsep):
        if os.path.isabs(entry) and not _is_same_folder(entry, directory):  # noqa: PTH117 - as PATH has it, a text
            path = os.path.join(entry, file_name)  # noqa: PTH118 - as above
            if os.path.isfile(path) and os.access(path, os.X_OK):  # noqa: PTH113 - as above
                return path
    message = f"{name}: there is no {file_name} on an absolute entry of PATH outside the working directory"
    raise CustodyError(message, remedy="install it as for cosign")


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return `environ` without what is none of an executable's business: our settings, PINs, credentials of indexes."""
    return {name: value for name, value in environ.items() if not _is_withheld(name.upper())}


def without_secrets(text: str, environ: Mapping[str, str]) -> str:
    """Return `text` with the value of every variable that is named like a secret replaced: programs quote what they got."""
    values = {value for name, value in environ.items() if _words(name.upper()) & (_SECRET_WORDS | _WITHHELD_WORDS)}
    for value in sorted(values, key=len, reverse=True):
        if len(value) >= _SHORTEST_SECRET:
            text = text.replace(value, "***")
    return text


def _is_withheld(name: str) -> bool:
    return name.startswith(_WITHHELD_PREFIXES) or name in _WITHHELD_NAMES or bool(_words(name) & _WITHHELD_WORDS)


def _words(name: str) -> frozenset[str]:
    return frozenset(name.split("_"))


def _is_same_folder(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)
