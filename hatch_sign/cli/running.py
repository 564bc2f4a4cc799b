"""Run one command: parse, call, and turn every error into one line and an exit code."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from typing import TextIO

from hatch_sign.cli.commands import COMMANDS, build_parser, load_command
from hatch_sign.cli.console import Console
from hatch_sign.cli.environment import Environment
from hatch_sign.values.display import display
from hatch_sign.values.errors import INTERRUPTED, HatchSignError

FAILED = HatchSignError.exit_code


def run(arguments: Sequence[str]) -> int:
    """Run the command line `arguments` and return the exit code; done is only what was also handed on."""
    code = _run(arguments)
    for stream in (sys.stdout, sys.stderr):
        if not _hand_on(stream):
            code = code or FAILED
    return code


def _run(arguments: Sequence[str]) -> int:
    if not sys.warnoptions:
        # A certificate that somebody sent can make the library that reads it warn, and a warning is shown with its source.
        warnings.filterwarnings("ignore", category=UserWarning)
    command = next((word for word in arguments if not word.startswith("-")), None)
    console = Console()
    try:
        parsed = build_parser([command] if command in COMMANDS else []).parse_args(arguments)
    except SystemExit as stop:  # argparse ends --help and misuse this way
        return stop.code if isinstance(stop.code, int) else 2
    try:
        code = load_command(parsed.command).run(parsed, Environment(console=console, environ=os.environ))
        console.flush()
    except KeyboardInterrupt:
        console.error("interrupted; what was not finished is as it was before")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of standard output has gone: there is nobody left to tell
        return FAILED
    except BaseException as error:
        # A plugin may end the program, and must not say that all is well; a library in Rust that panics raises no Exception.
        if os.environ.get("HATCH_SIGN_DEBUG") and not isinstance(error, HatchSignError):
            raise
        with suppress(OSError):  # a full disk may hold what is written to standard error, too
            return report_error(console, error, as_json=getattr(parsed, "json", False))
        return FAILED
    return code


def _hand_on(stream: TextIO | None) -> bool:
    """Return whether all that was written to the stream has left; throw away the rest, on which Python would fail."""
    if stream is None:
        return True
    try:
        stream.flush()
    except OSError:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return False
    return True


def report_error(console: Console, error: BaseException, *, as_json: bool = False) -> int:
    """Show an error as one line, and several mistakes of a configuration as one line each; return the exit code."""
    details = error.details if isinstance(error, HatchSignError) else ()
    code = error.exit_code if isinstance(error, HatchSignError) else FAILED
    message = _message(error)
    console.error(message, details)
    if as_json:
        content = {"schema": "hatch-sign/error/v1", "error": message, "problems": list(details), "exit-code": code}
        console.document(content)
    return code


def _message(error: BaseException) -> str:
    if isinstance(error, HatchSignError):
        return str(error)
    if isinstance(error, OSError):
        where = f"{display(error.filename)}: " if error.filename else ""
        return f"{where}{error.strerror or type(error).__name__}"
    # The text of a foreign exception may hold a credential; its name does not.
    return f"an error in hatch-sign or in a plugin: {type(error).__name__}; HATCH_SIGN_DEBUG=1 shows where"
