"""What the plugin makes of a token's answers: every return code, every flag, every lack, over real keys of SoftHSM."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pkcs11
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hatch_sign.custody.checked_signer import CheckedSigner, open_signer
from hatch_sign.custody.context import RunContext
from hatch_sign.testing.observed import assert_presentable
from hatch_sign.testing.seals import private_key
from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.errors import (
    CustodyError,
    HatchSignError,
    KeyNotFoundError,
    SecretRejectedError,
    TokenLockedError,
    UnsupportedError,
    WrongSignatureError,
)
from hatch_sign_pkcs11 import Pkcs11Backend
from hatch_sign_pkcs11.settings import RECONNECT_VARIABLE
from hatch_sign_pkcs11.translate import is_lost

from .interposer import Interposer, build_interposer, interposed_token
from .tokens.real_token import LABEL, PIN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hatch_sign.contract.backends import SecretRequest

DIGEST = hashlib.sha256(b"what is signed").digest()
ECDSA, RSA = Scheme.ECDSA_SHA256, Scheme.RSA_PKCS1_SHA256
LOGIN_REQUIRED, COUNT_LOW, FINAL_TRY, LOCKED, PIN_PAD = "4", "10000", "20000", "40000", "100"
RAW_ECDSA, RAW_RSA, RAW_PSS = 0x1041, 0x1, 0xD


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_interposer(tmp_path_factory.mktemp("interposer"))


@pytest.fixture(scope="module")
def made(module: Path) -> Iterator[Interposer]:
    with interposed_token(module) as token:
        for algorithm in (KeyAlgorithm.ECDSA_P256, KeyAlgorithm.RSA_3072):
            Pkcs11Backend().generate_key(token.reference(algorithm.value), algorithm, context())
        yield token


@pytest.fixture
def token(made: Interposer) -> Iterator[Interposer]:
    """Begin each test with a token that answers by itself, and count from there."""
    with pytest.MonkeyPatch.context() as patch:
        token = Interposer(made.module, made.folder, made.environ, patch)
        token.forget_calls()
        yield token


def context(*, warnings: list[str] | None = None, pin: str = PIN, spend: bool = False, **environ: str) -> RunContext:
    collected: list[str] = [] if warnings is None else warnings
    variables = {"HATCH_SIGN_PIN": pin, RECONNECT_VARIABLE: "0"} | environ
    return RunContext(variables, on_warning=collected.append, spend_final_try=spend)


def sign(token: Interposer, lent: RunContext | None = None, *, key: str = "ecdsa-p256", scheme: Scheme = ECDSA) -> bytes:
    with open_signer(Pkcs11Backend(), token.reference(key), lent or context()) as signer:
        return signer.sign_digest(DIGEST, scheme)


def refused(token: Interposer, lent: RunContext | None = None, key: str = "ecdsa-p256") -> HatchSignError:
    with pytest.raises(HatchSignError) as caught:
        sign(token, lent, key=key)
    assert_presentable(caught.value, (PIN,))
    return caught.value


# --- every return code ------------------------------------------------------------------------------------------------

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


def test_no_weaker_key_is_made_after_a_failure_that_may_pass(token: Interposer) -> None:
    token.set(fail="C_GenerateKeyPair:1:1:30")
    with pytest.raises(CustodyError, match="the token failed"):
        Pkcs11Backend().generate_key(token.reference("weaker"), KeyAlgorithm.ECDSA_P256, context())
    assert token.calls()["C_GenerateKeyPair"] == 1


def test_no_key_is_made_under_an_id_that_is_taken(token: Interposer) -> None:
    first = token.reference("first").replace("?", ";id=%42?")
    Pkcs11Backend().generate_key(first, KeyAlgorithm.ECDSA_P256, context())
    with pytest.raises(CustodyError, match="of that id"):
        Pkcs11Backend().generate_key(first.replace("first", "second"), KeyAlgorithm.ECDSA_P256, context())


def test_a_public_key_that_somebody_put_there_is_not_exported(token: Interposer, tmp_path: Path) -> None:
    """SoftHSM lets anybody write public objects: the one of the key is taken away, and another put in its place."""
    Pkcs11Backend().generate_key(token.reference("swapped"), KeyAlgorithm.ECDSA_P256, context())
    words = [
        sys.executable,
        "-m",
        "hatch_sign",
        "key",
        "export-public",
        token.reference("swapped"),
        "-o",
        str(tmp_path / "key"),
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    swap_public_key("swapped")
    words[-1] = str(tmp_path / "swapped")
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 3
    assert "is not a signature by this key" in done.stderr
    assert not (tmp_path / "swapped").exists()


def swap_public_key(label: str) -> None:
    """Put a public key in the place of that of `label`, without a PIN."""
    library = pkcs11.lib(os.environ["INTERPOSER_MODULE"])
    library.reinitialize()
    attributes = pkcs11.Attribute
    with library.get_token(token_label=LABEL).open(rw=True) as session:
        (public,) = session.get_objects({attributes.CLASS: pkcs11.ObjectClass.PUBLIC_KEY, attributes.LABEL: label})
        key_id = public[attributes.ID]
        public.destroy()
        numbers = (
            private_key(KeyAlgorithm.ECDSA_P256, 5).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        )
        session.create_object(
            {
                attributes.CLASS: pkcs11.ObjectClass.PUBLIC_KEY,
                attributes.KEY_TYPE: pkcs11.KeyType.EC,
                attributes.TOKEN: True,
                attributes.PRIVATE: False,
                attributes.ID: key_id,
                attributes.LABEL: label,
                attributes.EC_PARAMS: pkcs11.util.ec.encode_named_curve_parameters("secp256r1"),
                attributes.EC_POINT: b"\x04\x41" + numbers,
            }
        )
    library.finalize()


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
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
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


def fails_to_sign(signer: CheckedSigner) -> HatchSignError:
    with pytest.raises(HatchSignError) as caught:
        signer.sign_digest(DIGEST, ECDSA)
    return caught.value


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


# --- sessions ---------------------------------------------------------------------------------------------------------


def test_a_token_of_few_sessions_serves_many_threads(token: Interposer) -> None:
    token.set(sessions=2)
    with open_signer(Pkcs11Backend(), token.reference("ecdsa-p256"), context()) as signer, ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda _: signer.sign_digest(DIGEST, ECDSA), range(64)))
    calls = token.calls()
    assert calls["C_Sign"] == 64
    assert calls["C_Login"] == calls["C_Logout"] == 1


def test_a_token_without_any_session_is_one_error(token: Interposer) -> None:
    token.set(sessions=0)
    assert "no session left" in refused(token).message


def test_a_module_that_takes_no_threads_is_called_by_one_at_a_time(token: Interposer) -> None:
    token.set(no_threads="1")
    backend = Pkcs11Backend()
    with backend.open(token.reference("ecdsa-p256"), context()) as signer:
        assert signer.concurrency == 1
    references = (token.reference("ecdsa-p256"), token.reference("rsa-3072"))
    with backend.open(references[0], context()) as one, backend.open(references[1], context()) as other:
        start = threading.Barrier(2)

        def work(number: int) -> list[bytes]:
            start.wait()
            signer, scheme = ((one, ECDSA), (other, RSA))[number]
            return [signer.sign_digest(DIGEST, scheme) for _ in range(20)]

        with ThreadPoolExecutor(2) as pool:
            assert [len(made) for made in pool.map(work, range(2))] == [20, 20]


def test_two_keys_of_one_token_share_one_login(token: Interposer) -> None:
    backend, lent = Pkcs11Backend(), context()
    with backend.open(token.reference("ecdsa-p256"), lent) as one, backend.open(token.reference("rsa-3072"), lent) as other:
        assert one.sign_digest(DIGEST, ECDSA)
        assert other.sign_digest(DIGEST, RSA)
    assert token.calls()["C_Login"] == token.calls()["C_Logout"] == 1


@pytest.mark.parametrize("code", [0xB3, 0xB0, 0x101, 0x32, 0xE0, 0x30, 0x60, 0x82, 0x190], ids=lambda code: f"0x{code:X}")
def test_a_session_that_was_lost_is_had_again(token: Interposer, code: int) -> None:
    warnings: list[str] = []
    with open_signer(Pkcs11Backend(), token.reference("ecdsa-p256"), context(warnings=warnings)) as signer:
        assert signer.sign_digest(DIGEST, ECDSA)
        token.set(fail=f"C_Sign:2:2:{code:x}")
        assert signer.sign_digest(DIGEST, ECDSA)
        assert signer.calls == 2
    calls = token.calls()
    assert calls["C_Login"] == 2
    assert calls["C_Sign"] == 3
    assert warnings == []


def test_all_threads_go_on_after_a_loss_and_one_of_them_mends_it(token: Interposer) -> None:
    with open_signer(Pkcs11Backend(), token.reference("ecdsa-p256"), context()) as signer, ThreadPoolExecutor(8) as pool:
        token.set(fail="C_Sign:20:20:32")
        assert all(pool.map(lambda _: signer.sign_digest(DIGEST, ECDSA), range(64)))
    assert token.calls()["C_Login"] == 2


def test_a_login_that_is_refused_after_a_loss_is_not_tried_again(token: Interposer) -> None:
    with open_signer(Pkcs11Backend(), token.reference("ecdsa-p256"), context()) as signer:
        token.set(fail="C_Sign:1:999:32,C_Login:2:999:a0")
        for _ in range(3):
            with pytest.raises(SecretRejectedError):
                signer.sign_digest(DIGEST, ECDSA)
    assert token.calls()["C_Login"] == 2


@pytest.mark.parametrize(("answer", "words"), [(0xA3, "expired"), (0xA4, "locked"), (0x102, "no user PIN yet")])
def test_what_waiting_does_not_mend_is_not_waited_for(token: Interposer, answer: int, words: str) -> None:
    with open_signer(Pkcs11Backend(), token.reference("ecdsa-p256"), context(**{RECONNECT_VARIABLE: "60"})) as signer:
        token.set(fail=f"C_Sign:1:999:32,C_Login:2:999:{answer:x}")
        assert words in fails_to_sign(signer).message
    assert token.calls()["C_Login"] == 2


def test_another_token_of_the_same_label_is_not_sent_the_pin(token: Interposer) -> None:
    """It has a PIN of its own to lose; SoftHSM finds it in place of the first one as soon as the module begins anew."""
    reference = token.reference("ecdsa-p256")
    with open_signer(Pkcs11Backend(), reference, context()) as signer, interposed_token(token.module) as other:
        other.forget_calls()
        other.set(fail="C_Sign:1:1:32")
        assert "did not come back" in fails_to_sign(signer).message
        assert other.calls()["C_Login"] == 0


def test_a_run_that_is_given_up_waits_no_longer(token: Interposer) -> None:
    lent = context(**{RECONNECT_VARIABLE: "3600"})
    with open_signer(Pkcs11Backend(), token.reference("ecdsa-p256"), lent) as signer:
        token.set(fail="C_Sign:1:999:32,C_Login:2:9999:30")
        lent.stop()
        assert "did not come back" in fails_to_sign(signer).message


def test_a_token_that_does_not_come_back_is_waited_for_once(token: Interposer) -> None:
    warnings: list[str] = []
    lent = context(warnings=warnings, **{RECONNECT_VARIABLE: "1"})
    with open_signer(Pkcs11Backend(), token.reference("ecdsa-p256"), lent) as signer, ThreadPoolExecutor(4) as pool:
        token.set(fail="C_Sign:1:999:32,C_GetTokenInfo:1:999999:e0")

        def fail(_: int) -> str:
            with pytest.raises(CustodyError) as caught:
                signer.sign_digest(DIGEST, ECDSA)
            return caught.value.message

        messages = set(pool.map(fail, range(16)))
    assert len(messages) == 1
    assert messages.pop().endswith("was removed, or its service has stopped, and did not come back within 1 s")
    assert len(warnings) == 1
    assert "waiting 1 s for it to come back" in warnings[0]
    token.set(fail=None)
    assert sign(token)


def test_a_forked_child_is_told_to_log_in_itself(token: Interposer) -> None:
    """Its handles are the parent's; a key that it opens itself works, and so does the parent's afterwards."""
    script = f"""
