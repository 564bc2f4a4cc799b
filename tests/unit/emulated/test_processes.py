"""Many processes on one token, and kills at every step of what they do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from hatch_sign.backends.emulated.tokens import create_token, describe_token, list_labels
from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.values.algorithms import Scheme

from .conftest import PIN, SO_PIN, WRONG, Token

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX's; the locks are SQLite's on every system")

_LOG_IN = """
from hatch_sign.backends.emulated import EmulatedBackend
from hatch_sign.custody.context import RunContext
from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.values.algorithms import KeyAlgorithm
import os, sys

backend, context = EmulatedBackend(), RunContext(os.environ, on_warning=lambda _: None, spend_final_try=True)
"""
_SIGN = f"""{_LOG_IN}
with open_signer(backend, "emulated:release/one", context) as signer:
    signer.sign(b"x", signer.schemes[0])
"""
_GENERATE = f"""{_LOG_IN}
backend.generate_key("emulated:release/new", KeyAlgorithm.ECDSA_P256, context)
"""
_INIT = """
from hatch_sign.backends.emulated import wrapping
from hatch_sign.backends.emulated.tokens import create_token
import os

wrapping._COST = 2  # as in the process of the tests: what is looked at is the files
create_token("fresh", pin=os.environ["HATCH_SIGN_PIN"], so_pin=os.environ["HATCH_SIGN_SO_PIN"], environ=os.environ)
"""
_KILLER = """
import os, signal, sys

target, seen = int(os.environ["KILL_AT"]), 0

def watch(frame, event, function):
    global seen
    owner = type(getattr(function, "__self__", None)).__name__ if event == "c_call" else ""
    where = frame.f_code.co_name
    if (owner == "Connection" and where in os.environ["KILL_IN"].split()) or function is os.rename:
        seen += 1
        if seen == target:
            os.kill(os.getpid(), signal.SIGKILL)

sys.setprofile(watch)
"""
"""Kills its own process before the step KILL_AT of the calls of SQLite in the functions KILL_IN, and of renames."""
_WRITERS = "transaction _spend_try _restore_tries generate_key create_token _write_token write_lock"


def _start(script: str, environ: dict[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, env={**os.environ, **environ}, text=True, **streams)  # type: ignore[call-overload,no-any-return] # no overload takes a table


def _run_and_kill(script: str, environ: dict[str, str], *, step: int) -> int:
    process = _start(_KILLER + script, environ | {"KILL_AT": str(step), "KILL_IN": _WRITERS})
    _, errors = process.communicate()
    assert process.returncode in {0, -signal.SIGKILL}, errors
    return process.returncode


def test_many_processes_with_the_right_pin_never_lock_it(token: Token) -> None:
    processes = [_start(_SIGN, token.environ()) for _ in range(8)]
    for process in processes:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    assert token.tries == (3, 10)


def test_wrong_pins_among_right_ones_are_the_only_ones_refused(token: Token) -> None:
    processes = [_start(_SIGN, token.environ(WRONG if number in {2, 4} else PIN)) for number in range(6)]
    for number, process in enumerate(processes):
        _, errors = process.communicate()
        assert (process.returncode == 0) == (number not in {2, 4}), errors
        assert ("SecretRejectedError" in errors) == (number in {2, 4})
        assert WRONG not in errors
    assert token.tries[0] >= 1


def test_many_wrong_pins_at_once_are_no_more_than_three_tries(token: Token) -> None:
    processes = [_start(_SIGN, token.environ(WRONG)) for _ in range(6)]
    errors = [process.communicate()[1] for process in processes]
    assert sum("the PIN is wrong" in error for error in errors) == 3
    assert sum("TokenLockedError" in error for error in errors) == 3
    assert token.tries == (0, 10)


def test_a_kill_in_the_middle_of_a_try_has_spent_it(token: Token, made: bytes) -> None:
    tries = []
    for step in range(1, 30):
        token.path.write_bytes(made)
        killed = _run_and_kill(_SIGN, token.environ(), step=step)
        tries.append(token.tries[0])
        if not killed:
            break
    assert tries[-1] == 3, "the last run was not killed"
    spent = [index for index, left in enumerate(tries) if left == 2]
    assert spent
    assert spent == list(range(spent[0], spent[-1] + 1)), "spent from one commit to the other, and at no other step"
    assert set(tries) == {2, 3}
    # A spent try comes back with the right PIN.
    token.path.write_bytes(made)
    assert _run_and_kill(_SIGN, token.environ(), step=spent[0] + 1)
    assert token.tries == (2, 10)
    with open_signer(token.backend, "emulated:release/one", token.context()) as signer:
        assert signer.sign(b"x", Scheme.ECDSA_SHA256)
    assert token.tries == (3, 10)


def test_a_kill_while_a_key_is_made_leaves_it_whole_or_not_there(token: Token, made: bytes) -> None:
    there = []
    for step in range(1, 30):
        token.path.write_bytes(made)
        token.path.with_name("release.token-journal").unlink(missing_ok=True)
        killed = _run_and_kill(_GENERATE, token.environ(), step=step)
        labels = [key.label for key in token.backend.list_keys("emulated:release", token.context())]
        there.append("new" in labels)
        assert {"ed", "one", "two"} <= set(labels)
        if not killed:
            break
    assert there[-1], "the last run was not killed"
    assert not there[0]
    with open_signer(token.backend, "emulated:release/new", token.context()) as signer:
        assert signer.sign(b"x", Scheme.ECDSA_SHA256)


def test_a_kill_while_a_token_is_made_leaves_it_whole_or_not_there(tmp_path: Path) -> None:
    environ = {"HATCH_SIGN_HOME": str(tmp_path), "HATCH_SIGN_PIN": PIN, "HATCH_SIGN_SO_PIN": SO_PIN}
    killed_without = 0
    for step in range(1, 30):
        killed = _run_and_kill(_INIT, environ, step=step)
        if not killed or list_labels(environ):
            break
        killed_without += 1
    assert killed_without >= 5
    assert describe_token("fresh", environ).pin_tries == 3
    create_token("other", pin=PIN, so_pin=SO_PIN, environ=environ)
    names = {path.name for path in (tmp_path / "tokens").iterdir()}
    assert names == {"fresh.token", "other.token", ".login.lock"}, "the next run removes what the killed ones left"


def test_two_processes_that_make_one_key_make_one(token: Token) -> None:
    processes = [_start(_GENERATE, token.environ()) for _ in range(4)]
    outcomes = sorted(("this label already" in process.communicate()[1], process.returncode) for process in processes)
    assert outcomes == [(False, 0), (True, 1), (True, 1), (True, 1)]
    assert len(token.backend.list_keys("emulated:release", token.context())) == 4
