"""Logging in: three tries, each spent on the disk before the PIN is tried.

A process that is killed in the middle of a try has spent it. Logins exclude one another, so that many processes with the
right PIN never see one another's spent tries, and a wrong PIN that two threads of a run hold is tried once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from hatch_sign.backends.emulated.database import exclusive, opened, others_may_read, transaction
from hatch_sign.backends.emulated.wrapping import PinLock, Sealed, WrongPin, check_pin, open_lock
from hatch_sign.contract.backends import SecretRequest
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError, SecretRejectedError, TokenLockedError

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from hatch_sign.contract.backends import BackendContext

Role = Literal["user", "so"]
TRIES: dict[Role, int] = {"user": 3, "so": 10}
"""Wrong PINs in a row until the PIN is locked."""

_SERIAL_SIZE = 16
_KINDS: dict[Role, Literal["pin", "so-pin"]] = {"user": "pin", "so": "so-pin"}


@dataclass(frozen=True, slots=True)
class TokenState:
    """What a token says of itself to anybody: its serial number, and the tries that are left."""

    label: str
    serial: bytes
    tries: dict[Role, int]


@dataclass(frozen=True, slots=True, repr=False)
class Session:
    """A login: the token's key, and what is bound to it."""

    path: Path
    state: TokenState
    token_key: bytes


def secret_request(label: str, role: Role, *, pin_source: str | None = None) -> SecretRequest:
    """Return what to ask the run's context for."""
    return SecretRequest(_KINDS[role], f"emulated token {label}", f"emulated:{label}", source=pin_source)


def log_in(path: Path, request: SecretRequest, context: BackendContext, *, role: Role = "user") -> Session:
    """Return a session of the token in `path`.

    Raises SecretRejectedError for a wrong PIN, saying how many tries are left; TokenLockedError where none is;
    SecretUnavailableError; CustodyError for a damaged file.
    """
    if others_may_read(path):
        context.warn(f"{display(path)}: others may read this token: chmod 600 it")
    with exclusive(path.parent):  # else a try that another process has spent, and will have back, would count as wrong
        asked = mark_final(request, read_state(path), role)
    # Whoever has to be asked is asked here, while no other process waits; below, the answer is there or was rejected.
    context.secret(asked)
    with exclusive(path.parent):
        request = mark_final(request, read_state(path), role)
        pin = _usable_pin(context.secret(request), request, context)
        state, lock = _spend_try(path, role)
        try:
            token_key = open_lock(lock, pin, binding(role.encode(), state))
        except WrongPin:
            token_key = None
        if token_key is not None:
            _restore_tries(path, role)
            return Session(path, state, token_key)
        context.rejected(request)  # before another thread, which has the same PIN in its hands, may try it
    left = state.tries[role] - 1
    message = f"emulated:{display(state.label)}: the {_called(role)} is wrong; {_describe_left(left)}"
    raise SecretRejectedError(message, remedy=_remedy(state, role) if left == 0 else "check it, and start again")


def read_state(path: Path) -> TokenState:
    """Return what the token in `path` says of itself; nobody has to log in for it."""
    with opened(path) as connection:
        return _read_state(connection, path)


def binding(*parts: bytes | TokenState) -> bytes:
    """Return what ciphertexts are bound to: the token and `parts`, each after its length, so that none runs into another."""
    flat: list[bytes] = []
    for part in parts:
        flat += [part.serial, part.label.encode()] if isinstance(part, TokenState) else [part]
    return b"hatch-sign emulated token 1" + b"".join(len(part).to_bytes(4, "big") + part for part in flat)


def write_lock(connection: sqlite3.Connection, role: Role, lock: PinLock) -> None:
    """Store a PIN's lock with all its tries."""
    row = (role, TRIES[role], lock.salt, lock.cost, lock.block, lock.lanes, lock.sealed.nonce, lock.sealed.ciphertext)
    connection.execute("INSERT OR REPLACE INTO locks VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)


def typed(value: object, kind: type) -> object:
    """Return `value` if SQLite gave what the schema says; it keeps any type in any column. Raises ValueError."""
    if type(value) is not kind:
        message = "a value of another type"
        raise ValueError(message)
    return value


def _read_state(connection: sqlite3.Connection, path: Path) -> TokenState:
    ((serial, label),) = connection.execute("SELECT serial, label FROM token").fetchall()
    tries = dict(connection.execute("SELECT role, tries FROM locks").fetchall())
    typed(label, str)
    in_range = set(tries) == set(TRIES) and all(typed(tries[role], int) in range(TRIES[role] + 1) for role in TRIES)
    if not in_range or len(typed(serial, bytes)) != _SERIAL_SIZE or label != path.stem:  # type: ignore[arg-type] # `typed` checks
        message = "a state that no token has"
        raise ValueError(message)
    return TokenState(label, serial, tries)


def _spend_try(path: Path, role: Role) -> tuple[TokenState, PinLock]:
    with opened(path) as connection, transaction(connection):
        state = _read_state(connection, path)
        query = "SELECT salt, cost, block, lanes, nonce, wrapped FROM locks WHERE role = ?"
        row = connection.execute(query, (role,)).fetchone()
        for value, kind in zip(row, (bytes, int, int, int, bytes, bytes), strict=True):
            typed(value, kind)
        salt, cost, block, lanes, nonce, wrapped = row
        lock = PinLock(salt, cost, block, lanes, Sealed(nonce, wrapped))
        connection.execute("UPDATE locks SET tries = tries - 1 WHERE role = ?", (role,))
        return state, lock


def _restore_tries(path: Path, role: Role) -> None:
    with opened(path) as connection, transaction(connection):
        connection.execute("UPDATE locks SET tries = ? WHERE role = ?", (TRIES[role], role))


def mark_final(request: SecretRequest, state: TokenState, role: Role) -> SecretRequest:
    """Return `request`, marked where one try is left. Raises TokenLockedError where none is."""
    left = state.tries[role]
    if left == 0:
        message = f"emulated:{display(state.label)}: the {_called(role)} is locked after {TRIES[role]} wrong tries"
        raise TokenLockedError(message, remedy=_remedy(state, role))
    return replace(request, final_try=left == 1)


def _usable_pin(pin: str, request: SecretRequest, context: BackendContext) -> str:
    """Return the PIN as it is tried; one that no token has is rejected without spending a try."""
    try:
        return check_pin(pin, subject=request.reference)
    except ConfigurationError as error:
        message = error.message
    context.rejected(request)
    raise SecretRejectedError(message, remedy="check it, and start again; no try was spent")


def _called(role: Role) -> str:
    return "PIN" if role == "user" else "SO PIN"


def _describe_left(left: int) -> str:
    return "it is locked now" if left == 0 else f"{left} {'try is' if left == 1 else 'tries are'} left"


def _remedy(state: TokenState, role: Role) -> str:
    if role == "user":
        return f"set a new PIN with the SO PIN: hatch-sign token unlock {display(state.label)}"
    return "the PIN of this token can never be unlocked again: make a new token"
