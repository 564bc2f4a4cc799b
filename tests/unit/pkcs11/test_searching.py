"""A search is run to its end; what python-pkcs11 complains of in a finaliser meanwhile is dropped, and nothing else."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

import pkcs11
import pytest
from pkcs11 import Attribute, ObjectClass

from hatch_sign_pkcs11 import searching
from hatch_sign_pkcs11.searching import search

from .waiting import PATIENCE, Events, ToldLock, finish, start

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TEMPLATE = {Attribute.CLASS: ObjectClass.PRIVATE_KEY}


class Complaint:
    """Raises in its finaliser, as the search object of python-pkcs11 does after a failed search."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __del__(self) -> None:
        raise self._error


class FakeSession:
    """Stands for a session of python-pkcs11, of which a search uses `get_objects` only."""

    def __init__(self, *found: str, failure: Exception | None = None, complaints: tuple[Exception, ...] = ()) -> None:
        self._found = found
        self._failure = failure
        self._complaints = complaints
        self.templates: list[Mapping[Attribute, object]] = []
        self.finished = False

    def get_objects(self, template: dict[Attribute, object]) -> Iterator[str]:
        self.templates.append(template)
        for error in self._complaints:
            Complaint(error)
        yield from self._found
        if self._failure is not None:
            raise self._failure
        self.finished = True


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[BaseException | None]:
    """Collect what finalisers raise, in place of pytest."""
    told: list[BaseException | None] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: told.append(unraisable.exc_value))
    return told


def test_a_search_is_run_to_its_end() -> None:
    session = FakeSession("one", "two")
    assert search(session, TEMPLATE) == ["one", "two"]
    assert session.finished


def test_the_template_is_handed_over_as_a_copy() -> None:
    session = FakeSession()
    assert search(session, TEMPLATE) == []
    assert session.templates == [TEMPLATE]
    assert session.templates[0] is not TEMPLATE


def test_a_complaint_of_the_library_is_dropped(told: list[BaseException | None]) -> None:
    assert search(FakeSession("one", complaints=(pkcs11.OperationNotInitialized(),)), TEMPLATE) == ["one"]
    assert told == []


def test_a_complaint_of_anybody_else_is_told_as_ever(told: list[BaseException | None]) -> None:
    foreign = ValueError("somebody else's")
    session = FakeSession("one", complaints=(foreign, pkcs11.OperationNotInitialized(), RuntimeError("not the library's")))
    assert search(session, TEMPLATE) == ["one"]
    assert [str(error) for error in told] == ["somebody else's", "not the library's"]
    assert told[0] is foreign


@pytest.mark.parametrize("failure", [None, pkcs11.DeviceError(), KeyboardInterrupt()], ids=repr)
def test_the_hook_is_put_back(told: list[BaseException | None], failure: Exception | None) -> None:
    before = sys.unraisablehook
    if failure is None:
        search(FakeSession("one"), TEMPLATE)
    else:
        with pytest.raises(type(failure)):
            search(FakeSession("one", failure=failure), TEMPLATE)
    assert sys.unraisablehook is before
    Complaint(pkcs11.OperationNotInitialized())
    assert len(told) == 1


def test_a_search_that_fails_is_finalised_before_the_hook_is_put_back(told: list[BaseException | None]) -> None:
    class Lost(FakeSession):
        """Keeps the object of the search in a frame that the traceback of the failure keeps."""

        def get_objects(self, template: dict[Attribute, object]) -> Iterator[str]:
            found = Complaint(pkcs11.OperationNotInitialized())
            yield from super().get_objects(template)
            del found

    with pytest.raises(pkcs11.PKCS11Error, match=r"^Unmapped error code 0x68$") as caught:
        search(Lost("one", failure=pkcs11.PKCS11Error("Unmapped error code 0x68")), TEMPLATE)
    assert type(caught.value) is pkcs11.PKCS11Error
    assert told == []


def test_a_search_can_follow_one_that_failed() -> None:
    with pytest.raises(pkcs11.DeviceError):
        search(FakeSession(failure=pkcs11.DeviceError()), TEMPLATE)
    assert search(FakeSession("one"), TEMPLATE) == ["one"]


def test_one_searches_at_a_time_so_that_each_puts_back_the_hook_that_it_found(monkeypatch: pytest.MonkeyPatch) -> None:
    events, go_on, before = Events(), threading.Event(), sys.unraisablehook
    monkeypatch.setattr(searching, "_hook_guard", ToldLock(events))

    class Slow(FakeSession):
        """Searches until it is told to go on."""

        def get_objects(self, template: dict[Attribute, object]) -> Iterator[str]:
            events.tell("searches")
            assert go_on.wait(PATIENCE)
            yield from super().get_objects(template)

    first = start("first", lambda: search(Slow("one"), TEMPLATE))
    assert events.next() == "first searches"
    second = start("second", lambda: search(Slow("two"), TEMPLATE))
    assert events.next() == "second waits"
    go_on.set()
    assert events.next() == "second searches"
    finish(first, second)
    assert sys.unraisablehook is before
