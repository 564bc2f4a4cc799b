"""The one file that a configuration is read from."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from hatch_sign.configuration.lines import KeyPath, LineIndex
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError

LARGEST = 1 << 20
"""Bytes in a configuration, and in any file that it names."""

PROJECT_FILE = "pyproject.toml"
OWN_FILE = "hatch-sign.toml"

_TABLE = ("tool", "hatch-sign")
_MISSPELT = ("tool", "hatch_sign")
_LINE = re.compile(r"\(at line (\d+), column \d+\)")


@dataclass
class Source:
    """A configuration as it was read: `table` is hatch-sign's own part of the file, None where there is none."""

    path: Path | None
    table: dict[str, Any] | None = None
    text: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        """The file as messages name it."""
        return display(self.path.name) if self.path else "configuration"

    @property
    def is_project(self) -> bool:
        """Whether it is a ``pyproject.toml``, where the keys stand in ``[tool.hatch-sign]``."""
        return self.path is not None and self.path.name == PROJECT_FILE

    def line_of(self, path: KeyPath) -> int | None:
        """Return the line on which a key of hatch-sign's part stands, where that is certain."""
        return self._lines.line_of((*_TABLE, *path) if self.is_project else path)

    @cached_property
    def _lines(self) -> LineIndex:
        return LineIndex(self.text)  # only a mistake asks for it


def read_source(path: Path) -> Source:
    """Read a TOML file. Raises ConfigurationError for one that cannot be read, is too big, or is no TOML."""
    try:
        text = read_limited(path).decode("utf-8")
        document = tomllib.loads(text)
    except UnicodeDecodeError:
        raise _unreadable(path, "it is not UTF-8, as TOML must be") from None
    except RecursionError:
        raise _unreadable(path, "its values are nested too deeply") from None
    except ValueError as error:  # TOMLDecodeError, and integers that are too long
        found = _LINE.search(str(error))
        raise _unreadable(path, f"it is not TOML: {display(error)}", int(found[1]) if found else None) from None
    source = Source(path, document, text)
    _refuse_misplaced(source, document, path)
    if source.is_project:
        source.table = _own_table(document, path)
    return source


def read_limited(path: Path, *, largest: int = LARGEST) -> bytes:
    """Return the bytes of a regular file. Raises ConfigurationError, also for more than `largest` bytes."""
    try:
        if path.exists() and not path.is_file():  # opening a pipe would wait for its other end
            message = f"{display(path)} is not a regular file"
            raise ConfigurationError(message, remedy="name a file")
        with path.open("rb") as stream:
            data = stream.read(largest + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        message = f"{display(path)} cannot be read: {getattr(error, 'strerror', None) or 'no such name'}"
        raise ConfigurationError(message, remedy="correct the name, or make the file readable") from None
    if len(data) > largest:
        message = f"{display(path)} is larger than {largest} bytes"
        raise ConfigurationError(message, remedy="nothing that a configuration needs is so large")
    return data


def _refuse_misplaced(source: Source, document: dict[str, Any], path: Path) -> None:
    """Raise for a table that the user takes for the configuration: what it says must not be passed over."""
    own, misspelt = _at(document, _TABLE) is not None, _at(document, _MISSPELT) is not None
    if source.is_project and misspelt:
        problem = "[tool.hatch_sign] is spelled with a hyphen: [tool.hatch-sign]"
        raise _unreadable(path, problem, LineIndex(source.text).line_of(_MISSPELT))
    if not source.is_project and (own or misspelt):
        table = _TABLE if own else _MISSPELT
        problem = f"[{'.'.join(table)}] is for {PROJECT_FILE}; its keys belong at the top of this file"
        raise _unreadable(path, problem, LineIndex(source.text).line_of(table))


def _at(document: dict[str, Any], keys: tuple[str, ...]) -> object:
    table: Any = document
    for key in keys:
        if not isinstance(table, dict) or key not in table:
            return None
        table = table[key]
    return table


def _own_table(document: dict[str, Any], path: Path) -> dict[str, Any] | None:
    table = _at(document, _TABLE)
    if table is not None and not isinstance(table, dict):
        raise _unreadable(path, "tool.hatch-sign is not a table")
    return table


def _unreadable(path: Path, reason: str, line: int | None = None) -> ConfigurationError:
    place = f"{display(path.name)}:{line}" if line else display(path.name)
    message = f"the configuration {display(path)} cannot be read"
    return ConfigurationError(message, problems=[f"{place}: {reason}"])
