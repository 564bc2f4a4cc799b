from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest

from hatch_sign.cli import main
from tests.terminals import converse

if TYPE_CHECKING:
    from pathlib import Path

_SECRETS = ("31-right", "99-officer", "27-wrong", "a-new-one")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HATCH_SIGN_HOME", str(tmp_path))
    monkeypatch.setenv("HATCH_SIGN_PIN", "31-right")
    monkeypatch.setenv("HATCH_SIGN_SO_PIN", "99-officer")
    return tmp_path


class _Ran:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err
        assert not any(secret in out + err for secret in _SECRETS)


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> _Ran:
    code = main(["token", *arguments])
    return _Ran(code, *capsys.readouterr())


def test_the_life_of_a_token(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    made = _run(capsys, "init", "release")
    assert (made.code, made.out) == (0, f"made the token emulated:release in {home / 'tokens' / 'release.token'}\n")
    assert "hatch-sign key generate emulated:release/release" in made.err
    assert "not for production" in made.err

    listed = _run(capsys, "list")
    assert listed.code == 0
    assert listed.out.startswith("release  ")
    assert "3 tries left  10 tries left" in listed.out

    shown = _run(capsys, "info", "release", "--json")
    document = json.loads(shown.out)
    assert document["schema"] == "hatch-sign/tokens/v1"
    (token,) = document["tokens"]
    assert (token["reference"], token["keys"], token["pin-tries"], token["so-pin-tries"]) == ("emulated:release", 0, 3, 10)
    assert token["serial"] in _run(capsys, "info", "release").out

    assert _run(capsys, "delete", "release", "--yes").out == "deleted emulated:release\n"
    assert json.loads(_run(capsys, "list", "--json").out)["tokens"] == []
    assert "hatch-sign token init LABEL" in _run(capsys, "list").err


def test_a_label_is_taken_once(capsys: pytest.CaptureFixture[str]) -> None:
    _run(capsys, "init", "release")
    again = _run(capsys, "init", "release")
    assert again.code == 3
    assert "there is such a token already" in again.err


def test_a_pin_from_the_environment_is_judged_before_another_is_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setenv("HATCH_SIGN_PIN", "31-")
    monkeypatch.delenv("HATCH_SIGN_SO_PIN")
    ran = _run(capsys, "init", "release")
    assert ran.code == 2
    assert "emulated:release: a PIN has 4 to 64 characters" in ran.err
    assert not (home / "tokens").exists()


@pytest.mark.parametrize("arguments", [("info", "none"), ("unlock", "none"), ("delete", "none", "--yes")])
def test_a_token_that_is_not_there(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    ran = _run(capsys, *arguments)
    assert ran.code == 3
    assert "there is no such token" in ran.err


def test_a_locked_token_is_unlocked(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    _run(capsys, "init", "release")
    monkeypatch.setenv("HATCH_SIGN_PIN", "27-wrong")
    for _ in range(3):
        assert main(["key", "generate", "emulated:release/k", "--spend-final-try"]) == 3
    capsys.readouterr()
    assert "locked  10 tries left" in _run(capsys, "list").out
    monkeypatch.setenv("HATCH_SIGN_PIN", "a-new-one")
    assert _run(capsys, "unlock", "release").out == "emulated:release has a new PIN and 3 tries\n"
    assert main(["key", "generate", "emulated:release/k"]) == 0


def test_a_wrong_so_pin_unlocks_nothing(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    _run(capsys, "init", "release")
    monkeypatch.setenv("HATCH_SIGN_SO_PIN", "27-wrong")
    ran = _run(capsys, "unlock", "release")
    assert ran.code == 3
    assert "the SO PIN is wrong; 9 tries are left" in ran.err


def test_without_a_terminal_pins_come_from_the_environment(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.delenv("HATCH_SIGN_SO_PIN")
    ran = _run(capsys, "init", "release")
    assert ran.code == 3
    assert "set HATCH_SIGN_SO_PIN" in ran.err
    assert not (home / "tokens").exists()


def test_without_a_terminal_nothing_is_deleted(capsys: pytest.CaptureFixture[str]) -> None:
    _run(capsys, "init", "release")
    ran = _run(capsys, "delete", "release")
    assert ran.code == 2
    assert "--yes" in ran.err
    assert _run(capsys, "info", "release").code == 0


def test_a_damaged_token_does_not_hide_the_others(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    _run(capsys, "init", "release")
    (home / "tokens" / "broken.token").write_bytes(b"nothing")
    ran = _run(capsys, "list", "--json")
    document = json.loads(ran.out)
    assert ran.code == 3
    assert [token["label"] for token in document["tokens"]] == ["release"]
    assert "broken.token: it is damaged" in document["problems"][0]


def _converse(arguments: list[str], answers: list[bytes], environ: dict[str, str]) -> tuple[int, str]:
    return converse([sys.executable, "-m", "hatch_sign", *arguments], answers, environ=environ)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no pty")
def test_on_a_terminal_pins_are_asked_for_twice(home: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("HATCH_SIGN_")}
    environ["HATCH_SIGN_HOME"] = str(home)
    pins = [b"31-right", b"31-right", b"99-officer", b"99-officer"]
    code, shown = _converse(["token", "init", "release"], pins, environ)
    assert code == 0, shown
    assert "again: PIN of emulated token release:" in shown
    assert not any(secret in shown for secret in _SECRETS)
    code, shown = _converse(["token", "init", "other"], [b"31-right", b"27-wrong"], environ)
    assert code == 3
    assert "the two answers differ" in shown
    assert not any(secret in shown for secret in _SECRETS)
    assert _converse(["token", "init", "other"], [b"", b""], environ)[0] == 3
    assert _converse(["token", "delete", "release"], [b"no"], environ)[0] == 2
    assert _converse(["token", "delete", "release"], [b"yes"], environ)[0] == 0
    assert not list((home / "tokens").glob("*.token"))


@pytest.mark.skipif(sys.platform == "win32", reason="there is no pty")
@pytest.mark.parametrize(
    ("label", "answers", "code", "reason"),
    [
        ("release", [], 3, "there is such a token already"),
        ("re lease", [], 2, "re lease"),
        ("other", [b"31-"], 2, "a PIN has 4 to 64 characters"),
        ("other", [b"31-right", b"31-right", b"99"], 2, "a PIN has 4 to 64 characters"),
    ],
)
def test_on_a_terminal_nothing_is_asked_that_cannot_matter(
    capsys: pytest.CaptureFixture[str], label: str, answers: list[bytes], code: int, reason: str
) -> None:
    """What is known to be refused is refused before the next question."""
    _run(capsys, "init", "release")
    environ = {name: value for name, value in os.environ.items() if name not in {"HATCH_SIGN_PIN", "HATCH_SIGN_SO_PIN"}}
    found, shown = _converse(["token", "init", label], answers, environ)
    assert found == code, shown
    assert reason in shown
    assert shown.count("PIN of emulated token") == len(answers)
