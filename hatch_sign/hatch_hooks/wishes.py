"""What ``[tool.hatch.publish.sign]`` and ``hatch publish -p sign -o KEY=VALUE`` ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError, UsageError

INDEX = "index"
"""The place that a setting is for which names none."""

_SWITCHES = frozenset({"dry-run", "offline"})
_FILES = frozenset({"config", "policy"})
_HATCHS = frozenset({"disable", "initialize_auth", "no_prompt"})
"""What is Hatch's own: the first in the table, the others among the options."""

_KNOWN = ", ".join(sorted({"to", *_SWITCHES, *_FILES}))
_SAID = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What to publish to and how to judge it.

    `to` are names of places; `config` and `policy` are files, absolute; `settings` are those of places, each
    ``NAME.KEY=VALUE``.
    """

    to: tuple[str, ...] = ()
    config: Path | None = None
    policy: Path | None = None
    offline: bool = False
    dry_run: bool = False
    settings: tuple[str, ...] = ()


def read_wishes(table: Mapping[str, Any], options: Mapping[str, Any], *, root: Path, directory: Path) -> Wishes:
    """Return what the project's table asks for, and the options in place of that; an option of no key is a place's setting.

    Files of the table are taken from `root`, those of options from `directory`. Raises ConfigurationError for the table and
    UsageError for an option, neither of which repeats a value: it may be a secret.
    """
    found: dict[str, Any] = {}
    for key, value in table.items():
        if key not in _HATCHS:
            found[key] = _from_table(key, value, root)
    settings = []
    for key, value in options.items():
        if key in {"to", *_FILES, *_SWITCHES}:
            found[key] = _from_option(key, str(value), directory)
        elif key not in _HATCHS:
            settings.append(f"{key if '.' in key else f'{INDEX}.{key}'}={value}")
    return Wishes(**{key.replace("-", "_"): value for key, value in found.items()}, settings=tuple(settings))


def _from_table(key: str, value: object, root: Path) -> Any:  # noqa: ANN401 - as the field of that name has it
    if key == "to" and isinstance(value, list) and value and all(isinstance(item, str) and item for item in value):
        return tuple(value)
    if key in _FILES and isinstance(value, str) and value:
        return root / value
    if key in _SWITCHES and isinstance(value, bool):
        return value
    wants = {
        "to": "an array of names",
        **dict.fromkeys(_FILES, "a file's name"),
        **dict.fromkeys(_SWITCHES, "true or false"),
    }
    if key in wants:
        message = f"[tool.hatch.publish.sign]: {key} is not {wants[key]}"
        raise ConfigurationError(message, remedy="correct it")
    message = f"[tool.hatch.publish.sign]: {display(key)} is not a known key"
    raise ConfigurationError(message, remedy=f"it knows {_KNOWN}; settings of a place belong in [[tool.hatch-sign.publish]]")


def _from_option(key: str, value: str, directory: Path) -> Any:  # noqa: ANN401 - as the field of that name has it
    if key == "to" and value:
        return tuple(name.strip() for name in value.split(",") if name.strip())
    if key in _FILES and value:
        return directory / value
    if value.lower() in _SAID and key in _SWITCHES:
        return _SAID[value.lower()]
    message = f"the option {key} says nothing"
    raise UsageError(message, remedy=f"write -o {key}={'true' if key in _SWITCHES else 'VALUE'}")
