from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hatch_sign.contract.backends import SecretRequest
from hatch_sign.custody.secrets import LARGEST_FILE, choose_secret, find_secret
from hatch_sign.values.errors import ConfigurationError, SecretUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_REQUEST = SecretRequest("pin", "token release", "pkcs11:token=release", variables=("COSIGN_PKCS11_PIN",))


def _find(request: SecretRequest, environ: dict[str, str], prompt: Callable[[str], str] | None = None) -> str:
    warnings: list[str] = []
    found = find_secret(request, environ, prompt=prompt, warn=warnings.append)
    assert not warnings
    return found


def test_the_sources_are_asked_in_their_order(tmp_path: Path, keyring_in_memory: dict[tuple[str, str], str]) -> None:
    file = tmp_path / "pin"
    file.touch(mode=0o600)
    file.write_text("from-file\n")
    keyring_in_memory["hatch-sign", "token release"] = "from-keyring"
    environ = {"MINE": "from-mine", "HATCH_SIGN_PIN": "from-own", "COSIGN_PKCS11_PIN": "from-cosign"}
    assert _find(replace(_REQUEST, source="env:MINE"), environ) == "from-mine"
    assert _find(replace(_REQUEST, source=f"file:{file}"), environ) == "from-file"
    assert _find(_REQUEST, environ) == "from-own"
    del environ["HATCH_SIGN_PIN"]
    assert _find(_REQUEST, environ) == "from-cosign"
    del environ["COSIGN_PKCS11_PIN"]
    assert _find(_REQUEST, environ, prompt=lambda _: "from-person") == "from-keyring"
    keyring_in_memory.clear()
    assert _find(_REQUEST, environ, prompt=lambda question: f"{question}from-person") == "PIN of token release: from-person"
    with pytest.raises(SecretUnavailableError, match=r"HATCH_SIGN_PIN, COSIGN_PKCS11_PIN.*no terminal"):
        _find(_REQUEST, environ)


def test_the_so_pin_is_never_the_pin() -> None:
    request = replace(_REQUEST, kind="so-pin", variables=())
    assert _find(request, {"HATCH_SIGN_SO_PIN": "officer", "HATCH_SIGN_PIN": "user"}) == "officer"
    with pytest.raises(SecretUnavailableError, match="HATCH_SIGN_SO_PIN"):
        _find(request, {"HATCH_SIGN_PIN": "user"})


def test_a_service_token_is_not_taken_from_the_pin() -> None:
    request = SecretRequest("token", "vault", "hashivault://release", variables=("VAULT_TOKEN",))
    assert _find(request, {"HATCH_SIGN_PIN": "user", "VAULT_TOKEN": "hvs"}) == "hvs"
    with pytest.raises(SecretUnavailableError, match="credential of vault"):
        _find(request, {"HATCH_SIGN_PIN": "user"})


@pytest.mark.parametrize(
    ("source", "environ", "reason"),
    [
        ("env:MINE", {"HATCH_SIGN_PIN": "1234"}, "pin-source env:MINE is not set"),
        ("env:MINE", {"MINE": "", "HATCH_SIGN_PIN": "1234"}, "pin-source env:MINE is empty"),
        (None, {"HATCH_SIGN_PIN": "", "COSIGN_PKCS11_PIN": "1234"}, "variable HATCH_SIGN_PIN is empty"),
        ("keyring:absent/me", {"HATCH_SIGN_PIN": "1234"}, "keyring:absent/me is not set"),
        ("file:/nonexistent/pin", {"HATCH_SIGN_PIN": "1234"}, "file:/nonexistent/pin cannot be read"),
        ("file:a\0b", {"HATCH_SIGN_PIN": "1234"}, "cannot be read"),
    ],
)
def test_a_configured_source_never_falls_through(source: str | None, environ: dict[str, str], reason: str) -> None:
    with pytest.raises(SecretUnavailableError, match=reason):
        _find(replace(_REQUEST, source=source), environ, prompt=lambda _: "asked all the same")


