"""The tables ``publish``: read with all their mistakes told at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hatch_sign.configuration.loading import Overrides, load_configuration
from hatch_sign.configuration.model import Configuration, PublishSettings
from hatch_sign.registry import Registry
from hatch_sign.registry.entries import installed_entries
from hatch_sign.values.errors import ConfigurationError

Load = Callable[..., Configuration]

WITHOUT_FOLDER = Registry([entry for entry in installed_entries() if entry.name != "folder"])


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load(text: str, *, registry: Registry | None = None) -> Configuration:
        path = tmp_path / "hatch-sign.toml"
        path.write_text(text)
        plugins = registry or Registry()
        return load_configuration(path, directory=tmp_path, environ={}, overrides=Overrides(), registry=plugins)

    return load


def test_places_become_values_with_absolute_paths(load: Load, tmp_path: Path) -> None:
    found = load(
        '[[publish]]\nto = "folder"\npath = "public"\n'
        '[[publish]]\nto = "folder"\nname = "mirror"\npath = "/srv/mirror"\n'
        '[[publish]]\nto = "folder"\nname = "home"\npath = "~/public"\n'
    ).publish
    assert found == (
        PublishSettings("folder", "folder", {"path": tmp_path / "public"}),
        PublishSettings("mirror", "folder", {"path": Path("/srv/mirror")}),
        PublishSettings("home", "folder", {"path": Path.home() / "public"}),
    )
    assert load('key = "emulated:test"\n').publish == ()


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ('to = "folder"\npth = "x"', [":3: publish[0].pth: is not a known key; did you mean `path`?"]),
        ('to = "folder"\npath = 7', [":3: publish[0].path: is an integer, expected a string"]),
        ('to = "folder"\npath = ""', [":3: publish[0].path: is empty"]),
        ('path = "x"', ["publish[0]: lacks `to`"]),
        (
            'to = ["folder"]\nname = "A B"',
            [":2: publish[0].to: is an array", ":3: publish[0].name: is 'A B'"],
        ),
        ('to = "folder"\n[[publish]]\nto = "folder"', ["publish[1]: is 'folder', as another is; give it a `name`"]),
        ('to = "Folder Two"', [":2: publish[0].to: is 'Folder Two', expected at most 64 lower-case"]),
    ],
)
def test_every_mistake_is_told(load: Load, text: str, problems: list[str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(f"[[publish]]\n{text}\n")
    assert len(caught.value.problems) >= len(problems)
    for problem in problems:
        assert any(problem in found for found in caught.value.problems), caught.value.problems


def test_one_table_in_place_of_many_is_told(load: Load) -> None:
    with pytest.raises(ConfigurationError, match="publish: is a table, expected an array"):
        load('[publish]\nto = "folder"\n')


def test_a_publisher_that_is_not_installed_keeps_nobody_from_verifying(load: Load) -> None:
    (found,) = load('[[publish]]\nto = "folder"\nname = "mirror"\npth = "x"\n', registry=WITHOUT_FOLDER).publish
    assert (found.name, found.to, found.settings, found.checked) == ("mirror", "folder", {"pth": "x"}, False)
