from __future__ import annotations

import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from hatch_sign.backends.emulated.tokens import unlock_token
from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.custody.context import RunContext
from hatch_sign.values.errors import ConfigurationError, SecretRejectedError, SecretUnavailableError, TokenLockedError

from .conftest import PIN, SO_PIN, WRONG, Token

if TYPE_CHECKING:
    from pathlib import Path

_KEY = "emulated:release/one"


def _log_in(token: Token, pin: str = PIN, *, spend_final_try: bool = False) -> None:
    with token.backend.open(_KEY, token.context(pin, spend_final_try=spend_final_try)):
        pass


def test_wrong_pins_are_counted_and_the_right_one_restores(token: Token) -> None:
    with pytest.raises(SecretRejectedError, match="the PIN is wrong; 2 tries are left"):
        _log_in(token, WRONG)
    assert token.tries == (2, 10)
    with pytest.raises(SecretRejectedError, match="1 try is left"):
        _log_in(token, WRONG)
    assert token.tries == (1, 10)
    _log_in(token, spend_final_try=True)
    assert token.tries == (3, 10)


def test_the_final_try_is_kept_without_leave(token: Token) -> None:
    for _ in range(2):
        with pytest.raises(SecretRejectedError):
            _log_in(token, WRONG)
    with pytest.raises(SecretRejectedError, match="--spend-final-try"):
        _log_in(token)
    assert token.tries == (1, 10)


def test_three_wrong_pins_lock_and_the_so_pin_unlocks(token: Token) -> None:
    for _ in range(2):
        with pytest.raises(SecretRejectedError):
            _log_in(token, WRONG)
    with pytest.raises(SecretRejectedError, match=r"it is locked now.*hatch-sign token unlock release"):
        _log_in(token, WRONG, spend_final_try=True)
    with pytest.raises(TokenLockedError, match=r"locked after 3 wrong tries.*hatch-sign token unlock release"):
        _log_in(token, spend_final_try=True)
    unlock_token("release", new_pin="a new one", context=token.context())
    assert token.tries == (3, 10)
    _log_in(token, "a new one")
    with pytest.raises(SecretRejectedError):
        _log_in(token, PIN)


def test_ten_wrong_so_pins_lose_the_unlocking_and_not_the_keys(token: Token) -> None:
    for left in range(9, -1, -1):
        with pytest.raises(SecretRejectedError, match=f"{left} tr" if left else "it is locked now.*never be unlocked"):
            unlock_token("release", new_pin="another", context=token.context(so_pin=WRONG, spend_final_try=True))
    with pytest.raises(TokenLockedError, match=r"SO PIN is locked after 10 wrong tries.*never be unlocked"):
        unlock_token("release", new_pin="another", context=token.context())
    _log_in(token)


def test_a_locked_pin_is_not_even_asked_for(token: Token) -> None:
    for _ in range(3):
        with pytest.raises(SecretRejectedError):
            _log_in(token, WRONG, spend_final_try=True)
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        return PIN

    context = RunContext(token.environ(pin=None), on_warning=asked.append, prompt=answer)
    with pytest.raises(TokenLockedError), token.backend.open(_KEY, context):
        pass
    assert not asked


def test_two_keys_of_a_token_try_a_wrong_pin_once(token: Token) -> None:
    context = token.context(WRONG)

    def attempt(reference: str) -> str:
        with pytest.raises(SecretRejectedError) as caught, token.backend.open(reference, context):
            pass
        return str(caught.value)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(attempt, ["emulated:release/one", "emulated:release/two"] * 3))
    assert sum("2 tries are left" in answer for answer in answers) == 1
    assert token.tries == (2, 10)


def test_threads_with_the_right_pin_do_not_disturb_one_another(token: Token) -> None:
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: _log_in(token), range(6)))
    assert token.tries == (3, 10)


@pytest.mark.parametrize("pin", ["123", "x" * 65, "1234\udcff"], ids=["short", "long", "not UTF-8"])
def test_a_pin_that_no_token_has_costs_no_try(token: Token, pin: str) -> None:
    with pytest.raises(SecretRejectedError, match=r"4 to 64 characters.*no try was spent") as caught:
        _log_in(token, pin)
    assert caught.value.__context__ is None
    assert token.tries == (3, 10)


def test_a_pin_is_the_same_however_its_letters_are_composed(token: Token) -> None:
    unlock_token("release", new_pin="cafe\u0301", context=token.context())
    _log_in(token, "caf\u00e9")


@pytest.mark.parametrize("new_pin", ["123", SO_PIN])
def test_a_new_pin_must_be_one_and_another(token: Token, new_pin: str) -> None:
    with pytest.raises(ConfigurationError):
        unlock_token("release", new_pin=new_pin, context=token.context())
    _log_in(token)


def test_no_pin_is_no_try(token: Token) -> None:
    with pytest.raises(SecretUnavailableError, match="PIN of emulated token release"):
        token.backend.open(_KEY, token.context(pin=None)).__enter__()
    assert token.tries == (3, 10)


def test_the_pin_may_come_from_the_reference(token: Token, tmp_path: Path) -> None:
    file = tmp_path / "pin"
    file.touch(mode=0o600)
    file.write_text(f"{PIN}\n")
    with open_signer(token.backend, f"{_KEY}?pin-source=file:{file}", token.context(WRONG)) as signer:
        assert signer.reference == _KEY
    with pytest.raises(ConfigurationError, match="`pin` is not a setting"):
        token.backend.open(f"{_KEY}?pin=x", token.context())


def test_no_pin_is_in_any_error_or_warning(token: Token) -> None:
    with pytest.raises(SecretRejectedError) as caught:
        _log_in(token, WRONG)
    shown = "".join([*traceback.format_exception(caught.value), repr(caught.value), *token.warnings])
    assert not any(secret in shown for secret in (PIN, SO_PIN, WRONG))
    assert PIN.encode() not in token.path.read_bytes()
