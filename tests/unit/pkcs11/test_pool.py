"""Sessions are lent as far as the limit and the token go, and closed with the login's at the end."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pkcs11
import pytest

from hatch_sign_pkcs11.pool import SessionPool

from .waiting import PATIENCE, Events, ToldCondition, finish, start

if TYPE_CHECKING:
    from hatch_sign_pkcs11.pool import PooledSession


@dataclass(eq=False)
class FakeSession:
    """Stands for a session of python-pkcs11, of which the pool uses `close` only."""

    name: str
    log: list[str]
    failure: Exception | None = None

    def close(self) -> None:
        self.log.append(self.name)
        if self.failure is not None:
            raise self.failure


@dataclass
class FakeToken:
    """Stands for a token with `room` for so many sessions, one of them the login's; `failures` are met in turn."""

    room: int = 1000
    failures: list[BaseException] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    opened: list[FakeSession] = field(default_factory=list)
    asked: int = 0

    def __post_init__(self) -> None:
        self.login = FakeSession("login", self.closed)
        self.events = Events()

    def open(self) -> FakeSession:
        self.asked += 1
        if self.failures:
            raise self.failures.pop(0)
        if len(self.opened) + 1 >= self.room:
            raise pkcs11.SessionCount
        self.opened.append(FakeSession(f"session {len(self.opened) + 1}", self.closed))
        return self.opened[-1]

    def pool(self, limit: int) -> SessionPool:
        pool = SessionPool(self.login, open_session=self.open, limit=limit)
        pool._changed = ToldCondition(self.events)
        return pool


def no_sessions() -> list[PooledSession]:
    return []


def borrower(name: str, pool: SessionPool, token: FakeToken, lent: list[PooledSession]) -> threading.Thread:
    def work() -> None:
        with pool.borrow() as pooled:
            lent.append(pooled)
            token.events.tell("has one")

    return start(name, work)


def test_the_session_of_the_login_is_lent_first_and_again() -> None:
    token = FakeToken()
    pool = token.pool(limit=4)
    for _ in range(3):
        with pool.borrow() as pooled:
            assert pooled.session == token.login
    assert token.asked == 0


def test_a_handle_stays_with_its_session() -> None:
    pool = FakeToken().pool(limit=2)
    with pool.borrow() as one, pool.borrow() as other:
        for pooled in (one, other):
            handle: Any = object()  # The pool does not look at it.
            pooled.keys["key"] = handle
        remembered = {one.session: one.keys["key"], other.session: other.keys["key"]}
        assert len(set(remembered.values())) == 2
    with pool.borrow() as one, pool.borrow() as other:
        assert {one.session: one.keys["key"], other.session: other.keys["key"]} == remembered


def test_another_is_opened_only_where_all_are_lent() -> None:
    token = FakeToken()
    pool = token.pool(limit=3)
    for _ in range(2):
        with pool.borrow() as one, pool.borrow() as two, pool.borrow() as three:
            assert {one.session, two.session, three.session} == {token.login, *token.opened}
    assert token.asked == 2


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_at_the_limit_the_next_waits_for_one_that_comes_back(limit: int) -> None:
    token, lent = FakeToken(), no_sessions()
    pool = token.pool(limit)
    held = [pool.borrow() for _ in range(limit)]
    sessions = [each.__enter__() for each in held]
    waiting = borrower("next", pool, token, lent)
    assert token.events.next() == "next waits"
    held[0].__exit__(None, None, None)
    assert token.events.next() == "next has one"
    assert lent == [sessions[0]]
    for each in held[1:]:
        each.__exit__(None, None, None)
    finish(waiting)
    assert token.asked == limit - 1


def test_a_session_comes_back_after_an_exception() -> None:
    token = FakeToken()
    pool = token.pool(limit=1)
    with pytest.raises(ZeroDivisionError), pool.borrow():
        _ = 1 / 0
    lent: list[PooledSession] = []
    finish(borrower("next", pool, token, lent))
    assert [pooled.session for pooled in lent] == [token.login]


# --- a token with no more sessions ------------------------------------------------------------------------------------


