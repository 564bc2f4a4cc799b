"""What the tests of a token's answers have in common: a signature, and one that is refused."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from hatch_sign.custody.checked_signer import CheckedSigner, open_signer
from hatch_sign.custody.context import RunContext
from hatch_sign.testing.observed import assert_presentable
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.errors import (
    HatchSignError,
)
from hatch_sign_pkcs11 import Pkcs11Backend
from hatch_sign_pkcs11.settings import RECONNECT_VARIABLE

from ..tokens.real_token import PIN

if TYPE_CHECKING:
    from ..interposer import Interposer

DIGEST = hashlib.sha256(b"what is signed").digest()
ECDSA, RSA = Scheme.ECDSA_SHA256, Scheme.RSA_PKCS1_SHA256
LOGIN_REQUIRED, COUNT_LOW, FINAL_TRY, LOCKED, PIN_PAD = "4", "10000", "20000", "40000", "100"
RAW_ECDSA, RAW_RSA, RAW_PSS = 0x1041, 0x1, 0xD


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


def fails_to_sign(signer: CheckedSigner) -> HatchSignError:
    with pytest.raises(HatchSignError) as caught:
        signer.sign_digest(DIGEST, ECDSA)
    return caught.value
