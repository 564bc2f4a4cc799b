"""Sessions and logins: as many as the token has, one login, none in a forked child."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from hatch_sign.custody.checked_signer import open_signer
from hatch_sign_pkcs11 import Pkcs11Backend

from .signing import (
    DIGEST,
    ECDSA,
    RSA,
    context,
    refused,
)

if TYPE_CHECKING:
    from ..interposer import Interposer


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
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
