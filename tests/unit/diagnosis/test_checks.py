from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hatch_sign.contract.backends import Symptom
from hatch_sign.diagnosis.checks import Check, Examination, attempt, exit_code, failures, ok, warning
from hatch_sign.values.errors import (
    ConfigurationError,
    CustodyError,
    HatchSignError,
    KeyNotFoundError,
    MalformedError,
    PluginError,
    RejectedError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CustodyError, 3),
        (KeyNotFoundError, 3),
        (PluginError, 2),
        (ConfigurationError, 2),
        (RejectedError, 2),
        (MalformedError, 2),
    ],
)
def test_a_failure_has_the_exit_code_of_its_error(error: type[HatchSignError], code: int) -> None:
    (check,) = failures("token", error("it is gone", remedy="put it back"))
    assert check == Check(Symptom("failure", "token", "it is gone", "put it back"), code)


def test_every_mistake_of_a_configuration_is_a_failure_of_its_own() -> None:
    found = failures("file", ConfigurationError("two mistakes", problems=["one", "two"]))
    assert [check.symptom.found for check in found] == ["one", "two"]
    assert {check.exit_code for check in found} == {2}


def test_a_mistake_goes_before_a_failed_key_and_a_warning_is_no_failure() -> None:
    broken, absent = failures("file", ConfigurationError("a mistake")), failures("token", CustodyError("it is gone"))
    fine = Examination("a", (ok("a", "b"), warning("c", "d")))
    assert exit_code([]) == exit_code([fine]) == 0
    assert exit_code([fine, Examination("b", tuple(absent))]) == 3
    assert exit_code([Examination("a", (*absent, *broken)), fine]) == 2


def test_what_was_found_before_an_exception_is_kept_and_its_text_is_not() -> None:
    def look() -> Iterator[Check]:
        yield ok("module", "it loads")
        message = "pin=1234"
        raise ValueError(message)

    found, ended = attempt("token", look, about="odd:key")
    assert not ended
    assert found == [ok("module", "it loads"), *failures("token", CustodyError("odd:key: the backend failed (ValueError)"))]
    assert attempt("token", lambda: [ok("a", "b")], about="odd:key") == ([ok("a", "b")], True)
