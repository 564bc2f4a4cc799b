"""Errors are one line, carry their remedy, and end in the exit code that their tree says."""

from __future__ import annotations

import inspect
import re

import pytest

from hatch_sign.values import errors
from hatch_sign.values.errors import ConfigurationError, HatchSignError

ALL = {name: kind for name, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, HatchSignError)}


def test_the_drawn_tree_is_the_tree() -> None:
    assert errors.__doc__
    drawn = {name: int(code) for name, code in re.findall(r"─ (\w+Error) +(\d)\b", errors.__doc__)}
    assert drawn == {name: kind.exit_code for name, kind in ALL.items() if kind is not HatchSignError}


@pytest.mark.parametrize("kind", ALL.values(), ids=list(ALL))
def test_the_remedy_follows_the_message(kind: type[HatchSignError]) -> None:
    assert str(kind("the token is locked", remedy="unlock it")) == "the token is locked; unlock it"
    assert str(kind("the token is locked")) == "the token is locked"


def test_a_configuration_keeps_all_its_mistakes() -> None:
    assert ConfigurationError("two mistakes", problems=["one", "two"]).problems == ("one", "two")
