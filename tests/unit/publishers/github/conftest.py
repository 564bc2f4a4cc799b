"""A loopback GitHub, and the publisher in front of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from hatch_sign.publishers.github.publisher import GitHubPublisher
from hatch_sign.remote.limits import NetworkLimits
from hatch_sign.values.errors import HatchSignError
from tests.github_releases import REPOSITORY, TOKEN, FakeGitHub, serving_github
from tests.unit.publishers.release_files import Heard, release

if TYPE_CHECKING:
    from pathlib import Path

    from hatch_sign.contract import ReadBack, ReleaseFile

LIMITS = NetworkLimits(connect=30.0, read=60.0, total=120.0, attempts=3, first_pause=0.001, longest_pause=0.001)


class Client:
    """Publishes to a loopback GitHub; settings and environment are what a test says."""

    def __init__(self, github: FakeGitHub) -> None:
        self.github = github
        self.limits = LIMITS
        self.environ = {"GITHUB_API_URL": github.api, "GITHUB_TOKEN": TOKEN}
        self.settings: dict[str, Any] = {"repository": REPOSITORY, "tag": "v1.0"}

    def publish(self, files: Sequence[ReleaseFile], **settings: object) -> Heard:
        heard = Heard()
        self._publish(files, settings, heard)
        return heard

    def failure(self, files: Sequence[ReleaseFile], **settings: object) -> tuple[HatchSignError, Heard]:
        """Publish what must fail; the token is in nothing that is said."""
        heard = Heard()
        with pytest.raises(HatchSignError) as caught:
            self._publish(files, settings, heard)
        assert TOKEN not in f"{caught.value!r} {caught.value} {caught.value.__cause__!r} {heard.warnings}"
        assert "\n" not in str(caught.value)
        return caught.value, heard

    def read_back(self, files: Sequence[ReleaseFile]) -> dict[str, ReadBack]:
        publisher = GitHubPublisher(limits=self.limits)
        with publisher.open(self.settings, Heard().context(self.environ)) as destination:
            return {back.name: back for back in destination.read_back(files)}

    def _publish(self, files: Sequence[ReleaseFile], settings: dict[str, object], heard: Heard) -> None:
        publisher = GitHubPublisher(limits=self.limits)
        with publisher.open({**self.settings, **settings}, heard.context(self.environ)) as destination:
            destination.publish(files, heard)


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with serving_github(FakeGitHub()) as fake:
        yield fake


@pytest.fixture
def client(github: FakeGitHub) -> Client:
    return Client(github)


@pytest.fixture
def files(tmp_path: Path) -> list[ReleaseFile]:
    return release(tmp_path / "copy")