@pytest.mark.parametrize("source", ["s3cret", "env:s3cret!", "env:", "file:", "keyring:s3cret", "keyring:/x", "pass:s3cret"])
def test_a_source_that_is_none_is_refused_unrepeated(source: str) -> None:
    with pytest.raises(ConfigurationError, match="none of env:NAME") as caught:
        _find(replace(_REQUEST, source=source), {})
    assert "s3cret" not in str(caught.value)


def test_the_keyring_answers_under_its_service_and_user(keyring_in_memory: dict[tuple[str, str], str]) -> None:
    keyring_in_memory["hsm", "me/you"] = "1234"
    assert _find(replace(_REQUEST, source="keyring:hsm/me/you"), {}) == "1234"


def test_what_the_keyring_raises_is_not_shown() -> None:
    with pytest.raises(SecretUnavailableError, match=r"refused \(RuntimeError\)") as caught:
        _find(replace(_REQUEST, source="keyring:locked/me"), {})
    assert caught.value.__context__ is None
    assert "s3cret" not in str(caught.value)


def test_a_missing_keyring_package_is_one_error_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(SecretUnavailableError, match="pip install keyring"):
        _find(replace(_REQUEST, source="keyring:hsm/me"), {})
    assert _find(_REQUEST, {}, prompt=lambda _: "1234") == "1234"


@pytest.mark.parametrize(
    ("content", "pin"),
    [(b"1234", "1234"), (b"1234\n", "1234"), (b"1234\r\n", "1234"), (b" 1234\n\n", " 1234\n"), ("é€".encode(), "é€")],
)
def test_one_newline_ends_a_file(tmp_path: Path, content: bytes, pin: str) -> None:
    file = tmp_path / "pin"
    file.touch(mode=0o600)
    file.write_bytes(content)
    assert _find(replace(_REQUEST, source=f"file:{file}"), {}) == pin
    assert _find(replace(_REQUEST, source=f"file://{file}"), {}) == pin


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"x" * (LARGEST_FILE + 1), "at most"), (b"s3cret\xff", "UTF-8"), (b"\n", "empty"), (b"", "empty")],
)
def test_a_file_that_is_no_secret_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    file = tmp_path / "pin"
    file.touch(mode=0o600)
    file.write_bytes(content)
    with pytest.raises(SecretUnavailableError, match=reason) as caught:
        _find(replace(_REQUEST, source=f"file:{file}"), {})
    assert caught.value.__context__ is None
    assert "s3cret" not in str(caught.value)


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX's")
@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True)])
def test_a_file_that_others_may_read_is_warned_of(tmp_path: Path, mode: int, warned: bool) -> None:  # noqa: FBT001 (a parameter)
    file = tmp_path / "pin"
    file.write_text("1234")
    file.chmod(mode)
    warnings: list[str] = []
    assert find_secret(replace(_REQUEST, source=f"file:{file}"), {}, prompt=None, warn=warnings.append) == "1234"
    assert [f"mode {mode:04o}" in warning for warning in warnings] == [True] * warned
    assert "1234" not in "".join(warnings)


def test_no_answer_is_no_secret() -> None:
    def end(_: str) -> str:
        raise EOFError

    for prompt in (end, lambda _: ""):
        with pytest.raises(SecretUnavailableError, match="the answer is empty; start again, and type it"):
            _find(_REQUEST, {}, prompt=prompt)


def test_a_new_secret_is_asked_for_twice() -> None:
    questions: list[str] = []

    def answer(question: str) -> str:
        questions.append(question)
        return "1234"

    assert choose_secret(_REQUEST, {}, prompt=answer, new=True) == "1234"
    assert questions == ["new PIN of token release: ", "again: PIN of token release: "]
    answers = iter(["1234", "1243"])
    with pytest.raises(SecretUnavailableError, match="differ"):
        choose_secret(_REQUEST, {}, prompt=lambda _: next(answers))


def test_a_new_secret_comes_from_its_variable() -> None:
    assert choose_secret(_REQUEST, {"HATCH_SIGN_PIN": "1234"}, prompt=None) == "1234"
    with pytest.raises(SecretUnavailableError, match="is empty"):
        choose_secret(_REQUEST, {"HATCH_SIGN_PIN": ""}, prompt=None)
    with pytest.raises(SecretUnavailableError, match="no terminal"):
        choose_secret(_REQUEST, {}, prompt=None)
