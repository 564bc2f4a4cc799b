"""Logging in: what the token says of its PIN is heard first, and a PIN is tried once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pkcs11
from pkcs11 import PROTECTED_AUTH, TokenFlag

from hatch_sign.contract.backends import SecretRequest
from hatch_sign.values.display import display
from hatch_sign.values.errors import SecretRejectedError, TokenLockedError
from hatch_sign_pkcs11.attributes import lenient_mapper
from hatch_sign_pkcs11.references import COSIGN_PIN_VARIABLE
from hatch_sign_pkcs11.translate import translate

if TYPE_CHECKING:
    from pkcs11 import Session

    from hatch_sign.contract.backends import BackendContext
    from hatch_sign_pkcs11.references import Pkcs11Reference
    from hatch_sign_pkcs11.slots import PresentToken

WRONG_PINS = (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange)
"""How a token says that this PIN is not the right one."""

_REFUSALS = (*WRONG_PINS, pkcs11.FunctionCancelled, pkcs11.FunctionRejected)
"""A keypad says as well that nobody entered it."""


def secret_request(token: PresentToken, reference: Pkcs11Reference) -> SecretRequest:
    """Return what to ask the run for: one PIN for each token, however many of its keys are used."""
    serial = f" ({token.facts.serial})" if token.facts.serial else ""
    return SecretRequest(
        "pin",
        f"token {token.facts.label}{serial}",
        reference.text,
        source=reference.pin_source,
        variables=(COSIGN_PIN_VARIABLE,),
    )


def open_session(token: PresentToken, *, writable: bool = False) -> Session:
    """Return a session of its own, which shares the login that there is. Raises PKCS11Error."""
    return token.handle.open(rw=writable, attribute_mapper=lenient_mapper())


def log_in(token: PresentToken, request: SecretRequest, context: BackendContext) -> Session:
    """Return the session that holds the login; without one where the token wants none.

    Raises SecretRejectedError for a PIN that is wrong, that was refused earlier in this run, or that may not be tried as
    it is the last try; TokenLockedError; SecretUnavailableError; PKCS11Error.
    """
    flags = token.flags
    if not flags & TokenFlag.LOGIN_REQUIRED:
        return open_session(token)
    subject = display(request.reference)
    _heed(flags, subject, context)
    request = as_it_stands(request, flags)
    pin = context.secret(request)
    if request.at_token:
        context.warn(f"{subject}: enter the PIN at the token itself")
    failure: pkcs11.PKCS11Error
    try:
        return _try(token, PROTECTED_AUTH if request.at_token else pin)
    except _REFUSALS as error:
        failure = error
    context.rejected(request)
    raise _rejected(failure, token, subject)


def as_it_stands(request: SecretRequest, flags: TokenFlag) -> SecretRequest:
    """Return `request` with what the token says now: whether it is the last try, and where the PIN is entered."""
    return replace(
        request,
        final_try=bool(flags & TokenFlag.USER_PIN_FINAL_TRY),
        at_token=bool(flags & TokenFlag.PROTECTED_AUTHENTICATION_PATH),
    )


def _try(token: PresentToken, pin: object) -> Session:
    try:
        return token.handle.open(user_pin=pin, attribute_mapper=lenient_mapper())
    except pkcs11.UserAlreadyLoggedIn:
        # Somebody else in this process logged in, and will log out; a login is the whole process's.
        return open_session(token)


def _heed(flags: TokenFlag, subject: str, context: BackendContext) -> None:
    if flags & TokenFlag.USER_PIN_LOCKED:
        raise _locked(subject)
    if flags & TokenFlag.USER_PIN_COUNT_LOW and not flags & TokenFlag.USER_PIN_FINAL_TRY:
        context.warn(f"{subject}: a wrong PIN has been entered since the last login; be sure of this one")
    if flags & TokenFlag.USER_PIN_TO_BE_CHANGED:
        context.warn(f"{subject}: the token wants its PIN changed, and may refuse to work until it is")


def _rejected(failure: pkcs11.PKCS11Error, token: PresentToken, subject: str) -> SecretRejectedError | TokenLockedError:
    error = translate(failure, subject)
    message, remedy = error.message, error.remedy
    try:
        flags = token.flags
    except pkcs11.PKCS11Error:
        flags = TokenFlag(0)
    if flags & TokenFlag.USER_PIN_LOCKED:
        return TokenLockedError(f"{message}, and the token is locked now", remedy=_locked(subject).remedy)
    left = "; only one try is left" if flags & TokenFlag.USER_PIN_FINAL_TRY else ""
    return SecretRejectedError(f"{message}{left}", remedy=remedy)


def _locked(subject: str) -> TokenLockedError:
    error = translate(pkcs11.PinLocked(), subject)
    return TokenLockedError(error.message, remedy=error.remedy)
