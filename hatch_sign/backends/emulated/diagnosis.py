"""What can be said of a token and a key without its PIN, in the order in which opening the key would meet it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.backends.emulated.database import others_may_read, translated
from hatch_sign.backends.emulated.keys import read_keys, select
from hatch_sign.backends.emulated.labels import parse_emulated_reference
from hatch_sign.backends.emulated.login import TRIES, mark_final, read_state, secret_request
from hatch_sign.backends.emulated.tokens import token_path
from hatch_sign.contract.backends import Symptom
from hatch_sign.values.display import display
from hatch_sign.values.errors import CustodyError
from hatch_sign.values.public_keys import describe_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hatch_sign.backends.emulated.labels import EmulatedReference
    from hatch_sign.backends.emulated.login import TokenState
    from hatch_sign.contract.backends import BackendContext, SecretRequest


def diagnose(reference: str, context: BackendContext) -> Iterator[Symptom | SecretRequest]:
    """Yield what is found, ending with the first failure. Raises ConfigurationError for a reference that is none."""
    parsed = parse_emulated_reference(reference)
    subject = "token"
    try:
        path = token_path(parsed.token, context.environ)
        state = read_state(path)
        yield from _of_token(state, path)
        subject = "key"
        yield _of_key(parsed, path)
        subject = "PIN"
        yield from _of_pin(parsed, state)
    except CustodyError as error:
        yield Symptom("failure", subject, error.message, error.remedy)


def _of_token(state: TokenState, path: Path) -> Iterator[Symptom]:
    yield Symptom("ok", "token", f"{display(state.label)}, serial {state.serial.hex()}, in {display(path)}")
    with translated(path):
        exposed = others_may_read(path)
    if exposed:
        yield Symptom("warning", "token", "others may read its file", f"chmod 600 {display(path)}")


def _of_key(parsed: EmulatedReference, path: Path) -> Symptom:
    key = select(parsed, read_keys(path))
    return Symptom("ok", "key", f"{display(key.label)} ({describe_key(key.public_key)})")


def _of_pin(parsed: EmulatedReference, state: TokenState) -> Iterator[Symptom | SecretRequest]:
    request = mark_final(secret_request(parsed.token, "user", pin_source=parsed.pin_source), state, "user")
    left = state.tries["user"]
    if left == TRIES["user"]:
        yield Symptom("ok", "PIN", f"all {left} tries are left")
    else:
        found = f"{left} of {TRIES['user']} tries {'is' if left == 1 else 'are'} left"
        yield Symptom("warning", "PIN", found, "make sure of the PIN: the right one gives back all tries")
    yield request
