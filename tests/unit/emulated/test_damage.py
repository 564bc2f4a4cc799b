from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hatch_sign.backends.emulated.tokens import describe_token, unlock_token
from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.testing.observed import assert_presentable
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.errors import CustodyError, HatchSignError

from .conftest import PIN, SO_PIN, Token

if TYPE_CHECKING:
    from collections.abc import Callable

_PAGE = 4096


def _uses(token: Token) -> list[Callable[[], object]]:
    return [
        lambda: describe_token("release", token.environ()),
        lambda: token.backend.list_keys("emulated:release", token.context()),
        lambda: token.backend.open("emulated:release/one", token.context()).__enter__(),
        lambda: unlock_token("release", new_pin="a new one", context=token.context()),
    ]


def _assert_refused(token: Token) -> None:
    """Every use is refused by one error that names the file."""
    for use in _uses(token):
        with pytest.raises(CustodyError, match=r"release.token: .*(damaged|cut off)") as caught:
            use()
        assert_presentable(caught.value, (PIN, SO_PIN))


@pytest.mark.parametrize(
    "size",
    [0, 1, 15, 16, 17, 68, 99, 100, 101, 512, _PAGE - 1, _PAGE, _PAGE + 1, 2 * _PAGE, 3 * _PAGE, -_PAGE, -_PAGE + 1, -1],
)
def test_a_file_that_was_cut_off_is_refused(token: Token, made: bytes, size: int) -> None:
    token.path.write_bytes(made[:size])
    _assert_refused(token)


@pytest.mark.parametrize(
    "content", [b"\0" * _PAGE, b"SQLite format 3\0", b"-----BEGIN PRIVATE KEY-----\n", b"\xff" * 20_000]
)
def test_another_file_is_refused(token: Token, content: bytes) -> None:
    token.path.write_bytes(content)
    _assert_refused(token)


@pytest.mark.parametrize(
    "statement",
    [
        "PRAGMA application_id = 1",
        "PRAGMA user_version = 2",
        "DROP TABLE certificates",
        "CREATE TABLE more (x)",
        "CREATE VIEW more AS SELECT 1",
        "CREATE INDEX more ON keys (nonce)",
        "CREATE TRIGGER more AFTER UPDATE ON locks BEGIN UPDATE locks SET tries = 3; END",
        "DELETE FROM token",
        "DELETE FROM locks",
        "DELETE FROM locks WHERE role = 'so'",
        "UPDATE token SET label = 'other'",
        "UPDATE token SET label = 7",
        "UPDATE token SET serial = x'00'",
        "UPDATE token SET serial = 'sixteen letters.'",
        "UPDATE locks SET tries = 99",
        "UPDATE locks SET tries = -1",
        "UPDATE locks SET tries = 'x'",
        "UPDATE locks SET tries = 2.5",
    ],
)
def test_a_token_that_was_tampered_with_is_refused(token: Token, statement: str) -> None:
    with closing(sqlite3.connect(token.path, isolation_level=None)) as connection:
        connection.execute(statement)
    for use in (_uses(token)[0], *_uses(token)[2:]):
        with pytest.raises(CustodyError, match=r"release\.token: it is damaged"):
            use()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE locks SET cost = 1073741824",
        "UPDATE locks SET cost = 32767",
        "UPDATE locks SET cost = 0",
        "UPDATE locks SET block = 0",
        "UPDATE locks SET lanes = 5",
        "UPDATE locks SET salt = x'00'",
        "UPDATE locks SET salt = 'text'",
        "UPDATE locks SET wrapped = 5",
    ],
)
def test_parameters_that_would_exhaust_memory_are_refused_unspent(token: Token, statement: str) -> None:
    with closing(sqlite3.connect(token.path, isolation_level=None)) as connection:
        connection.execute(statement)
    for use in _uses(token)[2:]:
        with pytest.raises(CustodyError, match=r"release\.token: it is damaged"):
            use()
    assert token.tries == (3, 10)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE keys SET public_key = (SELECT public_key FROM keys WHERE label = 'two') WHERE label = 'one'",
        "UPDATE keys SET nonce = t.nonce, wrapped = t.wrapped FROM keys AS t WHERE t.label = 'two' AND keys.label = 'one'",
        "UPDATE keys SET label = CASE label WHEN 'one' THEN 'three' ELSE 'one' END WHERE label IN ('one', 'two')",
        "UPDATE keys SET wrapped = x'00' WHERE label = 'one'",
        "UPDATE keys SET nonce = x'' WHERE label = 'one'",
        "UPDATE keys SET wrapped = 'text' WHERE label = 'one'",
        "UPDATE keys SET public_key = x'3000' WHERE label = 'one'",
        "UPDATE token SET serial = x'00112233445566778899aabbccddeeff'",
        "INSERT INTO certificates VALUES ('one', 0, x'3000')",
        "INSERT INTO certificates VALUES ('one', 1, x'3000')",
    ],
)
def test_rows_that_were_exchanged_do_not_sign(token: Token, statement: str) -> None:
    with closing(sqlite3.connect(token.path, isolation_level=None)) as connection:
        connection.execute(statement)
    with (
        pytest.raises(CustodyError, match=r"damaged|the PIN is wrong"),
        token.backend.open("emulated:release/one", token.context()),
    ):
        pass


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, 2**20), garbage=st.binary(min_size=1, max_size=40))
def test_whatever_is_written_over_a_token_it_answers_or_refuses(
    token: Token, made: bytes, position: int, garbage: bytes
) -> None:
    """A flipped byte may fall where nothing is kept: what still answers must be about the same token."""
    position %= len(made)
    token.path.write_bytes(made[:position] + garbage + made[position + len(garbage) :])
    try:
        assert describe_token("release", token.environ()).label == "release"
        listed = token.backend.list_keys("emulated:release", token.context())
    except HatchSignError as error:
        assert_presentable(error, (PIN, SO_PIN))
    else:
        assert all(key.reference.startswith("emulated:release/") for key in listed)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, 2**20))
def test_whatever_is_written_over_it_no_wrong_signature_comes(token: Token, made: bytes, position: int) -> None:
    position = _PAGE + position % (len(made) - _PAGE)
    token.path.write_bytes(made[:position] + bytes([made[position] ^ 0x55]) + made[position + 1 :])
    try:
        with open_signer(token.backend, "emulated:release/one", token.context()) as signer:
            assert signer.sign(b"x", Scheme.ECDSA_SHA256)
    except HatchSignError as error:
        assert_presentable(error, (PIN, SO_PIN))
