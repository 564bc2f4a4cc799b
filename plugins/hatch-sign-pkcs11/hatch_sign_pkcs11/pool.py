"""Sessions of one login, lent to threads; as many as are asked for and the token has."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pkcs11

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pkcs11 import PrivateKey, Session


@dataclass(slots=True)
class PooledSession:
    """A session, and the handles of keys that were found in it: the library binds a handle to its session."""

    session: Session
    keys: dict[object, PrivateKey] = field(default_factory=dict)


class SessionPool:
    """Lends sessions; opens another where all are lent, up to `limit` or to what the token allows."""

    def __init__(self, login: Session, *, open_session: Callable[[], Session], limit: int) -> None:
        """Begin with the session that holds the login; it is the last to be closed."""
        self._changed = threading.Condition()
        self._login = login
        self._idle = [PooledSession(login)]
        self._all = [login]
        self._open_session = open_session
        self._limit = limit
        self._opened = 1

    @contextmanager
    def borrow(self) -> Iterator[PooledSession]:
        """Lend a session to the calling thread. Raises PKCS11Error where one cannot be opened."""
        pooled = self._take()
        try:
            yield pooled
        finally:
            with self._changed:
                self._idle.append(pooled)
                self._changed.notify()

    def close(self) -> None:
        """Close all sessions, that of the login last, which logs out; what the token has forgotten already is closed."""
        for session in reversed(self._all):
            with suppress(pkcs11.PKCS11Error):
                session.close()

    def _take(self) -> PooledSession:
        while True:
            with self._changed:
                while not self._idle and self._opened >= self._limit:
                    self._changed.wait()
                if self._idle:
                    return self._idle.pop()
                self._opened += 1
            opened = self._open_another()
            if opened is not None:
                return opened

    def _open_another(self) -> PooledSession | None:
        """Return a new session, or None where the token has no more and those that there are must do."""
        try:
            session = self._open_session()
        except BaseException as error:
            with self._changed:
                self._opened -= 1
                self._changed.notify()
                if isinstance(error, pkcs11.SessionCount):
                    self._limit = self._opened
                    return None
            raise
        with self._changed:
            self._all.append(session)
        return PooledSession(session)
