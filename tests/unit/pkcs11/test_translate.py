"""Every answer of a module is one error in our words; nothing of the library's text goes on but a number."""

from __future__ import annotations

import traceback

import pkcs11
import pytest

from hatch_sign.testing.observed import assert_presentable
from hatch_sign.values.errors import (
    CustodyError,
    HatchSignError,
    KeyNotFoundError,
    SecretRejectedError,
    TokenLockedError,
    UnsupportedError,
)
from hatch_sign_pkcs11.cryptoki import (
    CKR_CANT_LOCK,
    CKR_CRYPTOKI_ALREADY_INITIALIZED,
    CKR_CRYPTOKI_NOT_INITIALIZED,
    CryptokiError,
)
from hatch_sign_pkcs11.translate import describe, is_lost, translate, translated

SUBJECT = "pkcs11:token=release"
PIN = "40" + "711"
NOT_INITIALIZED = "Initialisation error (not initialized). Should never see this."
ALREADY_INITIALIZED = "Initialisation error (already initialized). Should never see this."

EXCEPTIONS = sorted(
    (each for each in vars(pkcs11.exceptions).values() if isinstance(each, type) and issubclass(each, pkcs11.PKCS11Error)),
    key=lambda each: each.__name__,
)


@pytest.mark.parametrize("kind", EXCEPTIONS)
def test_every_exception_of_the_library_is_one_error_without_its_text(kind: type[pkcs11.PKCS11Error]) -> None:
    error = translate(kind(f"the PIN {PIN} was given\nto C_Login"), SUBJECT)
    assert isinstance(error, CustodyError | UnsupportedError)
    assert error.message.startswith(f"{SUBJECT}: ")
    assert not error.message.endswith((": ", "."))
    assert_presentable(error, (PIN, "C_Login"))


@pytest.mark.parametrize(
    ("kind", "error", "words"),
    [
        (pkcs11.PinIncorrect, SecretRejectedError, "the PIN is wrong"),
        (pkcs11.PinExpired, SecretRejectedError, "the PIN has expired"),
        (pkcs11.PinLocked, TokenLockedError, "locked after too many wrong tries"),
        (pkcs11.NoSuchKey, KeyNotFoundError, "no such key"),
        (pkcs11.NoSuchToken, KeyNotFoundError, "no such token"),
        (pkcs11.MultipleTokensReturned, KeyNotFoundError, "more than one token answers"),
        (pkcs11.MechanismInvalid, UnsupportedError, "does not offer the mechanism"),
        (pkcs11.DeviceRemoved, CustodyError, "was removed"),
        (pkcs11.SessionCount, CustodyError, "no session left"),
        (pkcs11.WrappingKeySizeRange, CustodyError, "the module answered WrappingKeySizeRange"),
    ],
)
def test_an_exception_has_its_class_and_its_words(
    kind: type[pkcs11.PKCS11Error], error: type[HatchSignError], words: str
) -> None:
    translation = translate(kind(), SUBJECT)
    assert type(translation) is error
    assert words in translation.message
    assert translation.remedy
    assert describe(kind()) == translation.message.removeprefix(f"{SUBJECT}: ")


