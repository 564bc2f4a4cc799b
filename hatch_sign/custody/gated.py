"""What is lent by a backend, behind a gate: as many calls at once as it takes, none after its end, no vendor's exception."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar, Generic, NoReturn, Protocol, TypeVar

from hatch_sign.contract.references import without_query
from hatch_sign.values.display import display
from hatch_sign.values.errors import CustodyError, HatchSignError, PluginError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from hatch_sign.contract.backends import BackendContext


class _TakesCalls(Protocol):
    @property
    def concurrency(self) -> int: ...


T = TypeVar("T")
Lent = TypeVar("Lent", bound=_TakesCalls)


class Gated(Generic[Lent]):
    """Something that signs, behind a gate of its own `concurrency`. Any thread may call it, as many at once as like.

    `reference` is shown in messages, without its query. Every failure is a HatchSignError without a chain: of another
    exception only the type is named, for its text may hold a credential.
    """

    what: ClassVar[str]
    """What it is, as messages about its end name it."""

    def __init__(self, lent: Lent, *, reference: str) -> None:
        """Wrap `lent`, which stays whose it was. Raises PluginError for one that takes no call at all."""
        self._lent: Lent | None = lent
        self._reference = without_query(reference)
        self._gate = threading.BoundedSemaphore(_checked_concurrency(lambda: lent.concurrency, subject=self._shown))
        self._counter = threading.Lock()
        self._calls = 0

    @property
    def reference(self) -> str:
        """The reference without its query."""
        return self._reference

    @property
    def calls(self) -> int:
        """How many times it was asked to sign, successes and failures together."""
        return self._calls

    def close(self) -> None:
        """Refuse everything from now on; the backend itself is left by whoever entered it."""
        self._lent = None

    def __reduce__(self) -> NoReturn:
        """Refuse to be copied or pickled: what was lent belongs to this session."""
        message = f"{self._shown}: the handle of {self.what} cannot be copied"
        raise UnsupportedError(message)

    @property
    def _shown(self) -> str:
        return display(self._reference)

    def _call(self, operation: Callable[[Lent], T]) -> T:
        with self._gate:
            with self._counter:
                self._calls += 1
            return self._read(operation)

    def _read(self, operation: Callable[[Lent], T]) -> T:
        lent = self._lent
        if lent is None:
            message = f"{self._shown}: {self.what} was closed"
            raise CustodyError(message, remedy="open it again")
        return unchained(lambda: operation(lent), subject=self._shown)


@contextmanager
def entered(open_: Callable[[], AbstractContextManager[T]], reference: str, context: BackendContext) -> Iterator[T]:
    """Enter what `open_` returns, lend what that lends, and leave it.

    Raises HatchSignError only, without a chain. When the body raises, that is what is raised, and a logout that fails as
    well becomes a warning.
    """
    subject = display(without_query(reference))
    manager = unchained(open_, subject=subject)
    lent = unchained(manager.__enter__, subject=subject)

    def leave() -> None:
        # What went wrong in the body is none of the backend's business, which could swallow or reword it.
        unchained(lambda: manager.__exit__(None, None, None), subject=subject)

    try:
        yield lent
    except BaseException:
        try:
            leave()
        except HatchSignError as error:
            context.warn(f"logging out failed as well: {error}")
        raise
    leave()


def unchained(operation: Callable[[], T], *, subject: str) -> T:
    """Return what `operation` returns, or raise its HatchSignError without a chain.

    Of any other exception only the type is named, in a CustodyError: its text, and those it was raised from, may hold
    a credential.
    """
    failure: HatchSignError
    try:
        return operation()
    except HatchSignError as error:
        failure = error
    except Exception as error:  # noqa: BLE001 (vendors raise what they like; nothing of it may get out)
        failure = CustodyError(f"{subject}: the backend failed ({type(error).__name__})")
    # Outside the handlers, so that the interpreter records no context either.
    failure.__cause__ = failure.__context__ = None
    raise failure


def _checked_concurrency(read: Callable[[], object], *, subject: str) -> int:
    """Return how many calls a backend says that it takes at once. Raises PluginError unless it is a number from 1."""
    concurrency = unchained(read, subject=subject)
    if isinstance(concurrency, int) and concurrency >= 1:
        return concurrency
    message = f"{subject}: the backend says that it takes {display(concurrency)} calls at once, and it must take one"
    raise PluginError(message)
