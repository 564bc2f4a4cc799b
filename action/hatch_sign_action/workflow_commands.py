"""What the runner reads: commands among the lines of the log, and the files of outputs and of the summary."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TextIO

from hatch_sign.values.display import display
from hatch_sign.values.errors import SigningError

MOST_ANNOTATIONS = 10
"""The runner drops further errors of one step."""

MOST_OF_OUTPUT = 1 << 20
"""Bytes of one output that GitHub hands from job to job, in UTF-16 as it counts them."""

_SECRET_NAME = re.compile(r"(?:^|_)(?:PIN|PASSWORD|PASSPHRASE|SECRET|TOKEN|SECRET_ACCESS_KEY)$")
_SHORTEST = 4
"""Characters from which on a value is masked by its name alone: masking `1` would blot out the whole log."""


class Log:
    """The step's log: one stream, so that what stops commands and what they are stopped for stay in order."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._word = ""

    def line(self, text: str) -> None:
        """Write a line of our own, which must begin no command."""
        self._write(display(text))

    def command(self, name: str, message: str, **properties: str) -> None:
        """Write a workflow command. Raises nothing for any text: what would end or begin one is encoded."""
        listed = ",".join(f"{key}={_encode_property(value)}" for key, value in properties.items())
        self._write(f"::{name}{' ' if listed else ''}{listed}::{_encode(message)}")

    def mask(self, value: str) -> None:
        """Have the runner print ``***`` for a secret, and for each line of it that is no mere bracket."""
        for line in filter(None, {value, *(line for line in value.splitlines() if len(line) >= _SHORTEST)}):
            self.command("add-mask", line)

    def annotate(self, messages: Iterable[str]) -> None:
        """Annotate the run with errors; those that the runner would drop become lines, and are counted in the last."""
        shown, left = [*messages], []
        if len(shown) > MOST_ANNOTATIONS:
            left = shown[MOST_ANNOTATIONS - 1 :]
            shown[MOST_ANNOTATIONS - 1 :] = [f"{len(left)} more, which the log has"]
        for message in left:
            self.line(message)
        for message in shown:
            self.command("error", display(message), title="hatch-sign")

    def foreign(self, line: str) -> None:
        """Write a line of another program. No line is a command from here on, until :meth:`end_foreign`."""
        if not self._word:
            self._word = secrets.token_hex(16)
            self._write(f"::stop-commands::{self._word}")
        self._write(line.rstrip("\r\n"))

    def end_foreign(self) -> None:
        """Let lines be commands again."""
        word, self._word = self._word, ""
        if word:
            self._write(f"::{word}::")

    def _write(self, line: str) -> None:
        encoding = self._stream.encoding or "utf-8"
        self._stream.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        self._stream.flush()


def secrets_in(environ: Mapping[str, str], *, key: str) -> tuple[str, ...]:
    """Return the values in `environ` that nobody should read in a log, the one among them that a key reference names."""
    named = re.search(r"[?&]pin-source=env:([A-Za-z_][A-Za-z0-9_]*)", key)
    pin = environ.get(named[1], "") if named else ""
    values = {value for name, value in environ.items() if _SECRET_NAME.search(name.upper()) and len(value) >= _SHORTEST}
    return tuple(sorted({*values, pin} - {""}))


def write_outputs(path: Path, outputs: Mapping[str, str]) -> None:
    """Add outputs to the runner's file; each is closed by a word that it cannot contain."""
    text = ""
    for name, value in outputs.items():
        word = secrets.token_hex(16)
        text += f"{name}<<{word}\n{value}\n{word}\n"
    with path.open("a", encoding="utf-8", newline="\n") as stream:
        stream.write(text)


def list_of_paths(paths: Iterable[str]) -> str:
    """Return paths one a line. Raises SigningError for a name that would read as several."""
    found = [*paths]
    for path in found:
        if len(path.splitlines()) > 1 or not path.isprintable():
            message = f"{display(path)} has a name that no output can hold"
            raise SigningError(message, remedy="give it a name without control characters")
    return "\n".join(found)


def is_output(text: str) -> bool:
    """Return whether an output can hold as much."""
    return len(text.encode("utf-16-le", "surrogatepass")) < MOST_OF_OUTPUT


def _encode(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _encode_property(text: str) -> str:
    return _encode(text).replace(":", "%3A").replace(",", "%2C")