def test_the_sessions_that_the_token_has_must_do_and_it_is_not_asked_again() -> None:
    token, lent = FakeToken(room=2), no_sessions()
    pool = token.pool(limit=8)
    with pool.borrow() as one:
        with pool.borrow() as two:
            third = borrower("third", pool, token, lent)
            assert token.events.next() == "third waits"
            assert token.asked == 2
            fourth = borrower("fourth", pool, token, lent)
            assert token.events.next() == "fourth waits"
        finish(third, fourth)
        assert lent == [two, two]
    assert one.session == token.login
    assert token.asked == 2


def test_a_token_with_room_for_the_login_only_serves_everybody_by_it() -> None:
    token, lent = FakeToken(room=1), no_sessions()
    pool = token.pool(limit=8)
    with pool.borrow() as one:
        waiting = [borrower(f"number {number}", pool, token, lent) for number in range(3)]
        assert {token.events.next() for _ in waiting} == {f"number {number} waits" for number in range(3)}
    finish(*waiting)
    assert lent == [one] * 3


def test_two_who_are_refused_at_once_lower_the_limit_to_what_is_open() -> None:
    token, lent = FakeToken(), no_sessions()
    both = threading.Barrier(2, timeout=PATIENCE)

    def refuse() -> FakeSession:
        token.asked += 1
        both.wait()  # Both count as open until both are refused.
        raise pkcs11.SessionCount

    pool = SessionPool(token.login, open_session=refuse, limit=3)
    pool._changed = ToldCondition(token.events)
    with pool.borrow():
        waiting = [borrower(name, pool, token, lent) for name in ("first", "second")]
        assert {token.events.next(), token.events.next()} == {"first waits", "second waits"}
    finish(*waiting)
    assert [pooled.session for pooled in lent] == [token.login] * 2
    assert token.asked == 2


# --- failures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [pkcs11.DeviceError(), KeyboardInterrupt(), MemoryError()], ids=repr)
def test_a_session_that_cannot_be_opened_leaves_its_place_to_the_next(failure: BaseException) -> None:
    token, lent = FakeToken(failures=[failure]), no_sessions()
    pool = token.pool(limit=2)
    with pool.borrow():
        with pytest.raises(type(failure)) as caught, pool.borrow():
            pytest.fail("a session was lent that was never opened")
        assert caught.value is failure
        finish(borrower("next", pool, token, lent))
    assert [pooled.session for pooled in lent] == token.opened
    assert token.asked == 2


def test_a_failure_does_not_lower_the_limit() -> None:
    token = FakeToken(failures=[pkcs11.DeviceError()])
    pool = token.pool(limit=3)
    with pool.borrow():
        with pytest.raises(pkcs11.DeviceError), pool.borrow():
            pass
        with pool.borrow(), pool.borrow():
            assert len(token.opened) == 2


# --- closing ----------------------------------------------------------------------------------------------------------


def test_the_login_is_closed_last() -> None:
    token = FakeToken()
    pool = token.pool(limit=3)
    with pool.borrow(), pool.borrow(), pool.borrow():
        pass
    pool.close()
    assert token.closed == ["session 2", "session 1", "login"]


def test_a_session_that_the_token_has_forgotten_keeps_no_other_open() -> None:
    token = FakeToken()
    pool = token.pool(limit=3)
    with pool.borrow(), pool.borrow(), pool.borrow():
        token.opened[1].failure = pkcs11.SessionHandleInvalid()
        token.login.failure = pkcs11.DeviceRemoved()
    pool.close()
    assert token.closed == ["session 2", "session 1", "login"]


def test_a_pool_that_was_not_used_closes_the_login() -> None:
    token = FakeToken()
    token.pool(limit=3).close()
    assert token.closed == ["login"]


# --- many threads -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("room", [2, 3, 1000])
def test_no_two_threads_have_one_session(room: int) -> None:
    token, counting, ready = FakeToken(room), threading.Lock(), threading.Barrier(8, timeout=PATIENCE)
    pool = token.pool(limit=4)
    lent: set[object] = set()
    shared: list[object] = []

    def work() -> None:
        ready.wait()
        for _ in range(50):
            with pool.borrow() as pooled:
                with counting:
                    shared.extend({pooled.session} & lent)
                    lent.add(pooled.session)
                with counting:
                    lent.discard(pooled.session)

    finish(*[start(f"thread {number}", work) for number in range(8)])
    assert shared == []
    assert len(token.opened) <= min(room, 4) - 1
    pool.close()
    assert len(token.closed) == len(set(token.closed)) == len(token.opened) + 1
