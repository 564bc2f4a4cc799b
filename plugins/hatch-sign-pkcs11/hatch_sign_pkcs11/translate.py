"""What a module answers, in the words of hatch-sign.

Every PKCS#11 return code arrives as an exception of python-pkcs11; here each becomes one error with a remedy. Nothing of
the original goes on, but the name of the code: some modules put into their texts what they were given.
"""

from __future__ import annotations

import re
import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pkcs11

from hatch_sign.values.display import display
from hatch_sign.values.errors import (
    CustodyError,
    HatchSignError,
    KeyNotFoundError,
    SecretRejectedError,
    TokenLockedError,
    UnsupportedError,
)
from hatch_sign_pkcs11.cryptoki import CKR_CRYPTOKI_ALREADY_INITIALIZED, CryptokiError

if TYPE_CHECKING:
    from collections.abc import Iterator

_Wording = tuple[type[HatchSignError], str, str]

_GONE = "plug it in or start its service, and run the same command again: what is signed stays signed"
_TOKENS_LOG = "look into the log of the module or of the device"
_UNLOCK = "unlock it with its security officer's PIN and the vendor's tool"
_CAPABLE = "choose another algorithm or key; `hatch-sign doctor` shows what the token offers"

_WORDINGS: dict[type[Exception], _Wording] = {
    # The PIN.
    pkcs11.PinIncorrect: (SecretRejectedError, "the PIN is wrong", "check it, and start again: it was tried once"),
    pkcs11.PinInvalid: (SecretRejectedError, "the PIN holds characters that the token does not take", "check it"),
    pkcs11.PinLenRange: (SecretRejectedError, "the PIN is shorter or longer than the token's PINs are", "check it"),
    pkcs11.PinLocked: (TokenLockedError, "the PIN is locked after too many wrong tries", _UNLOCK),
    pkcs11.PinExpired: (SecretRejectedError, "the PIN has expired", "set a new one with the vendor's tool"),
    pkcs11.PinTooWeak: (SecretRejectedError, "the token finds the PIN too weak", "set another with the vendor's tool"),
    pkcs11.UserPinNotInitialized: (
        SecretRejectedError,
        "the token has no user PIN yet",
        "set one with the vendor's tool, such as `pkcs11-tool --init-pin`",
    ),
    pkcs11.UserAlreadyLoggedIn: (CustodyError, "this process is logged in already", "close what else uses the token"),
    pkcs11.AnotherUserAlreadyLoggedIn: (
        CustodyError,
        "another user, such as the security officer, is logged in",
        "end that session first",
    ),
    pkcs11.UserTooManyTypes: (CustodyError, "too many users are logged in at once", "end other sessions first"),
    pkcs11.UserNotLoggedIn: (CustodyError, "the token ended the login", "start again"),
    # The device.
    pkcs11.TokenNotPresent: (CustodyError, "the token is not there any more", _GONE),
    pkcs11.TokenNotRecognised: (CustodyError, "what is in the slot is no token that the module knows", _TOKENS_LOG),
    pkcs11.DeviceRemoved: (CustodyError, "the token was removed, or its service has stopped", _GONE),
    pkcs11.DeviceError: (CustodyError, "the token failed", _GONE),
    pkcs11.DeviceMemory: (CustodyError, "the token has no memory left", "remove objects or close sessions that it holds"),
    pkcs11.HostMemory: (CustodyError, "the module got no memory", "close other programs"),
    pkcs11.GeneralError: (CustodyError, "the module failed", _TOKENS_LOG),
    pkcs11.FunctionFailed: (CustodyError, "the token refused to do it", _TOKENS_LOG),
    pkcs11.FunctionCancelled: (CustodyError, "it was cancelled at the token", "start again, and confirm it there"),
    pkcs11.FunctionRejected: (CustodyError, "it was refused at the token", "start again, and confirm it there"),
    pkcs11.FunctionNotSupported: (UnsupportedError, "the module does not offer this function", _CAPABLE),
    pkcs11.TokenWriteProtected: (CustodyError, "the token is write-protected", "make keys with the vendor's tool"),
    pkcs11.RandomNoRNG: (CustodyError, "the token has no source of random numbers", _TOKENS_LOG),
    pkcs11.RandomSeedNotSupported: (CustodyError, "the token takes no random seed", _TOKENS_LOG),
    # Sessions.
    pkcs11.SessionClosed: (CustodyError, "the token closed the session", _GONE),
    pkcs11.SessionHandleInvalid: (CustodyError, "the token does not know the session any more", _GONE),
    pkcs11.SessionCount: (CustodyError, "the token has no session left", "close other programs that use it"),
    pkcs11.SessionExists: (CustodyError, "sessions are open that forbid it", "close other programs that use the token"),
    pkcs11.SessionReadOnly: (CustodyError, "the token lets nothing be stored", "make keys with the vendor's tool"),
    pkcs11.SessionReadOnlyExists: (CustodyError, "sessions are open that forbid it", "close other programs that use it"),
    pkcs11.SessionReadWriteSOExists: (
        CustodyError,
        "the security officer is logged in",
        "end that session: keys are used by the token's user",
    ),
    pkcs11.SlotIDInvalid: (CustodyError, "there is no such slot any more", _GONE),
    pkcs11.OperationActive: (CustodyError, "another operation is under way in the session", "start again"),
    pkcs11.OperationNotInitialized: (CustodyError, "the token lost the operation that was under way", "start again"),
    # Keys, and what they may do.
    pkcs11.KeyHandleInvalid: (CustodyError, "the token does not know the key any more", "check that it was not deleted"),
    pkcs11.ObjectHandleInvalid: (CustodyError, "the token does not know the object any more", "check that it is there"),
    pkcs11.NoSuchKey: (KeyNotFoundError, "there is no such key", "`hatch-sign key list` shows what there is"),
    pkcs11.NoSuchToken: (KeyNotFoundError, "there is no such token", "`hatch-sign doctor` shows what there is"),
    pkcs11.MultipleObjectsReturned: (KeyNotFoundError, "more than one object answers", "name its id"),
    pkcs11.MultipleTokensReturned: (KeyNotFoundError, "more than one token answers", "name its serial"),
    pkcs11.KeyTypeInconsistent: (UnsupportedError, "the key is of another kind than the mechanism", _CAPABLE),
    pkcs11.KeySizeRange: (UnsupportedError, "the token does not take keys of this size", _CAPABLE),
    pkcs11.MechanismInvalid: (UnsupportedError, "the token does not offer the mechanism for this key", _CAPABLE),
    pkcs11.MechanismParamInvalid: (UnsupportedError, "the token refuses the mechanism's parameters", _CAPABLE),
    pkcs11.DomainParamsInvalid: (UnsupportedError, "the token does not support this curve", _CAPABLE),
    pkcs11.PublicKeyInvalid: (CustodyError, "the token finds the public key invalid", _TOKENS_LOG),
    pkcs11.DataInvalid: (UnsupportedError, "the token refuses the data to be signed", _CAPABLE),
    pkcs11.DataLenRange: (UnsupportedError, "the data to be signed is too long or too short for the token", _CAPABLE),
    pkcs11.SignatureInvalid: (CustodyError, "the token finds the signature invalid", _TOKENS_LOG),
    pkcs11.SignatureLenRange: (CustodyError, "the token finds the signature of a wrong length", _TOKENS_LOG),
    pkcs11.KeyUnextractable: (UnsupportedError, "the key does not leave the token", ""),
    pkcs11.AttributeSensitive: (UnsupportedError, "the token does not tell this of its key", ""),
    # Templates of keys and certificates.
    pkcs11.AttributeTypeInvalid: (UnsupportedError, "the token does not know an attribute that was asked of it", _CAPABLE),
    pkcs11.AttributeValueInvalid: (UnsupportedError, "the token refuses an attribute's value", _CAPABLE),
    pkcs11.AttributeReadOnly: (UnsupportedError, "the token does not let an attribute be set", _CAPABLE),
    pkcs11.TemplateIncomplete: (UnsupportedError, "the token wants more attributes than it was given", _CAPABLE),
    pkcs11.TemplateInconsistent: (UnsupportedError, "the token refuses this combination of attributes", _CAPABLE),
    pkcs11.ArgumentsBad: (CustodyError, "the module refuses what it was called with", _TOKENS_LOG),
}
"""For each exception of python-pkcs11 that signing and keeping keys can meet: the class, what was found, what to do."""

