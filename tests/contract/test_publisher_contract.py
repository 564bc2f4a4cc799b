"""The publishers of the core keep the contract that those of others are held against; one that replaces does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hatch_sign.custody.context import RunContext
from hatch_sign.publishers.folder.destination import FolderDestination
from hatch_sign.publishers.folder.publisher import FolderPublisher
from hatch_sign.publishers.github.publisher import GitHubPublisher
from hatch_sign.publishers.index.pace import Pace
from hatch_sign.publishers.index.publisher import IndexPublisher
from hatch_sign.testing.publisher_contract import Place, PublisherContract, wheel, write_file
from tests.github_releases import REPOSITORY, TOKEN, FakeGitHub, serving_github
from tests.indexes import Index, index_serving
from tests.unit.remote.services import Time

if TYPE_CHECKING:
    from hatch_sign.contract import BackendContext


class TestFolder(PublisherContract):
    """A folder."""

    @pytest.fixture
    def publisher(self) -> FolderPublisher:
        return FolderPublisher()

    @pytest.fixture
    def settings(self, tmp_path: Path) -> Mapping[str, Any]:
        return {"path": tmp_path / "public"}

    @pytest.fixture
    def lacking(self) -> Mapping[str, Any]:
        return {}

    @pytest.fixture
    def context(self) -> RunContext:
        return RunContext({}, on_warning=_unexpected)


class TestGitHub(PublisherContract):
    """A release on a GitHub of the loopback."""

    @pytest.fixture
    def github(self) -> Iterator[FakeGitHub]:
        with serving_github(FakeGitHub()) as fake:
            yield fake

    @pytest.fixture
    def publisher(self) -> GitHubPublisher:
        return GitHubPublisher()

    @pytest.fixture
    def settings(self) -> Mapping[str, Any]:
        return {"repository": REPOSITORY, "tag": "v1.0"}

    @pytest.fixture
    def lacking(self) -> Mapping[str, Any]:
        return {}

    @pytest.fixture
    def context(self, github: FakeGitHub) -> RunContext:
        return RunContext({"GITHUB_API_URL": github.api, "GITHUB_TOKEN": TOKEN}, on_warning=[].append)


class TestIndex(PublisherContract):
    """A package index of the loopback."""

    @pytest.fixture
    def index(self) -> Iterator[Index]:
        with index_serving() as index:
            yield index

    @pytest.fixture
    def publisher(self) -> IndexPublisher:
        return IndexPublisher(Pace(timing=Time().timing))

    @pytest.fixture
    def settings(self, index: Index) -> Mapping[str, Any]:
        return {"repository-url": index.url}

    @pytest.fixture
    def lacking(self) -> Mapping[str, Any]:
        return {"repository-url": "no address"}

    @pytest.fixture
    def context(self, index: Index) -> RunContext:
        assert index.login is not None
        login = {"TWINE_USERNAME": index.login[0], "TWINE_PASSWORD": index.login[1]}
        return RunContext(login, on_warning=_unexpected)


# --- one that breaks it -----------------------------------------------------------------------------------------------


class _Replacing(FolderPublisher):
    """Takes away what is in its way, and has a setting for a password."""

    settings: Mapping[str, type] = {"path": Path, "password": str}

    @contextmanager
    def open(self, settings: Mapping[str, Any], context: BackendContext) -> Iterator[FolderDestination]:
        del context
        for path in settings["path"].glob("*"):
            path.unlink()
        yield FolderDestination(settings["path"])


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(_Replacing(), {"path": tmp_path / "public"}, RunContext({}, on_warning=_unexpected))


def test_a_publisher_that_sends_again_breaks_the_contract(place: Place, tmp_path: Path) -> None:
    release = [write_file(tmp_path / "copy", "a.whl", wheel("first"))]
    with pytest.raises(AssertionError) as caught:
        PublisherContract().test_again_nothing_is_sent(place, release)
    assert '"present"' in str(caught.traceback[-1].statement)


def test_a_publisher_that_replaces_breaks_the_contract(place: Place, tmp_path: Path) -> None:
    release = [write_file(tmp_path / "copy", "a.whl", wheel("first"))]
    other = write_file(tmp_path / "other", "a.whl", wheel("second"))
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        PublisherContract().test_other_bytes_are_not_replaced(place, release, other)


def test_a_setting_for_a_secret_breaks_the_contract(place: Place) -> None:
    with pytest.raises(AssertionError) as caught:
        PublisherContract().test_settings_are_typed_and_none_is_a_secret(place)
    assert "_SECRETS" in str(caught.traceback[-1].statement)


def _unexpected(warning: str) -> None:
    raise AssertionError(warning)
