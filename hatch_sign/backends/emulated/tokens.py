"""Tokens as a whole: making, listing, unlocking and deleting them."""

from __future__ import annotations

import os
import secrets
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hatch_sign.backends.emulated.database import (
    SUFFIX,
    create,
    exclusive,
    make_tokens_folder,
    opened,
    tokens_folder,
    transaction,
    translated,
)
from hatch_sign.backends.emulated.labels import check_label
from hatch_sign.backends.emulated.login import TokenState, binding, log_in, read_state, secret_request, write_lock
from hatch_sign.backends.emulated.wrapping import KEY_SIZE, check_pin, make_lock
from hatch_sign.storage.atomic import sync_folder
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError, CustodyError, KeyNotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hatch_sign.backends.emulated.login import Role
    from hatch_sign.contract.backends import BackendContext

_UNFINISHED = ".new"


@dataclass(frozen=True, slots=True)
class TokenDescription:
    """One token as it is listed: its serial number in hex, the tries left for each PIN, and how many keys it holds."""

    label: str
    serial: str
    pin_tries: int
    so_pin_tries: int
    keys: int
    path: Path


def create_token(label: str, *, pin: str, so_pin: str, environ: Mapping[str, str]) -> TokenDescription:
    """Make an empty token, whole or not at all.

    Raises ConfigurationError for a label or a PIN that cannot be, or two equal PINs; CustodyError where the label is
    taken.
    """
    state = TokenState(check_label(label), secrets.token_bytes(16), {})
    subject = f"emulated:{label}"
    pin, so_pin = check_pin(pin, subject=subject), check_pin(so_pin, subject=subject)
    if pin == so_pin:
        message = f"{subject}: its PIN and its SO PIN are the same"
        raise ConfigurationError(message, remedy="choose two: the SO PIN is what unlocks the PIN")
    folder = make_tokens_folder(environ)
    path = folder / f"{label}{SUFFIX}"
    with exclusive(folder):
        _remove_unfinished(folder)
        if path.exists():
            message = f"{subject}: there is such a token already"
            raise CustodyError(message, remedy=f"choose another label, or `hatch-sign token delete {label}` first")
        _write_token(path, state, pin, so_pin)
    return describe_token(label, environ)


def token_path(label: str, environ: Mapping[str, str]) -> Path:
    """Return the file of a token. Raises KeyNotFoundError, listing the tokens that exist, and ConfigurationError."""
    path = tokens_folder(environ) / f"{check_label(label)}{SUFFIX}"
    # Names are compared as they are listed, for a file system may take another case for the same.
    labels = list_labels(environ)
    if label in labels:
        return path
    there = ", ".join(labels) or "none"
    message = f"emulated:{label}: there is no such token in {display(path.parent)}; tokens: {there}"
    raise KeyNotFoundError(message, remedy=f"make it with `hatch-sign token init {label}`, or check HATCH_SIGN_HOME")


def list_labels(environ: Mapping[str, str]) -> Sequence[str]:
    """Return the labels of all tokens, in order. Raises CustodyError where their folder cannot be listed."""
    folder = tokens_folder(environ)
    try:
        names = [path.name for path in folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        message = f"{display(folder)}: the folder of the tokens cannot be listed: {error.strerror or type(error).__name__}"
        raise CustodyError(message, remedy="make it readable, or set HATCH_SIGN_HOME to a folder of your own") from None
    return sorted(name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX) and not name.startswith("."))


def describe_token(label: str, environ: Mapping[str, str]) -> TokenDescription:
    """Return what a token says of itself without a login. Raises KeyNotFoundError, CustodyError for a damaged file."""
    path = token_path(label, environ)
    state = read_state(path)
    with opened(path) as connection:
        keys = connection.execute("SELECT count(*) FROM keys").fetchone()[0]
    return TokenDescription(label, state.serial.hex(), state.tries["user"], state.tries["so"], keys, path)


def unlock_token(label: str, *, new_pin: str, context: BackendContext) -> None:
    """Set a new PIN with all its tries, by the SO PIN that `context` has.

    Raises as logging in does; after ten wrong SO PINs in a row the token cannot be unlocked any more.
    """
    new_pin = check_pin(new_pin, subject=f"emulated:{label}")
    session = log_in(token_path(label, context.environ), secret_request(label, "so"), context, role="so")
    if check_pin(context.secret(secret_request(label, "so")), subject=f"emulated:{label}") == new_pin:
        message = f"emulated:{label}: the new PIN is the SO PIN"
        raise ConfigurationError(message, remedy="choose another: the SO PIN is what unlocks the PIN")
    lock = make_lock(session.token_key, new_pin, binding(b"user", session.state))
    with opened(session.path) as connection, transaction(connection):
        write_lock(connection, "user", lock)


def delete_token(label: str, environ: Mapping[str, str]) -> None:
    """Remove a token with all its keys, damaged or not. Raises KeyNotFoundError, CustodyError."""
    path = token_path(label, environ)
    with exclusive(path.parent):
        # What remains on the disk after a file was removed should not be worth looking for.
        with suppress(CustodyError), opened(path) as connection, transaction(connection):
            for table in ("keys", "certificates", "locks"):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 (the names stand one line above)
        try:
            path.unlink()
            path.with_name(f"{path.name}-journal").unlink(missing_ok=True)
        except OSError as error:
            message = f"{display(path)}: it cannot be removed: {error.strerror}"
            raise CustodyError(message) from None


def _write_token(path: Path, state: TokenState, pin: str, so_pin: str) -> None:
    token_key = secrets.token_bytes(KEY_SIZE)
    pins: tuple[tuple[Role, str], ...] = (("user", pin), ("so", so_pin))
    locks = [(role, make_lock(token_key, each, binding(role.encode(), state))) for role, each in pins]
    unfinished = path.with_name(f".{path.stem}.{secrets.token_hex(8)}{_UNFINISHED}")
    try:
        with translated(path):
            with closing(create(unfinished)) as connection, transaction(connection):
                connection.execute("INSERT INTO token VALUES (1, ?, ?)", (state.serial, state.label))
                for role, lock in locks:
                    write_lock(connection, role, lock)
            _commit_file(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def _commit_file(unfinished: Path, path: Path) -> None:
    with unfinished.open("rb+") as file:
        os.fsync(file.fileno())
    # Nobody else makes tokens here now, and the label was free a moment ago.
    unfinished.rename(path)
    sync_folder(path.parent)


def _remove_unfinished(folder: Path) -> None:
    """Remove what a killed run left; whoever holds the folder's lock knows that nobody is writing it."""
    for stale in folder.glob(f".*{_UNFINISHED}*"):
        with suppress(OSError):
            stale.unlink()
