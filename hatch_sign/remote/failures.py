"""What can go wrong between here and a service, and the error that each of it becomes."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from hatch_sign.values.errors import (
    CustodyError,
    KeyNotFoundError,
    SecretRejectedError,
    SecretUnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_CODE = re.compile(r"[A-Za-z0-9 ._/()-]{1,80}\Z")


class FailureKind(Enum):
    """What a failed call means. Only the first two are worth repeating."""

    THROTTLED = "throttled"
    """The service is there, and wants to be asked less often."""
    UNAVAILABLE = "unavailable"
    """No connection, one that was cut, no answer in time, or an error inside the service."""
    REFUSED = "refused"
    """The caller is known, and may not do this."""
    UNAUTHENTICATED = "unauthenticated"
    """The credential is wrong, or has expired."""
    NO_CREDENTIAL = "no credential"
    """There is none to show."""
    MISSING = "missing"
    """There is no such key, version or mount."""
    INVALID = "invalid"
    """The request cannot be done as it is: a disabled key, another algorithm, a limit."""
    MALFORMED = "malformed"
    """What came back is not an answer of this service."""

    @property
    def passes(self) -> bool:
        """Whether the same call may succeed a little later."""
        return self in {FailureKind.THROTTLED, FailureKind.UNAVAILABLE}


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed call, as a provider's ``classify`` reads it from an exception of its SDK.

    `code` is the service's own name for it, such as ``ThrottlingException`` or ``403``; one that does not look like a
    code is not shown. `found` replaces the phrase of the kind and `remedy` its advice: write both, never copy them from
    the service, whose texts may repeat a credential. `retry_after` is in seconds. `undone` says that the failure proves
    that the service did nothing, so that even what must not be done twice may be asked for again.
    """

    kind: FailureKind
    code: str = ""
    found: str = ""
    remedy: str = ""
    retry_after: float | None = None
    undone: bool = False

    @property
    def phrase(self) -> str:
        """What went wrong, as the end of a sentence that begins with the service."""
        return f"{self.found or _FOUND[self.kind]}{f' ({self.code})' if self.code else ''}"

    def as_error(self, *, service: str, key: str, permission: str = "") -> CustodyError:
        """Return the error for people. `permission` is what the caller needs for the call, as the service spells it."""
        message = f"{key}: {service} {self.phrase}"
        remedy = self.remedy or _REMEDIES[self.kind]
        if permission and self.kind is FailureKind.REFUSED:
            message = f"{message}; the permission {permission} is missing"
            remedy = self.remedy or "allow it to the identity that signs, or sign as another"
        return _ERRORS.get(self.kind, CustodyError)(message, remedy=remedy)

    def __post_init__(self) -> None:
        """Leave out a code that is none: it came from outside, and may be any text."""
        if not _CODE.match(self.code):
            object.__setattr__(self, "code", "")

    def after(self, attempts: int, reason: str) -> Failure:
        """Return the failure as it is told once no further attempt is made."""
        tries = "" if attempts == 1 else f" {attempts} times"
        return replace(self, found=f"{self.found or _FOUND[self.kind]}{tries}{reason}")


_FOUND: Mapping[FailureKind, str] = {
    FailureKind.THROTTLED: "asked for fewer calls",
    FailureKind.UNAVAILABLE: "did not answer, or failed",
    FailureKind.REFUSED: "refused",
    FailureKind.UNAUTHENTICATED: "did not accept the credential: it is wrong, or has expired",
    FailureKind.NO_CREDENTIAL: "needs a credential, and none was found",
    FailureKind.MISSING: "has no such key",
    FailureKind.INVALID: "cannot do this with the key",
    FailureKind.MALFORMED: "gave an answer that is not one of this service",
}
_REMEDIES: Mapping[FailureKind, str] = {
    FailureKind.THROTTLED: "run again later, or ask for a higher quota",
    FailureKind.UNAVAILABLE: "check the network, the proxy and the service, then run again",
    FailureKind.REFUSED: "sign as an identity that may use the key",
    FailureKind.UNAUTHENTICATED: "log in again, then run again",
    FailureKind.NO_CREDENTIAL: "log in as the service's own tools do",
    FailureKind.MISSING: "check the reference, and the account, region or mount in which it is looked for",
    FailureKind.INVALID: "check the state and the kind of the key",
    FailureKind.MALFORMED: "check what stands between here and the service: its address, a proxy",
}
_ERRORS: Mapping[FailureKind, type[CustodyError]] = {
    FailureKind.UNAUTHENTICATED: SecretRejectedError,
    FailureKind.NO_CREDENTIAL: SecretUnavailableError,
    FailureKind.MISSING: KeyNotFoundError,
}

_STATUS_KINDS: Mapping[int, FailureKind] = {
    401: FailureKind.UNAUTHENTICATED,
    403: FailureKind.REFUSED,
    404: FailureKind.MISSING,
    408: FailureKind.UNAVAILABLE,
    410: FailureKind.MISSING,
    429: FailureKind.THROTTLED,
}
_SERVER_ERROR, _SUCCESS, _REDIRECT, _CLIENT_ERROR = 500, 200, 300, 400
_NEVER_PASSES = frozenset({501, 505})
"""Server errors that say that it will never work."""


def classify_status(status: int, *, retry_after: float | None = None) -> Failure:
    """Return what an HTTP status means where the service says nothing more precise (RFC 9110 §15)."""
    code = str(status)
    if status == 407:  # noqa: PLR2004 - Proxy Authentication Required (RFC 9110 §15.5.8)
        found = "could not be reached: the proxy wants a login"
        return Failure(FailureKind.INVALID, code, found, "set the proxy as the service's own tools need it")
    if status in _STATUS_KINDS:
        return Failure(_STATUS_KINDS[status], code, retry_after=retry_after)
    if status >= _SERVER_ERROR and status not in _NEVER_PASSES:
        return Failure(FailureKind.UNAVAILABLE, code, retry_after=retry_after)
    if _CLIENT_ERROR <= status < _SERVER_ERROR:
        return Failure(FailureKind.INVALID, code)
    return Failure(FailureKind.MALFORMED, code)
