"""A login to one token, shared by all who use its keys in this process, and made again when the token comes back."""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import pkcs11

from hatch_sign.values.display import display
from hatch_sign.values.errors import CustodyError, HatchSignError, KeyNotFoundError
from hatch_sign_pkcs11.cryptoki import CryptokiError
from hatch_sign_pkcs11.login import log_in, open_session, secret_request
from hatch_sign_pkcs11.pool import SessionPool
from hatch_sign_pkcs11.settings import most_sessions, reconnect_seconds
from hatch_sign_pkcs11.slots import select_token
from hatch_sign_pkcs11.translate import describe, is_lost, translate, translated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pkcs11 import Session

    from hatch_sign.contract.backends import BackendContext, SecretRequest
    from hatch_sign_pkcs11.loaded import LoadedModule
    from hatch_sign_pkcs11.pool import PooledSession
    from hatch_sign_pkcs11.references import Pkcs11Reference
    from hatch_sign_pkcs11.slots import PresentToken

T = TypeVar("T")

_PAUSE = 0.25
_MOST_REPEATS = 3
"""A token that comes back and goes again at the same call is broken, not absent."""


class Connection:
    """A token, logged in to. Any thread may :meth:`run` something; at most `concurrency` sessions are open at once."""

    def __init__(self, module: LoadedModule, reference: Pkcs11Reference, context: BackendContext) -> None:
        """Find the token and log in. Raises CustodyError."""
        self.reference = reference
        self.users = 0
        self.concurrency = min(context.max_concurrency, most_sessions(context.environ)) if module.takes_threads else 1
        self._module = module
        self._context = context
        self._subject = display(reference.text)
        self._patience = reconnect_seconds(context.environ)
        self.process = os.getpid()
        self._login_guard = threading.Lock()
        self.pin_at_signing = threading.Lock()
        self._failure: HatchSignError | None = None
        with module.calling() as self._generation, translated(reference.text):
            self.token, self._pool = self._log_in(None)

    @property
    def manufacturer(self) -> str:
        """Who made the module, as it says."""
        return self._module.library.manufacturer_id

    @property
    def request(self) -> SecretRequest:
        """What the PIN of this token is asked for by."""
        return secret_request(self.token, self.reference)

    def run(self, operation: Callable[[PooledSession], T]) -> T:
        """Return what `operation` returns, given a session; repeated where the token was lost and has come back.

        Raises CustodyError, KeyNotFoundError and SecretRejectedError; also in a forked child, which has no login.
        """
        self._require_own_process()
        with translated(self.reference.text):
            for _ in range(_MOST_REPEATS):
                generation = self._module.generation
                try:
                    with self._module.calling() as generation:
                        return self._attempt(operation, generation)
                except pkcs11.PKCS11Error as error:
                    if not is_lost(error):
                        raise
                    lost = error
                self._recover(generation, lost)
            raise lost

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Lend a session that may store objects. Raises PKCS11Error, for the caller to translate."""
        self._require_own_process()
        with self._module.calling() as generation:
            self._logged_in(generation)
            session = open_session(self.token, writable=True)
            try:
                yield session
            finally:
                session.close()

    def close(self) -> None:
        """Log out, after those who are calling have finished; nobody logs in again through this connection."""
        with self._module.gate.closed():
            self._failure = CustodyError(f"{self._subject}: the key was closed", remedy="open it again")
            if self._generation == self._module.generation:
                self._pool.close()

    def _require_own_process(self) -> None:
        if os.getpid() != self.process:
            message = f"{self._subject}: it was opened by the process that this one was forked from"
            raise CustodyError(message, remedy="open the key again in the process that signs")

    def _attempt(self, operation: Callable[[PooledSession], T], generation: int) -> T:
        with self._logged_in(generation).borrow() as pooled:
            return operation(pooled)

    def _logged_in(self, generation: int) -> SessionPool:
        """Return the pool of this generation; logs in where another token's loss made the module begin anew."""
        with self._login_guard:
            self._raise_failure()
            if self._generation != generation:
                try:
                    self.token, self._pool = self._log_in(self.token)
                except KeyNotFoundError:
                    raise pkcs11.TokenNotPresent from None  # It went away as well, and may come back as well.
                self._generation = generation
            return self._pool

    def _log_in(self, known: PresentToken | None) -> tuple[PresentToken, SessionPool]:
        token = select_token(self.reference, self._module)
        if known is not None:
            self._require_same(known, token)
        login = log_in(token, secret_request(token, self.reference), self._context)
        return token, SessionPool(login, open_session=lambda: open_session(token), limit=self.concurrency)

    def _require_same(self, known: PresentToken, found: PresentToken) -> None:
        """Raise KeyNotFoundError for another token that answers to the reference as well: it has another PIN to lose."""
        names = [(facts.label, facts.serial, facts.manufacturer) for facts in (known.facts, found.facts)]
        if names[0] != names[1]:
            message = f"{self._subject}: another token is there now, {display(found.facts.describe())}"
            raise KeyNotFoundError(message, remedy="put back the one that the run began with, or begin again")

    def _recover(self, generation: int, lost: Exception) -> None:
        """Begin anew with the module and log in, as soon as the token is there. Raises once it was waited for in vain."""
        with self._module.gate.closed():
            if self._module.generation == generation and self._failure is None:
                self._failure = self._wait_for_token(lost)
            # Otherwise another thread met the same loss, and has mended it, or has waited in vain.
            self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            # A new object each time: threads that raise one exception would write into one another's traceback.
            raise type(self._failure)(self._failure.message, remedy=self._failure.remedy)

    def _wait_for_token(self, lost: Exception) -> HatchSignError | None:
        """Return None as soon as the login stands again, else what stood in the way."""
        deadline = time.monotonic() + self._patience
        while True:
            try:
                self._begin_anew()
            except (pkcs11.PKCS11Error, CryptokiError) as error:
                if isinstance(error, pkcs11.PKCS11Error) and not is_lost(error):
                    return translate(error, self._subject)
            except KeyNotFoundError:
                pass  # No token is there, or another one.
            except HatchSignError as error:  # the PIN was refused, say: waiting mends nothing
                return error
            else:
                return None
            if time.monotonic() >= deadline or self._context.stopped:
                return self._gave_up(lost)
            self._context.warn(f"{self._subject}: {describe(lost)}; waiting {self._patience:g} s for it to come back")
            time.sleep(_PAUSE)

    def _begin_anew(self) -> None:
        self._module.reinitialize()
        self.token, self._pool = self._log_in(self.token)
        self._generation = self._module.generation

    def _gave_up(self, lost: Exception) -> CustodyError:
        error = translate(lost, self._subject)
        message = f"{error.message}, and did not come back within {self._patience:g} s"
        return CustodyError(message, remedy=error.remedy)
