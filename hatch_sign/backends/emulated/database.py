"""One SQLite file for each token: atomic commits and locks between processes on every system, also right after a kill."""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from hatch_sign.storage.folders import data_folder, make_private_folder
from hatch_sign.values.display import display
from hatch_sign.values.errors import CustodyError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

SUFFIX = ".token"
_APPLICATION = 0x48_53_54_31
"""SQLite's application_id of a token, ``HST1`` in ASCII."""
_VERSION = 1
_LOCK_FILE = ".login.lock"
_PATIENCE = 60.0
"""Seconds to wait for another process; one login takes an eighth of a second."""

_SCHEMA = (
    "CREATE TABLE token (id INTEGER PRIMARY KEY CHECK (id = 1), serial BLOB NOT NULL, label TEXT NOT NULL)",
    """CREATE TABLE locks (role TEXT PRIMARY KEY, tries INTEGER NOT NULL, salt BLOB NOT NULL, cost INTEGER NOT NULL,
        block INTEGER NOT NULL, lanes INTEGER NOT NULL, nonce BLOB NOT NULL, wrapped BLOB NOT NULL)""",
    "CREATE TABLE keys (label TEXT PRIMARY KEY, public_key BLOB NOT NULL, nonce BLOB NOT NULL, wrapped BLOB NOT NULL)",
    """CREATE TABLE certificates (key TEXT NOT NULL, position INTEGER NOT NULL, der BLOB NOT NULL,
        PRIMARY KEY (key, position))""",
)
_PRAGMAS = ("trusted_schema = OFF", "cell_size_check = ON", "mmap_size = 0", "synchronous = FULL", "secure_delete = ON")
_INDEXES = ("locks", "keys", "certificates")
_DAMAGED = "it is damaged, or no token"
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_ENVIRONMENTAL = {
    sqlite3.SQLITE_READONLY: "it cannot be written",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk failed, or the file was cut off",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
    sqlite3.SQLITE_PERM: "access was refused",
}


def tokens_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder that holds the tokens; it need not exist."""
    return data_folder(environ) / "tokens"


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Keep every other process and thread from logging in to, making or deleting a token of `folder`.

    The lock is the system's own on a file of that folder, and ends with the process however it ends. It is one for all
    tokens: it is held for a fraction of a second, and never removed, so that no two can be held by mistake.
    """
    path = folder / _LOCK_FILE
    with translated(path):
        connection = _create_and_connect(path)
    with closing(connection):
        with translated(path):
            connection.execute("BEGIN EXCLUSIVE")
        yield


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a token's file for the shortest time; never kept open while signing, nor across a fork.

    Raises CustodyError, naming the file, for one that is damaged or no token: also for what the body meets in it, as
    ValueError or sqlite3.Error.
    """
    with translated(path), closing(_connect(path)) as connection:
        _require_token(connection, path)
        yield connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit what the body writes, all or nothing, on the disk when it ends."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def create(path: Path) -> sqlite3.Connection:
    """Make a new, empty token file that this user alone can read. Raises OSError if it exists."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    connection = _connect(path)
    marks = (f"PRAGMA application_id = {_APPLICATION}", f"PRAGMA user_version = {_VERSION}")
    # Nobody knows of the file before its maker has written it whole, brought it to the disk and renamed it.
    return _prepared(connection, ("PRAGMA journal_mode = MEMORY", "PRAGMA synchronous = OFF", *marks, *_SCHEMA))


def make_tokens_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder of the tokens, made for this user alone. Raises CustodyError."""
    folder = tokens_folder(environ)
    try:
        make_private_folder(folder)
    except OSError as error:
        message = f"{display(folder)}: the folder of the tokens cannot be made: {error.strerror}"
        raise CustodyError(message, remedy="set HATCH_SIGN_HOME to a folder of your own") from None
    return folder


def others_may_read(path: Path) -> bool:
    """Return whether the mode of a POSIX file lets anybody but its owner at it."""
    return sys.platform != "win32" and bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def _create_and_connect(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    return _connect(path)


def _connect(path: Path) -> sqlite3.Connection:
    # The mode keeps SQLite from making a file that is not there.
    connection = sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=_PATIENCE, isolation_level=None)
    return _prepared(connection, [f"PRAGMA {pragma}" for pragma in _PRAGMAS])


def _prepared(connection: sqlite3.Connection, statements: Sequence[str]) -> sqlite3.Connection:
    try:
        for statement in statements:
            connection.execute(statement)
    except BaseException:
        connection.close()
        raise
    return connection


def _require_token(connection: sqlite3.Connection, path: Path) -> None:
    """Raise ValueError unless the file is whole and has the marks and exactly the tables of a token, no trigger, no view."""
    connection.execute("BEGIN")  # Nobody changes the file's size while this reads.
    pages, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    if pages * size != path.stat().st_size:
        message = "a file that was cut off"
        raise ValueError(message)
    marks = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")]
    if marks != [_APPLICATION, _VERSION]:
        message = "marks of another kind of file"
        raise ValueError(message)
    found = sorted(row[0] for row in connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"))
    others = connection.execute("SELECT count(*) FROM sqlite_schema WHERE sql IS NULL").fetchone()[0]
    if found != sorted(_SCHEMA) or others != len(_INDEXES):
        message = "tables of another kind of file"
        raise ValueError(message)
    connection.commit()


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raise CustodyError, naming `path`, for what the system, SQLite or a check of its content says in the body."""
    try:
        yield
    except (OSError, sqlite3.Error, ValueError, OverflowError) as error:
        problem = _explain(error)
        message = f"{display(path)}: {problem}"
        remedy = "restore it from a copy, or make a new token" if problem == _DAMAGED else ""
        raise CustodyError(message, remedy=remedy) from None


def _explain(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"it cannot be used: {error.strerror or type(error).__name__}"
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # The low byte of an extended code is the primary one.
    if code in _BUSY:
        return f"another process has held it for {_PATIENCE:.0f} seconds"
    return f"it cannot be used: {_ENVIRONMENTAL[code]}" if code in _ENVIRONMENTAL else _DAMAGED
