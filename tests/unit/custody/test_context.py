from __future__ import annotations

import copy
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from hatch_sign.contract.backends import SecretRequest
from hatch_sign.custody.context import RunContext
from hatch_sign.values.errors import HatchSignError, SecretRejectedError, SecretUnavailableError, UnsupportedError

_REQUEST = SecretRequest("pin", "token release", "pkcs11:token=release")


class _Person:
    """Answers slowly enough for all threads to be waiting, and counts the questions."""

    def __init__(self, answer: str = "1234") -> None:
        self.questions: list[str] = []
        self.waiting = threading.Event()
        self._answer = answer

    def __call__(self, question: str) -> str:
        self.questions.append(question)
        self.waiting.wait(timeout=0.05)
        return self._answer


def _context(person: _Person | None = None, **options: bool) -> RunContext:
    return RunContext({}, on_warning=list[str]().append, prompt=person, **options)


def test_a_person_is_asked_once_for_many_threads() -> None:
    person = _Person()
    context = _context(person)
    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(lambda _: context.secret(_REQUEST), range(64))) == {"1234"}
    assert len(person.questions) == 1


def test_an_answer_that_failed_is_everybodys() -> None:
    person = _Person("")
    context = _context(person)

    def failure(_: int) -> str:
        with pytest.raises(SecretUnavailableError, match="empty") as caught:
            context.secret(_REQUEST)
        assert caught.value.__context__ is None
        return str(caught.value)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(failure, range(8)))) == 1
    assert len(person.questions) == 1


def test_kinds_and_labels_are_told_apart() -> None:
    person = _Person()
    context = _context(person)
    for request in (
        _REQUEST,
        replace(_REQUEST, label="other"),
        replace(_REQUEST, kind="so-pin"),
        replace(_REQUEST, reference="x:"),
    ):
        context.secret(request)
    assert len(person.questions) == 3


def test_a_rejected_secret_is_never_tried_again() -> None:
    person = _Person()
    context = _context(person)
    context.secret(_REQUEST)
    context.rejected(_REQUEST)
    with ThreadPoolExecutor(8) as pool:
        for attempt in [pool.submit(context.secret, _REQUEST) for _ in range(16)]:
            with pytest.raises(SecretRejectedError, match="refused earlier"):
                attempt.result()
    assert context.secret(replace(_REQUEST, label="other")) == "1234"
    assert len(person.questions) == 2


def test_the_final_try_needs_leave() -> None:
    person = _Person()
    context = _context(person)
    with pytest.raises(SecretRejectedError, match="--spend-final-try"):
        context.secret(replace(_REQUEST, final_try=True))
    assert not person.questions
    assert _context(person, spend_final_try=True).secret(replace(_REQUEST, final_try=True)) == "1234"


def test_a_final_try_is_refused_even_where_the_secret_is_known() -> None:
    context = _context(_Person())
    context.secret(_REQUEST)
    with pytest.raises(SecretRejectedError, match="only one try"):
        context.secret(replace(_REQUEST, final_try=True))


def test_warnings_are_told_once() -> None:
    told: list[str] = []
    context = RunContext({}, on_warning=told.append)
    for warning in ("a", "b", "a"):
        context.warn(warning)
    assert told == ["a", "b"]


def test_the_environment_is_that_of_the_start() -> None:
    environ = {"A": "1"}
    context = RunContext(environ, on_warning=list[str]().append, max_concurrency=0)
    environ["A"] = "2"
    assert context.environ["A"] == "1"
    assert context.max_concurrency == 1


def test_secrets_do_not_leave_with_the_object() -> None:
    context = _context(_Person("s3cret"))
    context.secret(_REQUEST)
    assert "s3cret" not in repr(context)
    for duplicate in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(UnsupportedError):
            duplicate(context)


def test_errors_of_other_kinds_are_not_remembered_as_answers() -> None:
    def interrupted(_: str) -> str:
        raise KeyboardInterrupt

    context = RunContext({}, on_warning=list[str]().append, prompt=interrupted)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            context.secret(_REQUEST)
    assert not issubclass(KeyboardInterrupt, HatchSignError)
