"""What the table and the options of ``hatch publish -p sign`` ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hatch_sign.hatch_hooks.wishes import Wishes, read_wishes
from hatch_sign.values.errors import HatchSignError

ROOT, HERE = Path("/project"), Path("/here")
HATCHS = {"no_prompt": False, "initialize_auth": False}


def read(table: dict[str, Any] | None = None, **options: Any) -> Wishes:  # noqa: ANN401 - of any type, as Hatch hands them over
    named = {name.replace("__", "."): value for name, value in options.items()}
    return read_wishes(table or {}, HATCHS | named, root=ROOT, directory=HERE)


def test_nothing_asks_for_what_is_configured() -> None:
    assert read() == Wishes()
    assert read({"disable": True}) == Wishes()


def test_the_table_says_where_to_and_by_which_policy() -> None:
    table = {"to": ["index", "mirror"], "policy": "trust/policy.toml", "offline": True}
    assert read(table) == Wishes(to=("index", "mirror"), policy=ROOT / "trust" / "policy.toml", offline=True)


def test_an_option_takes_the_place_of_the_table() -> None:
    wishes = read(
        {"to": ["index"], "policy": "a.toml", "offline": True}, to="folder, github", policy="b.toml", offline="false"
    )
    assert wishes == Wishes(to=("folder", "github"), policy=HERE / "b.toml", offline=False)


def test_what_is_no_key_of_ours_is_a_setting_of_a_place() -> None:
    assert read(comment="a=b", folder__path="public").settings == ("index.comment=a=b", "folder.path=public")


@pytest.mark.parametrize(
    ("table", "options", "reason"),
    [
        ({"to": "index"}, {}, "to is not an array of names"),
        ({"to": []}, {}, "to is not an array of names"),
        ({"policy": 1}, {}, "policy is not a file's name"),
        ({"offline": "yes"}, {}, "offline is not true or false"),
        ({"token": "hunter2"}, {}, "token is not a known key; it knows config, dry-run, offline, policy, to"),
        ({}, {"offline": "hunter2"}, "the option offline says nothing; write -o offline=true"),
        ({}, {"policy": ""}, "the option policy says nothing; write -o policy=VALUE"),
        ({}, {"to": ""}, "the option to says nothing"),
    ],
)
def test_what_says_nothing_is_refused_and_not_repeated(table: dict[str, Any], options: dict[str, Any], reason: str) -> None:
    with pytest.raises(HatchSignError) as refused:
        read(table, **options)
    assert refused.value.exit_code == 2
    assert reason in str(refused.value)
    assert "hunter2" not in str(refused.value)