import os, sys
from hatch_sign.custody.context import RunContext
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.errors import CustodyError
from hatch_sign_pkcs11 import Pkcs11Backend
backend, context = Pkcs11Backend(), RunContext(os.environ, on_warning=print)
with backend.open({token.reference("ecdsa-p256")!r}, context) as signer:
    child = os.fork()
    if not child:
        try:
            signer.sign_digest(bytes(32), Scheme.ECDSA_SHA256)
        except CustodyError as error:
            with backend.open({token.reference("ecdsa-p256")!r}, context) as own:
                own.sign_digest(bytes(32), Scheme.ECDSA_SHA256)
            os._exit(0 if "forked" in str(error) else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert signer.sign_digest(bytes(32), Scheme.ECDSA_SHA256)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


# --- mechanisms -------------------------------------------------------------------------------------------------------


def test_a_token_that_hashes_itself_signs_messages_and_says_so(token: Interposer) -> None:
    token.set(without=f"{RAW_RSA:x},{RAW_PSS:x}")
    with open_signer(Pkcs11Backend(), token.reference("rsa-3072"), context()) as signer:
        assert not signer.takes_digests(RSA)
        for scheme in KeyAlgorithm.RSA_3072.schemes:
            assert signer.sign(b"a small message", scheme)
        with pytest.raises(UnsupportedError, match="hashes what it signs"):
            signer.sign_digest(DIGEST, RSA)


def test_a_token_without_a_mechanism_for_the_key_names_those_that_it_has(token: Interposer) -> None:
    token.set(without=",".join(f"{number:x}" for number in (RAW_ECDSA, 0x1042, 0x1043, 0x1044, 0x1045, 0x1046)))
    error = refused(token)
    assert isinstance(error, UnsupportedError)
    assert "no mechanism to sign with its ecdsa-p256 key; it offers: " in error.message
    assert "CKM_RSA_PKCS" in error.message
    assert token.calls()["C_SignInit"] == 0


def test_a_signature_that_is_none_is_not_handed_on(token: Interposer) -> None:
    token.set(spoil="1")
    with pytest.raises(WrongSignatureError):
        sign(token)


def test_what_is_lost_and_what_is_refused_are_told_apart() -> None:
    assert is_lost(pkcs11.DeviceRemoved())
    assert not is_lost(pkcs11.MechanismInvalid())
    assert not is_lost(pkcs11.PinIncorrect())


def test_an_interrupt_ends_the_wait_for_a_lost_token(token: Interposer, tmp_path: Path) -> None:
    for number in range(8):
        (tmp_path / f"{number}.bin").write_bytes(b"data")
    token.set(fail="C_Sign:2:999:32,C_Login:2:9999:30")
    words = [sys.executable, "-m", "hatch_sign", "sign", ".", "--format", "sigstore", "--key", token.reference("ecdsa-p256")]
    environ = os.environ | {RECONNECT_VARIABLE: "3600", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(words, cwd=tmp_path, env=environ, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            said = process.stderr.readline()
            process.send_signal(signal.SIGINT)
            rest = process.communicate(timeout=60)[1]
        finally:
            process.kill()
    assert "waiting 3600 s for it to come back" in said
    assert process.returncode == 130, rest
    assert "Traceback" not in rest
