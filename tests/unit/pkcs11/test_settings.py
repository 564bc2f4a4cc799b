"""What the environment says of waiting for a token that went away, and of the sessions that a run may have."""

from __future__ import annotations

import pytest

from hatch_sign.values.errors import ConfigurationError
from hatch_sign_pkcs11.settings import RECONNECT_VARIABLE, SESSIONS_VARIABLE, most_sessions, reconnect_seconds


def _patience(**environ: str) -> float:
    return reconnect_seconds(environ)


def _sessions(**environ: str) -> int:
    return most_sessions(environ)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("", 30.0), ("0", 0.0), ("2.5", 2.5), ("90", 90.0), ("1e2", 100.0), ("3600", 3600.0)],
)
def test_patience_is_read_in_seconds(text: str, seconds: float) -> None:
    assert _patience(HATCH_SIGN_PKCS11_RECONNECT_SECONDS=text) == seconds


def test_what_is_not_said_has_a_default() -> None:
    assert _patience() == _patience(HATCH_SIGN_PKCS11_RECONNECT="5", **{SESSIONS_VARIABLE: "5"}) == 30.0
    assert _sessions() == _sessions(HATCH_SIGN_PKCS11_SESSION="5", **{RECONNECT_VARIABLE: "5"}) == 64


@pytest.mark.parametrize("text", ["-1", "-0.001", "3600.1", "1e9", "inf", "-inf", "nan", "30s", "soon", "0x10", "1,5"])
def test_patience_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        _patience(HATCH_SIGN_PKCS11_RECONNECT_SECONDS=text)
    assert caught.value.message == f"HATCH_SIGN_PKCS11_RECONNECT_SECONDS is `{text}`, and must be a number from 0 to 3600"


@pytest.mark.parametrize(("text", "sessions"), [("", 64), ("1", 1), ("7", 7), ("64", 64)])
def test_sessions_are_counted(text: str, sessions: int) -> None:
    found = _sessions(HATCH_SIGN_PKCS11_SESSIONS=text)
    assert found == sessions
    assert isinstance(found, int)


@pytest.mark.parametrize("text", ["0", "-1", "0.5", "65", "64.5", "inf", "nan", "all"])
def test_a_count_of_sessions_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        _sessions(HATCH_SIGN_PKCS11_SESSIONS=text)
    assert caught.value.message == f"HATCH_SIGN_PKCS11_SESSIONS is `{text}`, and must be a number from 1 to 64"


def test_half_a_session_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"^HATCH_SIGN_PKCS11_SESSIONS is 2\.5, and must be a whole number$"):
        _sessions(HATCH_SIGN_PKCS11_SESSIONS="2.5")


def test_what_is_refused_is_made_safe_to_show() -> None:
    with pytest.raises(ConfigurationError) as caught:
        _patience(**{RECONNECT_VARIABLE: "\x1b[2J\n"})
    assert "is `\\x1b[2J\\x0a`," in caught.value.message
