"""Which destinations are chosen, and by which settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hatch_sign.configuration.model import Configuration, PublishSettings
from hatch_sign.publishing.targets import Target, choose_targets
from hatch_sign.values.errors import PluginError, UsageError

from .releases import Place

HERE = Path("/where/the/user/stands")


class Shelf:
    """The publishers that are installed, in place of a registry."""

    entries = ()

    def __init__(self) -> None:
        address = {"repository": str, "repository-url": str, "username": str}
        more = {"cert": Path, "skip-existing": bool, "retries": int, "verbose": bool, "labels": list, "pace": float}
        self._publishers = {
            "index": Place("index", {**address, **more}),
            "folder": Place("folder", {"path": Path}),
        }

    def publisher(self, name: str) -> Place:
        if name not in self._publishers:
            message = f"no publisher named {name!r} is installed"
            raise PluginError(message, remedy="look")
        return self._publishers[name]

    def publishers(self) -> dict[str, Place]:
        return self._publishers


def choose(*places: PublishSettings, **arguments: Any) -> dict[str, dict[str, Any]]:  # noqa: ANN401 - of choose_targets
    """Return the settings of what is chosen, by name."""
    chosen = choose_all(*places, **arguments)
    return {target.name: dict(target.settings) for target in chosen}


def choose_all(*places: PublishSettings, **arguments: Any) -> tuple[Target, ...]:  # noqa: ANN401 - as above
    configuration = Configuration(None, Path("/project"), publish=places)
    return choose_targets(configuration, Shelf(), directory=HERE, **arguments)  # type: ignore[arg-type] # a part of it


PRIVATE = PublishSettings("private", "index", {"repository-url": "https://private.example/"})
MIRROR = PublishSettings("mirror", "folder", {"path": Path("/srv/mirror")})


def test_the_index_is_published_to_where_nothing_is_said() -> None:
    assert choose() == {"index": {}}


def test_all_that_is_configured_is_published_to_unless_some_is_chosen() -> None:
    assert list(choose(PRIVATE, MIRROR)) == ["private", "mirror"]
    assert choose(PRIVATE, MIRROR, wanted=["mirror"]) == {"mirror": {"path": Path("/srv/mirror")}}
    assert list(choose(PRIVATE, MIRROR, wanted=["mirror", "mirror", "private"])) == ["mirror", "private"]


def test_a_name_that_is_not_configured_is_a_publishers() -> None:
    assert choose(PRIVATE, wanted=["folder"], options=["folder.path=out"]) == {"folder": {"path": HERE / "out"}}


def test_options_are_read_by_the_type_that_the_publisher_tells() -> None:
    options = ["index.skip-existing=true", "index.retries=3", "index.repository=a=b", "index.labels=x, y", "index.pace=0.5"]
    expected = {"skip-existing": True, "retries": 3, "repository": "a=b", "labels": ["x", "y"], "pace": 0.5}
    assert choose(options=options) == {"index": expected}


def test_a_repository_that_is_given_takes_the_place_of_a_configured_address() -> None:
    assert choose(PRIVATE, for_index={"repository": "testpypi"}) == {"private": {"repository": "testpypi"}}
    assert choose(PRIVATE, for_index={"username": "me"})["private"]["repository-url"] == "https://private.example/"


def test_paths_on_the_command_line_are_the_users() -> None:
    assert choose(for_index={"cert": "authority.pem"}) == {"index": {"cert": HERE / "authority.pem"}}
    home = choose(for_index={"cert": "~/authority.pem"})["index"]["cert"]
    assert home == Path.home() / "authority.pem"


def test_a_setting_of_indexes_reaches_no_other_publisher() -> None:
    chosen = choose(PRIVATE, MIRROR, for_index={"skip-existing": True})
    assert chosen["private"]["skip-existing"] is True
    assert "skip-existing" not in chosen["mirror"]
    assert choose(MIRROR, for_index={"verbose": True}) == {"mirror": {"path": Path("/srv/mirror")}}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"wanted": ["foldr"]}, "'foldr' is neither a configured place .*did you mean `folder`"),
        ({"wanted": ["github"]}, "no publisher named 'github' is installed"),
        ({"options": ["mirror.path=x"]}, "--option is for 'mirror', which is not published to; chosen: index"),
        ({"options": ["index.retries=often"]}, "'index.retries' is a string, expected an integer"),
        ({"options": ["index.skip-existing=perhaps"]}, "'index.skip-existing' is a string, expected true or false"),
        (
            {"options": ["index.usernam=me"]},
            "'index.usernam' is not a setting of the publisher index; did you mean `username`",
        ),
        ({"options": ["index.repository="]}, "'index.repository' is empty"),
        ({"wanted": ["folder"], "for_index": {"username": "me"}}, "--username is for an index, and none is published to"),
    ],
)
def test_what_says_nothing_is_told(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((UsageError, PluginError), match=message):
        choose(**arguments)


@pytest.mark.parametrize("option", ["s3cret", "index=s3cret", "=s3cret", ".key=s3cret", "index.=s3cret"])
def test_an_option_that_is_none_is_not_repeated(option: str) -> None:
    with pytest.raises(UsageError, match=r"NAME\.KEY=VALUE") as caught:
        choose(options=[option])
    assert "s3cret" not in str(caught.value)


def test_an_address_is_not_given_to_two_indexes_at_once() -> None:
    other = PublishSettings("pypi", "index")
    with pytest.raises(UsageError, match="--repository-url is for one index, and 2 are published to: private, pypi"):
        choose(PRIVATE, other, for_index={"repository-url": "https://other.example/"})
    assert len(choose(PRIVATE, other, for_index={"skip-existing": True})) == 2


def test_settings_that_nobody_could_check_before_are_checked_now() -> None:
    late = PublishSettings("late", "folder", {"pth": "/srv"}, checked=False)
    with pytest.raises(UsageError, match=r"'late\.pth' is not a setting of the publisher folder; did you mean `path`"):
        choose(late)
