"""A release on GitHub that files are published to: each becomes an asset once, and none that is there is ever replaced."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from hatch_sign.contract import Published, ReadBack
from hatch_sign.publishers.github.assets import State, add_asset, compare, may_be
from hatch_sign.publishers.github.names import MOST_ASSETS, why_dropped
from hatch_sign.publishers.github.releases import find_or_make_release, find_release, list_assets, publish_release
from hatch_sign.publishers.order import signatures_first
from hatch_sign.values.display import display
from hatch_sign.values.errors import PublishError, RejectedError, UnsupportedError

if TYPE_CHECKING:
    from hatch_sign.contract import ReleaseFile
    from hatch_sign.publishers.github.api import GitHubApi
    from hatch_sign.publishers.github.releases import Asset, Release


class GitHubRelease:
    """A :class:`~hatch_sign.contract.Destination`. A release that has to be made is a draft until all is uploaded."""

    def __init__(self, api: GitHubApi, warn: Callable[[str], None]) -> None:
        """Ask nothing yet."""
        self._api = api
        self._warn = warn

    @property
    def title(self) -> str:
        """The address of the release."""
        return self._api.place.title

    def drops(self, file: ReleaseFile) -> str:
        """Return why GitHub would not keep the file under its name; empty for what it keeps, signatures of every kind."""
        return why_dropped(file)

    def publish(self, files: Sequence[ReleaseFile], report: Callable[[Published], None]) -> None:
        """Upload what is not there yet, signatures before what they are over; see :class:`~hatch_sign.contract.Destination`.

        Everything is compared before anything is sent. What an upload left that was cut is deleted and sent again. Raises
        UnsupportedError for a file that GitHub would not keep as it is, RejectedError where other bytes are there.
        """
        for file in files:
            self._require_kept(file)
        release = find_or_make_release(self._api)
        assets = list_assets(self._api, release)
        missing = self._missing(assets, signatures_first(files), report)
        if missing and release.immutable:
            message = f"{self.title}: {len(missing)} files are missing in the release, which is immutable"
            raise PublishError(message, remedy="publish them under a new tag, as a draft until all is uploaded")
        for file in missing:
            add_asset(self._api, release, file, assets.get(file.name))
            report(Published(file.name, "uploaded"))
        if release.draft:
            self._end_draft(release, files)

    def read_back(self, files: Sequence[ReleaseFile]) -> Sequence[ReadBack]:
        """Return what the release has of `files`, by the digests that GitHub computed, or what it gives back."""
        release = find_release(self._api)
        assets = {} if release is None else list_assets(self._api, release)
        return [self._read_back(file, assets.get(file.name)) for file in files]

    def _missing(
        self, assets: Mapping[str, Asset], files: Sequence[ReleaseFile], report: Callable[[Published], None]
    ) -> list[ReleaseFile]:
        states = {file.name: compare(self._api, file, assets.get(file.name)) for file in files}
        wrong = [name for name, state in states.items() if state is State.DIFFERS]
        if wrong:
            others = f", as are {len(wrong) - 1} more" if len(wrong) > 1 else ""
            message = f"{self.title}: {display(wrong[0])} is there already, with other bytes{others}"
            raise RejectedError(message, remedy="nothing was replaced: delete it if it is wrong, or publish under a new tag")
        missing = [file for file in files if states[file.name] is not State.SAME]
        self._require_room(len(assets.keys() | {file.name for file in missing}))
        for file in files:
            if states[file.name] is State.SAME:
                report(Published(file.name, "present"))
        return missing

    def _require_kept(self, file: ReleaseFile) -> None:
        if reason := self.drops(file):
            message = f"{self.title}: {display(file.name)} cannot be published there: {reason}"
            raise UnsupportedError(message, remedy="nothing was sent: rename or split it before it is signed")

    def _require_room(self, count: int) -> None:
        if count > MOST_ASSETS:
            message = f"{self.title}: the release would have {count} assets, and GitHub takes {MOST_ASSETS}"
            raise PublishError(message, remedy="nothing was sent: publish fewer files, such as one statement for all")

    def _end_draft(self, release: Release, files: Sequence[ReleaseFile]) -> None:
        if self._api.place.draft:
            self._warn(f"{self.title}: the release is a draft, and only those who may write see it until it is published")
        else:
            self._look_once_more(list_assets(self._api, release), files)
            publish_release(self._api, release)

    def _look_once_more(self, assets: Mapping[str, Asset], files: Sequence[ReleaseFile]) -> None:
        """Reject a draft in which somebody exchanged a file meanwhile, and say what it holds that nobody verified here."""
        exchanged = [file.name for file in files if file.name in assets and not may_be(assets[file.name], file)]
        if exchanged:
            message = f"{self.title}: {display(exchanged[0])} was uploaded, and the draft has other bytes by now"
            raise RejectedError(message, remedy="the release is still a draft: find out who changed it")
        others = sorted(assets.keys() - {file.name for file in files})
        if others:
            self._warn(f"{self.title}: published with it, and not verified here: {display(', '.join(others))}")

    def _read_back(self, file: ReleaseFile, asset: Asset | None) -> ReadBack:
        state = compare(self._api, file, asset)
        if state is State.SAME:
            return ReadBack(file.name, "same")
        if state is State.DIFFERS:
            return ReadBack(file.name, "differs", "has other bytes")
        return ReadBack(file.name, "unreadable", "is not there" if state is State.MISSING else "is there in part only")
