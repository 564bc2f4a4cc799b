"""What ``hatch-sign token`` does."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from hatch_sign.backends.emulated.labels import check_label
from hatch_sign.backends.emulated.login import TRIES, secret_request
from hatch_sign.backends.emulated.tokens import (
    TokenDescription,
    create_token,
    delete_token,
    describe_token,
    list_labels,
    token_path,
    unlock_token,
)
from hatch_sign.backends.emulated.wrapping import check_pin
from hatch_sign.custody.secrets import choose_secret
from hatch_sign.custody.terminal import terminal_prompt
from hatch_sign.values.display import display
from hatch_sign.values.errors import CustodyError, UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from hatch_sign.backends.emulated.login import Role
    from hatch_sign.cli.environment import Environment

_SCHEMA = "hatch-sign/tokens/v1"
_HEADERS = ("token", "serial", "keys", "PIN", "SO PIN")
_DAMAGED = 3


def init(arguments: argparse.Namespace, environment: Environment) -> int:
    """Make an empty token."""
    _refuse_taken(arguments.label, environment)
    pin, so_pin = _choose_pin(arguments.label, "user", environment), _choose_pin(arguments.label, "so", environment)
    made = create_token(arguments.label, pin=pin, so_pin=so_pin, environ=environment.environ)
    environment.console.line(f"made the token emulated:{made.label} in {display(made.path)}")
    environment.console.note(f"next: hatch-sign key generate emulated:{made.label}/release")
    environment.console.warn("an emulated token is a file: for development and tests, not for production")
    return 0


def list_(arguments: argparse.Namespace, environment: Environment) -> int:
    """List all tokens; a damaged one is said to be, and makes the exit code 3."""
    tokens: list[TokenDescription] = []
    problems: list[str] = []
    for label in list_labels(environment.environ):
        try:
            tokens.append(describe_token(label, environment.environ))
        except CustodyError as error:
            problems.append(str(error))
    if arguments.json:
        environment.console.document(_document(tokens, problems))
    else:
        environment.console.table(_HEADERS, [_as_row(each) for each in tokens])
    for problem in problems:
        environment.console.warn(problem)
    if not tokens and not problems and not arguments.json:
        environment.console.note("no tokens; make one with: hatch-sign token init LABEL")
    return _DAMAGED if problems else 0


def info(arguments: argparse.Namespace, environment: Environment) -> int:
    """Show one token."""
    token = describe_token(arguments.label, environment.environ)
    if arguments.json:
        environment.console.document(_document([token], []))
    else:
        environment.console.table(("", ""), [*zip(_HEADERS, _as_row(token), strict=True), ("file", token.path)])
    return 0


def unlock(arguments: argparse.Namespace, environment: Environment) -> int:
    """Set a new PIN."""
    token_path(arguments.label, environment.environ)  # A misspelt label should not cost a question for a PIN.
    new_pin = _choose_pin(arguments.label, "user", environment, new=True)
    unlock_token(arguments.label, new_pin=new_pin, context=environment.context(spend_final_try=arguments.spend_final_try))
    environment.console.line(f"emulated:{arguments.label} has a new PIN and {TRIES['user']} tries")
    return 0


def delete(arguments: argparse.Namespace, environment: Environment) -> int:
    """Delete a token with all its keys, damaged or not."""
    path = token_path(arguments.label, environment.environ)
    if not arguments.yes and not _confirmed(f"delete emulated:{arguments.label} and all its keys ({display(path)})?"):
        environment.console.note("nothing was deleted")
        return 2
    delete_token(arguments.label, environment.environ)
    environment.console.line(f"deleted emulated:{arguments.label}")
    return 0


ACTIONS: dict[str, Callable[[argparse.Namespace, Environment], int]] = {
    "init": init,
    "list": list_,
    "info": info,
    "unlock": unlock,
    "delete": delete,
}


def _refuse_taken(label: str, environment: Environment) -> None:
    # Making the token judges again, alone; this only spares two questions for nothing.
    if check_label(label) in list_labels(environment.environ):
        message = f"emulated:{label}: there is such a token already"
        raise CustodyError(message, remedy=f"choose another label, or `hatch-sign token delete {label}` first")


def _choose_pin(label: str, role: Role, environment: Environment, *, new: bool = False) -> str:
    """Return a PIN that a token can have; one that none can is refused before anything more is asked."""
    request = secret_request(label, role)
    prompt = terminal_prompt()
    checked = None if prompt is None else _checked(prompt, request.reference)
    return check_pin(choose_secret(request, environment.environ, prompt=checked, new=new), subject=request.reference)


def _checked(prompt: Callable[[str], str], subject: str) -> Callable[[str], str]:
    def ask(question: str) -> str:
        answer = prompt(question)
        # That there was no answer is said by whoever asks.
        return check_pin(answer, subject=subject) if answer else answer

    return ask


def _confirmed(question: str) -> bool:
    if sys.stdin is None or not sys.stdin.isatty():
        message = "there is nobody to ask whether to delete"
        raise UsageError(message, remedy="repeat with --yes")
    try:
        return input(f"{question} type `yes`: ").strip() == "yes"
    except EOFError:
        return False


def _as_row(token: TokenDescription) -> tuple[str, str, str, str, str]:
    return token.label, token.serial, str(token.keys), _tries(token.pin_tries), _tries(token.so_pin_tries)


def _tries(left: int) -> str:
    return f"{left} {'try' if left == 1 else 'tries'} left" if left else "locked"


def _document(tokens: Sequence[TokenDescription], problems: Sequence[str]) -> dict[str, object]:
    return {"schema": _SCHEMA, "tokens": [_as_json(each) for each in tokens], "problems": list(problems)}


def _as_json(token: TokenDescription) -> dict[str, object]:
    return {
        "label": token.label,
        "reference": f"emulated:{token.label}",
        "serial": token.serial,
        "keys": token.keys,
        "pin-tries": token.pin_tries,
        "so-pin-tries": token.so_pin_tries,
        "path": str(token.path),
    }
