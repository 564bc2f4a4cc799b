"""What one run lends to its backends: the environment, the secrets, and the rule that a wrong PIN is tried once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NoReturn

from hatch_sign.custody.secrets import find_secret, secret_name
from hatch_sign.values.errors import HatchSignError, SecretRejectedError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hatch_sign.contract.backends import SecretRequest

MAX_CONCURRENCY = 8
"""Calls that a run has under way at once unless it is told otherwise."""


class _Secret:
    """One secret of the run, once it was asked for. Its lock is held while somebody is asked."""

    __slots__ = ("failure", "lock", "rejected", "value")

    def __init__(self) -> None:
        """Begin as not asked for."""
        self.lock = threading.Lock()
        self.value: str | None = None
        self.failure: HatchSignError | None = None
        self.rejected = False


class RunContext:
    """The :class:`~hatch_sign.contract.backends.BackendContext` of a run; one for all its backends, from any thread.

    `environ` is copied. `prompt` asks a person, with the question as its argument; leave it out where nobody can
    answer. `on_warning` gets one line at a time, each once. `spend_final_try` allows the try that may lock a token.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        on_warning: Callable[[str], None],
        max_concurrency: int = MAX_CONCURRENCY,
        spend_final_try: bool = False,
        prompt: Callable[[str], str] | None = None,
    ) -> None:
        """Begin a run; nothing is asked yet."""
        self._environ = dict(environ)
        self._max_concurrency = max(1, max_concurrency)
        self._spend_final_try = spend_final_try
        self._prompt = prompt
        self._on_warning = on_warning
        self._lock = threading.Lock()
        self._stopped = False
        self._secrets: dict[tuple[str, str], _Secret] = {}
        self._warned: set[str] = set()

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment as the run began."""
        return self._environ

    @property
    def max_concurrency(self) -> int:
        """The most calls that the run will ever have under way at once."""
        return self._max_concurrency

    @property
    def stopped(self) -> bool:
        """Whether :meth:`stop` was called."""
        return self._stopped

    def stop(self) -> None:
        """Say that the run is being given up, as after Ctrl-C; from any thread."""
        self._stopped = True

    def secret(self, request: SecretRequest) -> str:
        """Return the secret, asked for once per kind and label however many threads wait for it.

        Raises SecretUnavailableError or ConfigurationError as :func:`~hatch_sign.custody.secrets.find_secret` does, to
        everybody who waits; SecretRejectedError, without asking, after `rejected`, and for a final try that was not allowed.
        """
        entry = self._entry(request)
        with entry.lock:
            self._refuse_spent(entry, request)
            if request.at_token:
                return ""
            if entry.value is None and entry.failure is None:
                self._fill(entry, request)
            if entry.value is not None:
                return entry.value
            failure = entry.failure
        # A new object each time: threads that raise one exception would write into one another's traceback.
        message, remedy = (failure.message, failure.remedy) if failure else ("", "")
        raise type(failure or SecretRejectedError(""))(message, remedy=remedy)

    def rejected(self, request: SecretRequest) -> None:
        """Record that the token refused the secret; it is forgotten, and not tried again in this run."""
        entry = self._entry(request)
        with entry.lock:
            entry.rejected = True
            entry.value = None

    def warn(self, message: str) -> None:
        """Tell the user `message`, unless this run has said it already."""
        with self._lock:
            if message in self._warned:
                return
            self._warned.add(message)
        self._on_warning(message)

    def __reduce__(self) -> NoReturn:
        """Refuse to be copied or pickled: the secrets stay in this object."""
        message = "the secrets of a run cannot be copied"
        raise UnsupportedError(message)

    def _entry(self, request: SecretRequest) -> _Secret:
        with self._lock:
            return self._secrets.setdefault((request.kind, request.label), _Secret())

    def _refuse_spent(self, entry: _Secret, request: SecretRequest) -> None:
        if entry.rejected:
            message = f"{secret_name(request)}: it was refused earlier in this run, and is not tried again"
            raise SecretRejectedError(message, remedy="check it, and start again")
        if request.final_try and not self._spend_final_try:
            message = f"{secret_name(request)}: only one try is left, and a wrong one locks the token"
            raise SecretRejectedError(message, remedy="make sure of it, then repeat with --spend-final-try")

    def _fill(self, entry: _Secret, request: SecretRequest) -> None:
        try:
            entry.value = find_secret(request, self._environ, prompt=self._prompt, warn=self.warn)
        except HatchSignError as error:
            entry.failure = error.with_traceback(None)
