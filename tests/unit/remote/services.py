"""A service that a test scripts, and time that passes only when somebody sleeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from hatch_sign.remote import Failure, NetworkLimits, ServiceCaller, Timing

BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET = "s3cr3t-credential"  # noqa: S105 - what no error may show


class VendorError(Exception):
    """What an SDK raises: its text holds the credential, as some do."""

    def __init__(self, failure: Failure | None) -> None:
        super().__init__(f"Authorization: {SECRET}")
        self.failure = failure


def classify(error: Exception) -> Failure | None:
    return error.failure if isinstance(error, VendorError) else None


@dataclass
class Time:
    """Stands still but for sleeping; `chance` is what every draw gives."""

    chance: float = 1.0
    seconds: float = 0.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    @property
    def timing(self) -> Timing:
        return Timing(
            clock=lambda: self.seconds,
            sleep=self.sleep,
            chance=lambda: self.chance,
        )


def make_caller(time: Time, **limits: float) -> ServiceCaller:
    return ServiceCaller("Example KMS", "example:release", classify, NetworkLimits(**limits), time.timing)


class Script:
    """An operation that fails as it is told, then answers; counts how often it was asked."""

    def __init__(self, *failures: Failure | None, answer: bytes = b"signature") -> None:
        self._failures = list(failures)
        self._answer = answer
        self.asked = 0

    def __call__(self) -> bytes:
        self.asked += 1
        if self._failures:
            raise VendorError(self._failures.pop(0))
        return self._answer
