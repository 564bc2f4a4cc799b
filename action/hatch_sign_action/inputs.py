"""The inputs of a step, which reach the program through its environment and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError

PREFIX = "ACTION_INPUT_"
"""What the names of the variables begin with; hyphens are underscores there."""

COMMANDS = ("sign", "verify", "check", "upload")

_TAKEN_BY = {
    "key": {"sign", "verify"},
    "formats": {"sign"},
    "timestamp": {"sign"},
    "output-directory": {"sign"},
    "require": {"sign", "verify"},
    "to": {"upload"},
}
"""Inputs that only some commands take."""

_TAKEN_BY_ALL = ("command", "files", "plugins", "config", "policy", "show-summary")

_SWITCH = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the step asks for; an input that is not given is empty.

    `files` are paths, folders or patterns. `policy` is a path, or ``REF:PATH`` for one that git keeps.
    """

    command: str
    files: tuple[str, ...]
    key: str = ""
    formats: tuple[str, ...] = ()
    timestamp: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()
    config: str = ""
    output_directory: str = ""
    require: tuple[str, ...] = ()
    policy: str = ""
    to: tuple[str, ...] = ()
    show_summary: bool = True


def read_inputs(environ: Mapping[str, str]) -> Inputs:
    """Return the inputs in `environ`. Raises ConfigurationError with every mistake at once."""
    given = {name: _given(name, environ) for name in (*_TAKEN_BY_ALL, *_TAKEN_BY)}
    problems = [*_mistakes(given)]
    if problems:
        message = "the inputs of the step are wrong"
        raise ConfigurationError(message, problems=problems)
    return Inputs(
        command=given["command"],
        files=_lines(given["files"]),
        key=given["key"],
        formats=_words(given["formats"]),
        timestamp=tuple(given["timestamp"].split()),
        plugins=tuple(given["plugins"].split()),
        config=given["config"],
        output_directory=given["output-directory"],
        require=_words(given["require"]),
        policy=given["policy"],
        to=_words(given["to"]),
        show_summary=_SWITCH[given["show-summary"].lower()],
    )


def without_inputs(environ: Mapping[str, str]) -> dict[str, str]:
    """Return `environ` less the inputs, as the programs that are run see it."""
    return {name: value for name, value in environ.items() if not name.startswith(PREFIX)}


def _given(name: str, environ: Mapping[str, str]) -> str:
    return environ.get(PREFIX + name.replace("-", "_").upper(), "").strip()


def _mistakes(given: Mapping[str, str]) -> Iterator[str]:
    command = given["command"]
    if command not in COMMANDS:
        yield f"command: found {display(command)!r}, expected one of {', '.join(COMMANDS)}"
    yield from _mistakes_in_files(given["files"], command)
    if given["show-summary"].lower() not in _SWITCH:
        yield f"show-summary: found {display(given['show-summary'])!r}, expected true or false"
    for name, commands in _TAKEN_BY.items():
        if given[name] and command in COMMANDS and command not in commands:
            yield f"{name}: the command {command} does not take it; {' and '.join(sorted(commands))} can"
    for name in ("key", "config", "policy", "output-directory"):
        if "\n" in given[name]:
            yield f"{name}: found several lines, expected one"
    if command == "verify" and given["key"] and given["policy"]:
        yield "key: the policy says whom to trust, and the key would take its place; give one of them"
    if given["output-directory"] and (given["policy"] or given["require"]):
        yield "output-directory: verification looks where the configuration says; put `output-directory` there"


def _mistakes_in_files(files: str, command: str) -> Iterator[str]:
    if not files:
        yield "files: nothing is named; name a file, a folder or a pattern on each line"
    if command == "check" and "\n" in files:
        yield "files: found several lines, expected the one folder that holds the release"


def _lines(text: str) -> tuple[str, ...]:
    """Return the lines that say something. A blank belongs to the name it stands in."""
    return tuple(line.strip() for line in text.split("\n") if line.strip())


def _words(text: str) -> tuple[str, ...]:
    return tuple(filter(None, re.split(r"[\s,]+", text)))
