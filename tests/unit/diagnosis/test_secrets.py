from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from hatch_sign.contract.backends import SecretRequest
from hatch_sign.diagnosis.secrets import NoSecrets, look_for_secret
from hatch_sign.values.errors import SecretUnavailableError

from .backends import SECRET

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hatch_sign.contract.backends import Symptom

SUBJECT = "PIN of odd token"


def request(source: str | None = None, *, final_try: bool = False) -> SecretRequest:
    return SecretRequest("pin", "odd token", "odd:key", source, ("ODD_PIN",), final_try)


def look(asked: SecretRequest, environ: Mapping[str, str] | None = None, *, can_ask: bool = False) -> list[Symptom]:
    found = [check.symptom for check in look_for_secret(asked, environ or {}, can_ask=can_ask)]
    assert SECRET not in str(found)
    assert {symptom.subject for symptom in found} == {SUBJECT}
    return found


def test_it_is_found_in_the_first_variable_that_is_set() -> None:
    (own,) = look(request(), {"HATCH_SIGN_PIN": SECRET, "ODD_PIN": "other"})
    assert (own.status, own.found) == ("ok", "in the environment variable HATCH_SIGN_PIN")
    (kind,) = look(request(), {"ODD_PIN": SECRET})
    assert kind.found == "in the environment variable ODD_PIN"
    (empty,) = look(request(), {"HATCH_SIGN_PIN": "", "ODD_PIN": SECRET})
    assert (empty.status, empty.found) == ("failure", "the environment variable HATCH_SIGN_PIN is empty")


def test_the_source_of_the_reference_goes_before_all_others() -> None:
    environ = {"HSM_PIN": SECRET, "HATCH_SIGN_PIN": "other"}
    (found,) = look(request("env:HSM_PIN"), environ)
    assert found.found == "in the environment variable HSM_PIN"
    (missing,) = look(request("env:HSM_PIM"), environ)
    assert (missing.status, missing.found) == ("failure", "pin-source env:HSM_PIM is not set")
    assert "fill it" in missing.remedy


def test_it_is_found_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "pin"
    file.touch(mode=0o600)
    file.write_text(SECRET)
    (found,) = look(request(f"file:{file}"))
    assert (found.status, found.found) == ("ok", f"in the file {file}")
    file.unlink()
    (missing,) = look(request(f"file:{file}"))
    assert missing.status == "failure"
    assert "cannot be read" in missing.found
    assert "pin-source" in missing.remedy


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
def test_a_file_that_others_may_read_is_warned_of(tmp_path: Path) -> None:
    file = tmp_path / "pin"
    file.write_text(SECRET)
    file.chmod(0o644)
    found, warned = look(request(f"file:{file}"))
    assert (found.status, warned.status) == ("ok", "warning")
    assert "chmod 600" in warned.found


@pytest.mark.skipif(sys.platform == "win32", reason="pipes have no names there")
def test_a_pipe_is_left_for_the_login() -> None:
    reading, writing = os.pipe()
    try:
        os.write(writing, SECRET.encode())
        os.close(writing)
        (found,) = look(request(f"file:/dev/fd/{reading}"))
        assert found.status == "ok"
        assert "it is read when the key is opened" in found.found
        assert os.read(reading, 100).decode() == SECRET
    finally:
        os.close(reading)


@pytest.mark.parametrize("path", [".", "file\0name", "x" * 300, "///nowhere/at/all"])
def test_a_file_that_is_none_is_a_failure(path: str) -> None:
    (found,) = look(request(f"file:{path}"))
    assert found.status == "failure"
    assert "cannot be read" in found.found


def test_it_is_found_in_the_keyring(keyring_in_memory: dict[tuple[str, str], str]) -> None:
    keyring_in_memory["service", "user"] = keyring_in_memory["hatch-sign", "odd token"] = SECRET
    (named,) = look(request("keyring:service/user"))
    assert named.found == "in the keyring, as service/user"
    (default,) = look(request())
    assert default.found == "in the keyring, as hatch-sign/odd token"
    (refused,) = look(request("keyring:locked/user"))
    assert refused.status == "failure"
    assert "the keyring refused (RuntimeError)" in refused.found


def test_where_only_a_person_could_answer_it_depends_on_who_sits_there() -> None:
    (alone,) = look(request())
    assert (alone.status, alone.remedy) == ("failure", "set HATCH_SIGN_PIN")
    (asked,) = look(request(), can_ask=True)
    assert (asked.status, asked.found) == ("warning", "no source holds it: it will be asked for")
    assert "HATCH_SIGN_PIN" in asked.remedy
    # Nobody is asked in place of a source that was configured.
    assert look(request("env:NONE"), can_ask=True)[0].status == "failure"
    assert look(request(), {"ODD_PIN": ""}, can_ask=True)[0].status == "failure"


def test_a_source_that_is_none_is_not_repeated() -> None:
    (found,) = look(request(SECRET), can_ask=True)
    assert found.status == "failure"
    assert "none of env:NAME, file:PATH and keyring:SERVICE/USER" in found.found


def test_the_last_try_is_told_of() -> None:
    warned, found = look(request(final_try=True), {"ODD_PIN": SECRET})
    assert (warned.status, found.status) == ("warning", "ok")
    assert "--spend-final-try" in warned.remedy


def test_a_context_without_secrets_lends_none_and_remembers_who_asked() -> None:
    warnings: list[str] = []
    environ = {"HATCH_SIGN_PIN": SECRET}
    context = NoSecrets(environ, on_warning=warnings.append)
    assert not NoSecrets(environ, on_warning=warnings.append).asked
    context.warn("careful")
    context.rejected(request())
    with pytest.raises(SecretUnavailableError, match="not asked for without a login"):
        context.secret(request())
    assert context.asked
    assert warnings == ["careful"]
    assert context.environ == environ
    assert context.max_concurrency == 1