def test_an_exception_of_a_later_release_is_named() -> None:
    class TokenOnFire(pkcs11.PKCS11Error):
        """An exception that the library does not have."""

    error = translate(TokenOnFire(f"the PIN {PIN}"), SUBJECT)
    assert type(error) is CustodyError
    assert error.message == f"{SUBJECT}: the module answered TokenOnFire"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (NOT_INITIALIZED, "the module is not initialised any more"),
        (ALREADY_INITIALIZED, "something else in this process uses the module"),
        ("Buffer was too small. Should never see this.", "the module's signature is longer than any should be"),
        ("Unmapped error code 0x80000042", "the module answered 0x80000042"),
        ("Unmapped error code 0x68", "the module answered 0x68"),
        (f"The PIN {PIN} met 0x68", "the module answered 0x68"),
        (f"The PIN {PIN} was wrong", "the module answered PKCS11Error"),
        ("", "the module answered PKCS11Error"),
    ],
)
def test_of_a_text_without_an_exception_only_what_is_known_and_a_number_go_on(text: str, words: str) -> None:
    error = translate(pkcs11.PKCS11Error(text), SUBJECT)
    assert type(error) is CustodyError
    assert error.message == f"{SUBJECT}: {words}"
    assert error.remedy


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (CKR_CRYPTOKI_ALREADY_INITIALIZED, "something else in this process uses the module"),
        (CKR_CANT_LOCK, "the module cannot be initialised (CKR 0xA)"),
        (0x80000042, "the module cannot be initialised (CKR 0x80000042)"),
    ],
)
def test_a_module_that_cannot_be_initialised_says_by_which_code(code: int, words: str) -> None:
    error = translate(CryptokiError(code), SUBJECT)
    assert type(error) is CustodyError
    assert error.message == f"{SUBJECT}: {words}"
    assert error.remedy
    assert str(CryptokiError(code)) == f"CKR 0x{code:X}"


# --- what may be had again --------------------------------------------------------------------------------------------

LOST = {
    "DeviceError",
    "DeviceRemoved",
    "GeneralError",
    "KeyHandleInvalid",
    "ObjectHandleInvalid",
    "OperationNotInitialized",
    "SessionClosed",
    "SessionHandleInvalid",
    "SlotIDInvalid",
    "TokenNotPresent",
    "UserNotLoggedIn",
}
"""What says that a session, its login or its handles are void; never a refusal, which a second try would repeat."""


@pytest.mark.parametrize("kind", EXCEPTIONS)
def test_what_is_lost_is_told_from_what_is_refused(kind: type[pkcs11.PKCS11Error]) -> None:
    assert is_lost(kind()) == (kind.__name__ in LOST)


def test_a_module_that_forgot_its_initialisation_is_lost() -> None:
    assert is_lost(pkcs11.PKCS11Error(NOT_INITIALIZED))
    assert not is_lost(pkcs11.PKCS11Error(ALREADY_INITIALIZED))
    assert not is_lost(pkcs11.PinIncorrect(NOT_INITIALIZED))
    assert not is_lost(CryptokiError(CKR_CRYPTOKI_NOT_INITIALIZED))
    assert not is_lost(RuntimeError(NOT_INITIALIZED))


# --- the one place where it is done -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        (pkcs11.PinIncorrect(PIN), "the PIN is wrong"),
        (CryptokiError(0x30), "the module cannot be initialised (CKR 0x30)"),
        (UnicodeDecodeError("utf-8", PIN.encode(), 0, 1, PIN), "the module answered nonsense (UnicodeDecodeError)"),
        (MemoryError(PIN), "the module answered nonsense (MemoryError)"),
        (OverflowError(PIN), "the module answered nonsense (OverflowError)"),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_the_library_raises_leaves_without_a_chain(raised: Exception, words: str) -> None:
    with pytest.raises(CustodyError) as caught, translated(SUBJECT):
        raise raised
    assert caught.value.message == f"{SUBJECT}: {words}"
    assert_presentable(caught.value, (PIN,))
    assert type(raised).__name__ not in "".join(traceback.format_exception(caught.value)).replace(words, "")


@pytest.mark.parametrize("raised", [CustodyError("ours"), ValueError("another's"), KeyboardInterrupt()], ids=repr)
def test_everything_else_goes_on_as_it_is(raised: BaseException) -> None:
    with pytest.raises(type(raised)) as caught, translated(SUBJECT):
        raise raised
    assert caught.value is raised


def test_where_nothing_is_raised_nothing_is() -> None:
    with translated(SUBJECT):
        done = True
    assert done


def test_a_subject_is_made_safe_to_show() -> None:
    for raised in (pkcs11.PinIncorrect(), MemoryError()):
        with pytest.raises(CustodyError) as caught, translated("pkcs11:token=\x1b[2J\nrelease"):
            raise raised
        assert caught.value.message.startswith("pkcs11:token=\\x1b[2J\\x0arelease: ")
