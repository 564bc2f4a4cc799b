"""What the environment and the command line say of signing. Neither has a word for trust."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatch_sign.configuration.schema import SIGNATURE, TOP

if TYPE_CHECKING:
    from hatch_sign.configuration.mistakes import Mistakes

_COMMANDS = frozenset({"sign"})
"""Commands whose arguments are overrides: ``verify --key`` names a public key, and must never become a signing key."""

_LISTS = frozenset({"formats", "timestamp", "log"})
_PATHS = frozenset({"certificates", "output-directory"})
_SWITCHES = frozenset({"timestamp-optional"})
_FLAGS = {"formats": "--format"}


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the command line gives in place of the configuration's keys of the same names; None leaves a key alone.

    `key` is a key reference; relative paths are taken from the working directory.
    """

    key: str | None = None
    certificates: str | None = None
    formats: tuple[str, ...] | None = None
    timestamp: tuple[str, ...] | None = None
    timestamp_optional: bool | None = None
    log: tuple[str, ...] | None = None
    output_directory: str | None = None

    @classmethod
    def from_arguments(cls, arguments: argparse.Namespace) -> Overrides:
        """Return what the arguments of a command that signs override; nothing for any other command."""
        if getattr(arguments, "command", None) not in _COMMANDS:
            return cls()
        given: dict[str, Any] = {field.name: getattr(arguments, field.name, None) for field in fields(cls)}
        lists: dict[str, Any] = {name: tuple(given[name]) if given[name] else None for name in _LISTS}
        return cls(**{**given, **lists})


@dataclass(frozen=True, slots=True)
class Override:
    """One value that takes the place of a key, and the place where it was given."""

    place: str
    value: Any


def gather_overrides(
    overrides: Overrides,
    environ: Mapping[str, str],
    directory: Path,
    mistakes: Mistakes,
) -> dict[str, Override]:
    """Return the overrides by configuration key; the command line wins over ``HATCH_SIGN_<KEY>``. Empty is unset.

    Relative paths are taken from `directory`, where the user stands, not from the configuration's.
    """
    found = {}
    for field in fields(Overrides):
        key = field.name.replace("_", "-")
        override = _given(key, getattr(overrides, field.name)) or _from_environment(key, environ)
        if override is None:
            continue
        problem = {**SIGNATURE, **TOP}[key](override.value)
        if problem:
            mistakes.add_outside(override.place, problem)
        else:
            found[key] = Override(override.place, str(directory / override.value)) if key in _PATHS else override
    return found


def _given(key: str, value: Any) -> Override | None:  # noqa: ANN401 - a string, a tuple or a switch, which the schema tells apart
    if value is None:
        return None
    return Override(_FLAGS.get(key, f"--{key}"), list(value) if isinstance(value, tuple) else value)


def _from_environment(key: str, environ: Mapping[str, str]) -> Override | None:
    name = "HATCH_SIGN_" + key.upper().replace("-", "_")
    value = environ.get(name, "").strip()
    if not value:
        return None
    if key in _LISTS:
        return Override(name, [item.strip() for item in value.split(",") if item.strip()])
    return Override(name, {"true": True, "false": False}.get(value.lower(), value) if key in _SWITCHES else value)
