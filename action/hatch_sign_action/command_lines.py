"""The command lines of hatch-sign that a step comes to. No value can become an option, and no shell sees any."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hatch_sign_action.inputs import Inputs

Line = tuple[str, tuple[str, ...]]
"""The name of a command, and its arguments with it."""


def command_lines(inputs: Inputs, *, policy: str, tag: str = "") -> tuple[Line, ...]:
    """Return what is to be run, in this order, until one fails. `policy` is the path of the policy, if there is one.

    What was signed is then verified where the step says by which policy, or what it requires. `tag` is that of the run,
    which a release is held against; without one, hatch-sign looks for the tag of the commit.
    """
    if inputs.command == "check":
        return (("check", ("release", "check", "--json", *_check(inputs, policy, tag), "--", *inputs.files)),)
    lines = {"sign": _sign, "verify": _verify, "upload": _upload}
    first = (inputs.command, _line(inputs, lines[inputs.command](inputs, policy)))
    if inputs.command == "sign" and (policy or inputs.require):
        return (first, ("verify", _line(inputs, _verify(inputs, policy), "verify")))
    return (first,)


def _line(inputs: Inputs, options: Iterator[str], command: str = "") -> tuple[str, ...]:
    return (command or inputs.command, "--json", *options, "--", *inputs.files)


def _sign(inputs: Inputs, _policy: str) -> Iterator[str]:
    yield from _option("config", inputs.config)
    yield from _option("key", inputs.key)
    yield from _option("format", *inputs.formats)
    yield from _option("timestamp", *inputs.timestamp)
    yield from _option("output-directory", inputs.output_directory)


def _verify(inputs: Inputs, policy: str) -> Iterator[str]:
    yield from _option("config", inputs.config)
    yield from _option("policy", policy)
    yield from _option("key", inputs.key if inputs.command == "verify" else "")
    yield from _option("require", *inputs.require)


def _check(inputs: Inputs, policy: str, tag: str) -> Iterator[str]:
    yield from _option("config", inputs.config)
    yield from _option("policy", policy)
    yield from _option("tag", tag)


def _upload(inputs: Inputs, policy: str) -> Iterator[str]:
    yield from _option("config", inputs.config)
    yield from _option("policy", policy)
    yield from _option("to", *inputs.to)
    yield "--non-interactive"


def _option(name: str, *values: str) -> Iterator[str]:
    yield from (f"--{name}={value}" for value in values if value)
