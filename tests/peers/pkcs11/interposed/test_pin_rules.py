"""A PIN is tried once, the last try is asked for, and a keypad follows the same rules."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pkcs11
import pytest

from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.custody.context import RunContext
from hatch_sign.values.errors import (
    CustodyError,
    KeyNotFoundError,
    SecretRejectedError,
    TokenLockedError,
    UnsupportedError,
)
from hatch_sign_pkcs11 import Pkcs11Backend

from ..tokens.real_token import LABEL, PIN
from .signing import (
    COUNT_LOW,
    DIGEST,
    ECDSA,
    FINAL_TRY,
    LOCKED,
    LOGIN_REQUIRED,
    PIN_PAD,
    context,
    fails_to_sign,
    refused,
    sign,
)

if TYPE_CHECKING:
    from hatch_sign.contract.backends import SecretRequest

    from ..interposer import Interposer


def test_the_last_try_is_not_spent_unasked(token: Interposer) -> None:
    token.set(flags_set=FINAL_TRY)
    error = refused(token)
    assert isinstance(error, SecretRejectedError)
    assert "only one try is left" in error.message
    assert "--spend-final-try" in error.remedy
    assert token.calls()["C_Login"] == 0
    assert sign(token, context(spend=True))


def test_a_count_that_is_low_is_warned_of(token: Interposer) -> None:
    warnings: list[str] = []
    assert sign(token, context(warnings=warnings))
    assert warnings == []
    token.set(flags_set=COUNT_LOW)
    assert sign(token, context(warnings=warnings))
    assert len(warnings) == 1
    assert "a wrong PIN has been entered since the last login" in warnings[0]


def test_a_locked_pin_is_not_tried(token: Interposer) -> None:
    token.set(flags_set=LOCKED)
    error = refused(token)
    assert isinstance(error, TokenLockedError)
    assert token.calls()["C_Login"] == 0


def test_a_wrong_pin_that_locks_the_token_says_so(token: Interposer) -> None:
    token.set(fail="C_Login:1:999:a0")
    observed: list[str] = []

    class Locking(RunContext):
        """Lock the token at the moment in which the PIN is handed over, as the third wrong one does."""

        def secret(self, request: SecretRequest) -> str:
            token.set(flags_set=LOCKED)
            observed.append(request.label)
            return super().secret(request)

    lent = Locking({"HATCH_SIGN_PIN": "wrong"}, on_warning=print)
    assert isinstance(refused(token, lent), TokenLockedError)
    assert len(observed) == 1


def test_a_wrong_pin_is_tried_once_whatever_waits_for_it(token: Interposer) -> None:
    lent = context(pin="not-the-pin")
    with ThreadPoolExecutor(8) as pool:
        errors = list(pool.map(lambda _: refused(token, lent), range(8)))
    assert {type(error) for error in errors} == {SecretRejectedError}
    assert token.calls()["C_Login"] == 1


def test_a_token_that_wants_no_login_gets_none(token: Interposer) -> None:
    """SoftHSM keeps private keys to itself until a login, so that none is found; nothing was asked for."""
    token.set(flags_clear=LOGIN_REQUIRED)
    lent = RunContext({}, on_warning=print)
    error = refused(token, lent)
    assert isinstance(error, KeyNotFoundError)
    assert token.calls()["C_Login"] == 0


def test_a_pin_pad_asks_for_the_pin_itself(token: Interposer) -> None:
    warnings: list[str] = []
    token.set(flags_set=PIN_PAD, flags_clear=COUNT_LOW, pad_pin=PIN)
    assert sign(token, RunContext({}, on_warning=warnings.append))
    assert warnings == ["pkcs11:token=release;object=ecdsa-p256: enter the PIN at the token itself"]


@pytest.mark.parametrize("answer", [0xA0, 0x50, 0x200], ids=["wrong", "cancelled", "refused"])
def test_a_pin_pad_is_tried_once_as_well(token: Interposer, answer: int) -> None:
    token.set(flags_set=PIN_PAD, pad_pin=PIN, fail=f"C_Login:1:999:{answer:x}")
    lent = RunContext({}, on_warning=lambda _: None)
    for _ in range(3):
        assert isinstance(refused(token, lent), SecretRejectedError | CustodyError)
    assert token.calls()["C_Login"] == 1


def test_a_look_from_outside_logs_in_at_no_pin_pad(token: Interposer) -> None:
    token.set(flags_set=PIN_PAD, pad_pin=PIN)
    words = [sys.executable, "-m", "hatch_sign", "doctor", token.reference("ecdsa-p256")]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "it is entered at the token itself" in done.stdout
    assert token.calls()["C_Login"] == 0


def test_a_key_that_wants_its_pin_at_every_signature_gets_it(token: Interposer) -> None:
    backend = Pkcs11Backend()
    make_key_with_pin_at_each_signature("guarded")
    token.forget_calls()
    with open_signer(backend, token.reference("guarded"), context()) as signer:
        for _ in range(3):
            assert signer.sign_digest(DIGEST, ECDSA)
        assert token.calls()["C_Login"] == 4  # The token's own, and one for each signature.
        token.set(fail="C_Login:5:999:a0")
        with ThreadPoolExecutor(8) as pool:
            assert {type(error) for error in pool.map(lambda _: fails_to_sign(signer), range(16))} == {SecretRejectedError}
        assert token.calls()["C_Login"] == 5, "a PIN that was refused is tried again"


def test_the_last_try_is_not_spent_at_a_signature_either(token: Interposer) -> None:
    make_key_with_pin_at_each_signature("last")
    with open_signer(Pkcs11Backend(), token.reference("last"), context()) as signer:
        token.forget_calls()
        token.set(flags_set=FINAL_TRY)
        assert "only one try is left" in fails_to_sign(signer).message
    assert token.calls()["C_Login"] == 0


def test_a_pin_pad_cannot_serve_a_key_that_wants_its_pin_at_every_signature(token: Interposer) -> None:
    make_key_with_pin_at_each_signature("guarded at the pad")
    token.set(flags_set=PIN_PAD, pad_pin=PIN)
    with pytest.raises(UnsupportedError, match="PIN pad"):
        sign(token, RunContext({}, on_warning=lambda _: None), key="guarded%20at%20the%20pad")


def make_key_with_pin_at_each_signature(label: str) -> None:
    """Make a key with CKA_ALWAYS_AUTHENTICATE, which the plugin itself never asks for."""
    library = pkcs11.lib(os.environ["INTERPOSER_MODULE"])
    library.reinitialize()
    with library.get_token(token_label=LABEL).open(rw=True, user_pin=PIN) as session:
        parameters = session.create_domain_parameters(
            pkcs11.KeyType.EC,
            {pkcs11.Attribute.EC_PARAMS: pkcs11.util.ec.encode_named_curve_parameters("secp256r1")},
            local=True,
        )
        private = {pkcs11.Attribute.ALWAYS_AUTHENTICATE: True}
        parameters.generate_keypair(store=True, label=label, id=label.encode(), private_template=private)
    library.finalize()
