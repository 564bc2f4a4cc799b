from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from hatch_sign.backends.emulated.labels import check_label
from hatch_sign.backends.emulated.tokens import create_token, delete_token, describe_token, list_labels
from hatch_sign.storage.folders import data_folder
from hatch_sign.values.errors import ConfigurationError, CustodyError, KeyNotFoundError

from .conftest import PIN, SO_PIN, Token


def test_a_token_is_made_for_this_user_alone(tmp_path: Path) -> None:
    environ = {"HATCH_SIGN_HOME": str(tmp_path / "a" / "b")}
    made = create_token("release", pin=PIN, so_pin=SO_PIN, environ=environ)
    assert (made.label, made.pin_tries, made.so_pin_tries, made.keys) == ("release", 3, 10, 0)
    assert made == describe_token("release", environ)
    assert {path.name for path in made.path.parent.iterdir()} == {"release.token", ".login.lock"}
    if sys.platform != "win32":
        assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
        assert {stat.S_IMODE(path.stat().st_mode) for path in (made.path.parent, tmp_path / "a", tmp_path / "a" / "b")} == {
            0o700
        }


def test_a_label_is_taken_once(token: Token) -> None:
    before = token.path.read_bytes()
    with pytest.raises(CustodyError, match="there is such a token already"):
        create_token("release", pin=PIN, so_pin=SO_PIN, environ=token.environ())
    assert token.path.read_bytes() == before


@pytest.mark.parametrize(("pin", "so_pin"), [("123", SO_PIN), (PIN, "x" * 65), (PIN, PIN), ("caf\u00e9", "cafe\u0301")])
def test_pins_must_be_two_and_of_a_length(tmp_path: Path, pin: str, so_pin: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        create_token("release", pin=pin, so_pin=so_pin, environ={"HATCH_SIGN_HOME": str(tmp_path)})
    assert pin not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_two_tokens_are_told_apart(token: Token) -> None:
    other = create_token("other", pin=PIN, so_pin=SO_PIN, environ=token.environ())
    assert list_labels(token.environ()) == ["other", "release"]
    assert other.serial != describe_token("release", token.environ()).serial


def test_where_nothing_was_made_there_are_no_tokens(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for home in ("missing", "file"):
        assert list_labels({"HATCH_SIGN_HOME": str(tmp_path / home)}) == ()


def test_tokens_that_cannot_be_listed_are_not_none(tmp_path: Path) -> None:
    (tmp_path / "tokens").symlink_to("tokens")
    with pytest.raises(CustodyError, match=r"cannot be listed: .+; make it readable, or set HATCH_SIGN_HOME"):
        list_labels({"HATCH_SIGN_HOME": str(tmp_path)})
    with pytest.raises(CustodyError, match="cannot be listed"):
        describe_token("release", {"HATCH_SIGN_HOME": str(tmp_path)})


def test_a_deleted_token_is_gone(token: Token) -> None:
    delete_token("release", token.environ())
    assert list_labels(token.environ()) == []
    with pytest.raises(KeyNotFoundError, match="tokens: none"):
        delete_token("release", token.environ())
    create_token("release", pin=PIN, so_pin=SO_PIN, environ=token.environ())


def test_a_damaged_token_can_be_deleted(token: Token) -> None:
    token.path.write_bytes(b"not a token")
    delete_token("release", token.environ())
    assert list_labels(token.environ()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX's")
def test_a_folder_that_cannot_be_made_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CustodyError, match=r"cannot be made.*HATCH_SIGN_HOME"):
        create_token("release", pin=PIN, so_pin=SO_PIN, environ={"HATCH_SIGN_HOME": str(tmp_path / "file" / "x")})


@pytest.mark.parametrize("label", ["release", "a", "A-b_c.d", "9", "x" * 64, "console", "com10"])
def test_a_label_is_a_file_name_everywhere(label: str) -> None:
    assert check_label(label) == label


@pytest.mark.parametrize(
    "label",
    [
        "",
        ".",
        "..",
        ".a",
        "a/b",
        "a\\b",
        "a b",
        "a:b",
        "a\n",
        "é",
        "x" * 65,
        "con",
        "NUL",
        "nul.txt",
        "Com1",
        "lpt9.x",
        "a*",
    ],
)
def test_another_label_is_refused(label: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot name a token"):
        check_label(label)


@pytest.mark.parametrize(
    ("platform", "environ", "expected"),
    [
        ("linux", {"HOME": "/h"}, "/h/.local/share/hatch-sign"),
        ("linux", {"HOME": "/h", "XDG_DATA_HOME": "/d"}, "/d/hatch-sign"),
        ("linux", {"HOME": "/h", "XDG_DATA_HOME": "relative"}, "/h/.local/share/hatch-sign"),
        ("darwin", {"HOME": "/h", "XDG_DATA_HOME": "/d"}, "/h/Library/Application Support/hatch-sign"),
        ("win32", {"LOCALAPPDATA": "/l"}, "/l/hatch-sign"),
        ("win32", {"USERPROFILE": "/u"}, "/u/AppData/Local/hatch-sign"),
        ("linux", {"HOME": "/h", "HATCH_SIGN_HOME": "/mine"}, "/mine"),
        ("linux", {"HOME": "/h", "HATCH_SIGN_HOME": ""}, "/h/.local/share/hatch-sign"),
    ],
)
def test_the_folder_is_where_the_platform_wants_it(platform: str, environ: dict[str, str], expected: str) -> None:
    assert data_folder(environ, platform=platform) == Path(expected)


@pytest.mark.parametrize(("platform", "variable"), [("linux", "HOME"), ("darwin", "HOME"), ("win32", "USERPROFILE")])
def test_no_home_is_an_error_that_says_what_to_set(platform: str, variable: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{variable} is not set.*HATCH_SIGN_HOME"):
        data_folder({}, platform=platform)
