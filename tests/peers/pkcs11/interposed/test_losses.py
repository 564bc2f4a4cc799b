"""A token that is lost is had again, or waited for as long as that may help."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pkcs11
import pytest

from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.values.errors import (
    CustodyError,
    SecretRejectedError,
)
from hatch_sign_pkcs11 import Pkcs11Backend
from hatch_sign_pkcs11.settings import RECONNECT_VARIABLE
from hatch_sign_pkcs11.translate import is_lost
from tests.integration.cli.interrupting import INTERRUPTIBLE
from tests.integration.projects import unmeasured

from ..interposer import Interposer, interposed_token
from .signing import (
    DIGEST,
    ECDSA,
    context,
    fails_to_sign,
    sign,
)

if TYPE_CHECKING:
    from pathlib import Path


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


def test_an_interrupt_ends_the_wait_for_a_lost_token(token: Interposer, tmp_path: Path) -> None:
    for number in range(8):
        (tmp_path / f"{number}.bin").write_bytes(b"data")
    token.set(fail="C_Sign:2:999:32,C_Login:2:9999:30")
    words = [
        sys.executable,
        *INTERRUPTIBLE,
        "sign",
        ".",
        "--format",
        "sigstore",
        "--key",
        token.reference("ecdsa-p256"),
    ]
    # What measures coverage swallows an interruption that meets it.
    environ = unmeasured(os.environ) | {RECONNECT_VARIABLE: "3600", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(words, cwd=tmp_path, env=environ, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            said = process.stderr.readline()
            process.send_signal(signal.SIGINT)
            rest = process.communicate(timeout=300)[1]
        finally:
            process.kill()
    assert "waiting 3600 s for it to come back" in said
    assert process.returncode == 130, rest
    assert "Traceback" not in rest


def test_what_is_lost_and_what_is_refused_are_told_apart() -> None:
    assert is_lost(pkcs11.DeviceRemoved())
    assert not is_lost(pkcs11.MechanismInvalid())
    assert not is_lost(pkcs11.PinIncorrect())
