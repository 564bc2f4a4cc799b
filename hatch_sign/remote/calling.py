"""The one way to ask a service: repeat what passes, and turn everything else into an error of ours."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn, TypeVar

from hatch_sign.remote.failures import Failure, FailureKind
from hatch_sign.remote.limits import NetworkLimits
from hatch_sign.remote.retrying import Attempts, Timing
from hatch_sign.values.errors import CustodyError, HatchSignError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ServiceCaller:
    """Asks one service about one key, from any thread.

    `service` and `key` name both in messages; `key` is the reference without its query. `classify` says what an
    exception of the SDK means, and None for one that it does not know: of such only the type is named. An SDK's own
    repetitions must be switched off, so that this is the only policy. `stopped` says whether the run is being given up:
    nothing is waited for then.
    """

    service: str
    key: str
    classify: Callable[[Exception], Failure | None]
    limits: NetworkLimits = field(default_factory=NetworkLimits)
    timing: Timing = field(default_factory=Timing)
    stopped: Callable[[], bool] | None = None

    def call(self, operation: Callable[[], T], *, permission: str = "", repeatable: bool = True) -> T:
        """Return what `operation` returns, called again while it fails in a way that passes.

        `permission` is what the caller needs for it, as the service spells it (``kms:Sign``). One that is not
        `repeatable`, such as making a key, is called again only where the service did nothing: throttled, or `undone`.

        Raises CustodyError, among them KeyNotFoundError, SecretRejectedError and SecretUnavailableError, without a chain;
        a HatchSignError that `operation` raises is never repeated.
        """
        attempts = Attempts(self.limits, self.timing, self.stopped)
        while True:
            try:
                return operation()
            except HatchSignError:
                raise
            except Exception as error:  # noqa: BLE001 - an SDK raises what it likes, and its text may hold a credential
                failure = self.classify(error)
                unknown = type(error).__name__
            if failure is None:
                message = f"{self.key}: the client of {self.service} failed ({unknown})"
                raise CustodyError(message)
            if not failure.kind.passes or not (repeatable or failure.undone or failure.kind is FailureKind.THROTTLED):
                raise self.error(failure, permission=permission)
            reason = attempts.pause(failure)
            if reason is not None:
                raise self.error(failure.after(attempts.made, reason), permission=permission)

    def slept(self, seconds: float) -> bool:
        """Sleep between two questions of one operation and return True, or return False as soon as the run is given up."""
        return Attempts(self.limits, self.timing, self.stopped).slept(seconds)

    def error(self, failure: Failure, *, permission: str = "") -> CustodyError:
        """Return the error of `failure`, naming the service and the key."""
        return failure.as_error(service=self.service, key=self.key, permission=permission)

    def reject_answer(self, found: str) -> NoReturn:
        """Raise CustodyError for an answer that is none; `found` is a phrase of ours, such as ``sent no signature``."""
        raise self.error(Failure(FailureKind.MALFORMED, found=found)) from None
