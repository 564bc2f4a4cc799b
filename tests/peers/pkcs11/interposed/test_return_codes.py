"""Every return code of a call leads to one error of the right class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pkcs11
import pytest

from hatch_sign.testing.observed import assert_presentable
from hatch_sign.values.algorithms import KeyAlgorithm
from hatch_sign.values.errors import (
    CustodyError,
    HatchSignError,
    SecretRejectedError,
    TokenLockedError,
    UnsupportedError,
)
from hatch_sign_pkcs11 import Pkcs11Backend

from ..tokens.real_token import PIN
from .signing import (
    context,
    refused,
    sign,
)

if TYPE_CHECKING:
    from ..interposer import Interposer

AT_SIGNING = {
    0x02: (CustodyError, "memory"),
    0x05: (CustodyError, "module failed"),
    0x06: (CustodyError, "refused to do it"),
    0x07: (CustodyError, "refuses what it was called with"),
    0x20: (UnsupportedError, "refuses the data"),
    0x21: (UnsupportedError, "too long or too short"),
    0x30: (CustodyError, "the token failed"),
    0x31: (CustodyError, "no memory left"),
    0x32: (CustodyError, "was removed"),
    0x50: (CustodyError, "cancelled"),
    0x54: (UnsupportedError, "does not offer this function"),
    0x60: (CustodyError, "does not know the key any more"),
    0x62: (UnsupportedError, "this size"),
    0x63: (UnsupportedError, "another kind"),
    0x68: (CustodyError, "0x68"),  # CKR_KEY_FUNCTION_NOT_PERMITTED, which python-pkcs11 has no name for
    0x70: (UnsupportedError, "does not offer the mechanism"),
    0x71: (UnsupportedError, "parameters"),
    0x82: (CustodyError, "does not know the object"),
    0x90: (CustodyError, "another operation"),
    0x91: (CustodyError, "lost the operation"),
    0xA3: (SecretRejectedError, "expired"),
    0xA4: (TokenLockedError, "locked"),
    0xB0: (CustodyError, "closed the session"),
    0xB3: (CustodyError, "does not know the session"),
    0xE0: (CustodyError, "not there any more"),
    0xE1: (CustodyError, "no token that the module knows"),
    0x101: (CustodyError, "ended the login"),
    0x190: (CustodyError, "not initialised any more"),
    0x200: (CustodyError, "refused at the token"),
    0x80000042: (CustodyError, "0x80000042"),
}
"""What C_Sign may return (PKCS#11 v2.40 base, section 5.11), and one of a vendor's own: the error, and its words."""


@pytest.mark.parametrize("code", AT_SIGNING, ids=lambda code: f"0x{code:X}")
def test_an_answer_to_a_signature_is_one_error_of_its_class(token: Interposer, code: int) -> None:
    token.set(fail=f"C_Sign:1:999:{code:x}")
    error = refused(token)
    expected, words = AT_SIGNING[code]
    assert type(error) is expected, error
    assert words in error.message
    assert error.message.startswith("pkcs11:token=release;object=ecdsa-p256: ")
    assert error.remedy
    token.set(fail=None)
    assert sign(token)


AT_LOGIN = {
    0x30: (CustodyError, "the token failed"),
    0xA0: (SecretRejectedError, "the PIN is wrong"),
    0xA1: (SecretRejectedError, "characters"),
    0xA2: (SecretRejectedError, "shorter or longer"),
    0xA3: (SecretRejectedError, "expired"),
    0xA4: (TokenLockedError, "locked"),
    0x102: (SecretRejectedError, "no user PIN yet"),
    0x104: (CustodyError, "another user"),
    0x105: (CustodyError, "too many users"),
}


@pytest.mark.parametrize("code", AT_LOGIN, ids=lambda code: f"0x{code:X}")
def test_an_answer_to_a_login_is_one_error_of_its_class(token: Interposer, code: int) -> None:
    token.set(fail=f"C_Login:1:999:{code:x}")
    error = refused(token)
    expected, words = AT_LOGIN[code]
    assert type(error) is expected, error
    assert words in error.message
    assert token.calls()["C_Login"] == 1
    assert token.calls()["C_Sign"] == 0


@pytest.mark.parametrize(
    ("function", "code", "words"),
    [
        ("C_Initialize", 0x30, "cannot be initialised|the token failed"),
        ("C_OpenSession", 0xB1, "no session left"),
        ("C_FindObjectsInit", 0x30, "the token failed"),
        ("C_GetTokenInfo", 0x30, "the token failed"),
        ("C_GetMechanismList", 0x05, "module failed"),
        ("C_SignInit", 0x70, "does not offer the mechanism"),
    ],
)
def test_an_answer_on_the_way_is_one_error(token: Interposer, function: str, code: int, words: str) -> None:
    token.set(fail=f"{function}:1:999:{code:x}")
    error = refused(token)
    assert isinstance(error, CustodyError | UnsupportedError)
    assert any(each in error.message for each in words.split("|")), error
    token.set(fail=None)
    assert sign(token)


@pytest.mark.parametrize(
    ("code", "words"),
    [(0xD1, "does not make"), (0xD0, "more attributes"), (0xE2, "write-protected"), (0x31, "memory")],
)
def test_a_token_that_makes_no_key_says_why(token: Interposer, code: int, words: str) -> None:
    token.set(fail=f"C_GenerateKeyPair:1:999:{code:x}")
    with pytest.raises(HatchSignError) as caught:
        Pkcs11Backend().generate_key(token.reference("new"), KeyAlgorithm.ECDSA_P256, context())
    assert words in str(caught.value)
    assert_presentable(caught.value, (PIN,))


def test_every_exception_of_the_library_has_words() -> None:
    """A later release with another exception fails here, and not in somebody's release."""
    from hatch_sign_pkcs11 import translate  # noqa: PLC0415 - its table is what is tested

    exceptions = {each for each in vars(pkcs11.exceptions).values() if isinstance(each, type)}
    unknown = {each.__name__ for each in exceptions if issubclass(each, pkcs11.PKCS11Error)} - {
        each.__name__ for each in translate._WORDINGS
    }
    assert unknown == {"PKCS11Error"} | NEVER_MET


NEVER_MET = {
    "EncryptedDataInvalid",
    "EncryptedDataLenRange",
    "ExceededMaxIterations",
    "KeyIndigestible",
    "KeyNeeded",
    "KeyNotNeeded",
    "KeyNotWrappable",
    "NoEvent",
    "UnwrappingKeyHandleInvalid",
    "UnwrappingKeySizeRange",
    "UnwrappingKeyTypeInconsistent",
    "WrappedKeyInvalid",
    "WrappedKeyLenRange",
    "WrappingKeyHandleInvalid",
    "WrappingKeySizeRange",
    "WrappingKeyTypeInconsistent",
}
"""Of encryption, wrapping and events, which nothing here asks for; they would be told by their name."""


# --- the PIN ----------------------------------------------------------------------------------------------------------


# --- sessions ---------------------------------------------------------------------------------------------------------


# --- mechanisms -------------------------------------------------------------------------------------------------------
