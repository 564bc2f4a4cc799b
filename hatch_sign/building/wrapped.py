"""The build backend of another that ours wraps: which one the project names, and how it is imported (PEP 517).

Everybody who installs the project from its sdist runs this, so it imports nothing but what reads one table.
"""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from hatch_sign.configuration.source import PROJECT_FILE, read_source
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError

if TYPE_CHECKING:
    from types import ModuleType

OURS = "hatch_sign.backend"

_TABLE = "[tool.hatch-sign.build]"

_DISTRIBUTIONS = MappingProxyType(
    {
        "mesonpy": "meson-python",
        "pdm": "pdm-backend",
        "poetry": "poetry-core",
        "scikit_build_core": "scikit-build-core",
    }
)
"""Where the distribution is not called as its module."""


@dataclass(frozen=True, slots=True)
class WrappedBackend:
    """What ``[tool.hatch-sign.build]`` says.

    `backend` is ``module`` or ``module:object``, as PEP 517 spells it; `path` are folders within the project that it is
    imported from; `requires` are what signing needs besides, such as the distribution of a plugin.
    """

    backend: str
    path: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()

    @property
    def module(self) -> str:
        """The module that holds it."""
        return self.backend.partition(":")[0]

    @property
    def requirement(self) -> str:
        """The distribution that most likely has it."""
        top = self.module.partition(".")[0]
        return _DISTRIBUTIONS.get(top, top)


def load_wrapped(root: Path) -> WrappedBackend:
    """Return what the ``pyproject.toml`` in `root` says. Raises ConfigurationError, also for none and for ourselves."""
    table = _read_table(root / PROJECT_FILE)
    backend = table.get("backend")
    if not isinstance(backend, str) or not backend.strip():
        message = f"{PROJECT_FILE}: {_TABLE} names no backend to build with"
        raise ConfigurationError(message, remedy='set `backend` there, such as backend = "setuptools.build_meta"')
    wrapped = WrappedBackend(backend.strip(), _texts(table, "backend-path"), _texts(table, "requires"))
    if wrapped.module == OURS:
        raise _ours()
    return wrapped


def import_wrapped(wrapped: WrappedBackend, root: Path) -> Any:  # noqa: ANN401 - a module, or an object in one
    """Import the backend, from its folders first where it has any, and return it.

    Raises ConfigurationError where it is not there; what its own code raises while it is imported is its own error.
    """
    folders = [_folder(name, root) for name in wrapped.path]
    sys.path[:0] = [str(folder) for folder in folders]
    try:
        module = importlib.import_module(wrapped.module)
    except ModuleNotFoundError as error:
        raise _missing(wrapped, error.name or wrapped.module) from None
    if folders and not _lies_in(module, folders):
        message = f"the build backend {display(wrapped.module)} is not in the `backend-path` of {_TABLE}"
        raise ConfigurationError(message, remedy="leave `backend-path` out for a backend that is installed")
    return _object_in(module, wrapped)


def _read_table(path: Path) -> dict[str, Any]:
    table = (read_source(path).table or {}).get("build", {})
    if not isinstance(table, dict):
        message = f"{PROJECT_FILE}: tool.hatch-sign.build is not a table"
        raise ConfigurationError(message, remedy=f"write {_TABLE}")
    return table


def _texts(table: dict[str, Any], key: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        message = f"{PROJECT_FILE}: `{key}` in {_TABLE} is no array of strings"
        raise ConfigurationError(message, remedy=f'write {key} = ["..."]')
    return tuple(value)


def _folder(name: str, root: Path) -> Path:
    """Return a folder of the backend path, which must lie within the project (PEP 517, "In-tree build backends")."""
    inside = Path(os.path.realpath(root))
    folder = Path(os.path.realpath(inside / name))
    if not folder.is_relative_to(inside):
        message = f"{PROJECT_FILE}: `backend-path` in {_TABLE} leads out of the project: {display(name)}"
        raise ConfigurationError(message, remedy="name folders within the project")
    return folder


def _lies_in(module: ModuleType, folders: list[Path]) -> bool:
    found = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), "")
    return any(Path(os.path.realpath(found)).is_relative_to(folder) for folder in folders)


def _object_in(module: ModuleType, wrapped: WrappedBackend) -> Any:  # noqa: ANN401 - as above
    path = wrapped.backend.partition(":")[2]
    try:
        found = reduce(getattr, path.split("."), module) if path else module
    except AttributeError:
        message = f"the module {display(wrapped.module)} has no {display(path)}, which {_TABLE} names"
        raise ConfigurationError(message, remedy="correct `backend`") from None
    if getattr(found, "__name__", "") == OURS:  # as hatch_sign:backend; each of its hooks would ask for itself
        raise _ours()
    return found


def _ours() -> ConfigurationError:
    message = f"{PROJECT_FILE}: {_TABLE} names {OURS} itself"
    return ConfigurationError(message, remedy="name the backend that builds, such as setuptools.build_meta")


def _missing(wrapped: WrappedBackend, name: str) -> ConfigurationError:
    if wrapped.module == name or wrapped.module.startswith(f"{name}."):
        message = f"the build backend {display(wrapped.module)} of {_TABLE} is not installed"
        where = (
            "correct `backend-path`"
            if wrapped.path
            else f'add "{display(wrapped.requirement)}" to requires in [build-system]'
        )
        return ConfigurationError(message, remedy=where)
    message = f"the build backend {display(wrapped.module)} needs the module {display(name)}, which is not installed"
    return ConfigurationError(message, remedy="add what has it to requires in [build-system]")
