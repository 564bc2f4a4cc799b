"""References to keys behind executables: ``NAME://KEY``, where KEY is whatever the executable takes."""

from __future__ import annotations

from dataclasses import dataclass

from hatch_sign.contract.executables import EXECUTABLES
from hatch_sign.contract.references import parse_reference
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class ExecutableReference:
    """The executable's `name`, the `key` as it is passed on, and the `text` that stands for both in messages."""

    name: str
    key: str
    text: str


def parse_executable_reference(reference: str) -> ExecutableReference:
    """Take `reference` apart. Raises ConfigurationError, also for a PIN source: an executable has its own credentials."""
    parsed = parse_reference(reference)
    shown = display(parsed.name)
    if parsed.scheme == EXECUTABLES or not parsed.path.startswith("//") or parsed.path == "//":
        message = f"{shown}: not of the form NAME://KEY, where NAME is that of an executable {EXECUTABLES}-NAME"
        raise ConfigurationError(message)
    if parsed.pin_source is not None:
        message = f"{shown}: an executable is given no PIN, and this reference names a pin-source"
        raise ConfigurationError(message, remedy="set the environment variables that the executable reads")
    return ExecutableReference(parsed.scheme, reference.partition("://")[2], shown)