_LOST = (
    pkcs11.DeviceError,
    pkcs11.DeviceRemoved,
    pkcs11.GeneralError,
    pkcs11.KeyHandleInvalid,
    pkcs11.ObjectHandleInvalid,
    pkcs11.OperationNotInitialized,
    pkcs11.SessionClosed,
    pkcs11.SessionHandleInvalid,
    pkcs11.SlotIDInvalid,
    pkcs11.TokenNotPresent,
    pkcs11.UserNotLoggedIn,
)
_NOT_INITIALIZED = "not initialized"
_UNNAMED = {
    _NOT_INITIALIZED: "the module is not initialised any more",
    "already initialized": "something else in this process uses the module",
    "Buffer was too small": "the module's signature is longer than any should be",
}
"""What the library has no exception for, by words of its own text."""

_CODE = re.compile(r"0x[0-9a-fA-F]{1,16}")


def is_lost(error: BaseException) -> bool:
    """Return whether `error` says that the session, the login or the device has gone, and may be had again."""
    return isinstance(error, _LOST) or (type(error) is pkcs11.PKCS11Error and _NOT_INITIALIZED in str(error))


def translate(error: Exception, subject: str) -> HatchSignError:
    """Return `error`, raised by python-pkcs11 or by initialising a module, in our words."""
    if isinstance(error, CryptokiError):
        return _of_initialising(error, subject)
    kind, found, remedy = _WORDINGS.get(type(error)) or (CustodyError, _name_unknown(error), _TOKENS_LOG)
    return kind(f"{subject}: {found}", remedy=remedy)


def _name_unknown(error: Exception) -> str:
    """Return what is known of an answer without an exception of its own; of the library's text only a number is repeated."""
    text = str(error)
    for words, found in _UNNAMED.items():
        if words in text:
            return found
    code = _CODE.search(text)
    return f"the module answered {code.group() if code else type(error).__name__}"


def describe(error: Exception) -> str:
    """Return what happened in a few words, for a warning."""
    return translate(error, "").message.removeprefix(": ")


@contextmanager
def translated(subject: str) -> Iterator[None]:
    """Raise what python-pkcs11 raises as HatchSignError, without a chain; `subject` begins the message."""
    try:
        yield
    except (pkcs11.PKCS11Error, CryptokiError) as error:
        failure = translate(error, display(subject))
    except (
        UnicodeError,
        MemoryError,
        OverflowError,
        struct.error,
    ) as error:  # what a module filled in was no text, or no length
        failure = CustodyError(f"{display(subject)}: the module answered nonsense ({type(error).__name__})")
    else:
        return
    raise failure from None


def _of_initialising(error: CryptokiError, subject: str) -> HatchSignError:
    if error.code == CKR_CRYPTOKI_ALREADY_INITIALIZED:
        message = f"{subject}: something else in this process uses the module"
        return CustodyError(message, remedy="run hatch-sign in a process of its own")
    message = f"{subject}: the module cannot be initialised (CKR 0x{error.code:X})"
    return CustodyError(message, remedy="check its configuration and, where it talks to a service, that this one runs")
