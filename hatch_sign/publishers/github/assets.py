"""One file as an asset: whether it is there, and how it comes there."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from hatch_sign.publishers.github.releases import list_assets, parse_asset
from hatch_sign.publishers.github.translate import publish_error
from hatch_sign.remote.failures import Failure
from hatch_sign.remote.retrying import Attempts
from hatch_sign.values.display import display
from hatch_sign.values.errors import PublishError, RejectedError

if TYPE_CHECKING:
    from hatch_sign.contract import ReleaseFile
    from hatch_sign.publishers.github.api import GitHubApi
    from hatch_sign.publishers.github.releases import Asset, Release
    from hatch_sign.remote.http_messages import Reply


class State(Enum):
    """What the release has under the name of a file."""

    MISSING = auto()
    PARTIAL = auto()
    """What an upload left that was cut: no bytes that anybody can have."""
    SAME = auto()
    DIFFERS = auto()


def compare(api: GitHubApi, file: ReleaseFile, asset: Asset | None) -> State:
    """Return what `asset` is to `file`: by GitHub's digest, or, where it has none, by the bytes that it gives back.

    Raises PublishError where those cannot be fetched.
    """
    if asset is None:
        return State.MISSING
    if not asset.complete:
        return State.PARTIAL
    if asset.size != file.size:
        return State.DIFFERS
    digest: bytes | Failure | None = asset.sha256
    if digest is None:
        digest = api.fetched_digest(f"releases/assets/{asset.id}", file.size)
    if isinstance(digest, Failure):
        raise publish_error(api.place.title, digest)
    return State.SAME if digest == file.sha256 else State.DIFFERS


def may_be(asset: Asset, file: ReleaseFile) -> bool:
    """Return whether nothing that GitHub tells of an asset speaks against its being `file`; its bytes are not asked for."""
    return asset.size == file.size and asset.sha256 in {None, file.sha256}


def add_asset(api: GitHubApi, release: Release, file: ReleaseFile, part: Asset | None) -> None:
    """Upload a file that the release does not have; where that fails in a way that passes, again.

    `part` is what it has of the file from an upload that was cut, which is deleted. Before it is sent again, it is looked
    what the last attempt left: all of it, too, where only the answer was lost. Raises PublishError, and RejectedError where
    somebody else has put other bytes there, or the file changed.
    """
    attempts = Attempts(api.limits_of(file.size), api.timing, api.stopped)
    there = _is_there(api, file, part)
    while not there:
        answer = api.upload(release.uploads, file)
        if not isinstance(answer, Failure):
            _require_stored(api, file, answer)
            return
        reason = attempts.pause(answer) if answer.kind.passes else ""
        if reason is not None:
            subject = f"{api.place.title}: {display(file.name)}"
            raise publish_error(subject, answer.after(max(1, attempts.made), reason))
        there = _is_there(api, file, list_assets(api, release).get(file.name))


def _is_there(api: GitHubApi, file: ReleaseFile, asset: Asset | None) -> bool:
    state = compare(api, file, asset)
    if state is State.DIFFERS:
        message = f"{api.place.title}: somebody else uploaded {display(file.name)} meanwhile, with other bytes"
        raise RejectedError(message, remedy="nothing was replaced: see who else publishes there, then run again")
    if state is State.PARTIAL and asset is not None:
        api.delete(f"releases/assets/{asset.id}")
    return state is State.SAME


def _require_stored(api: GitHubApi, file: ReleaseFile, answer: Reply) -> None:
    """Raise PublishError where GitHub says that it stored something else than was sent; that is taken away again."""
    asset = parse_asset(api, api.document(answer))
    stored = asset.complete and may_be(asset, file)
    if stored and asset.name == file.name:
        return
    api.delete(f"releases/assets/{asset.id}")
    found = f"under the name {display(asset.name)}" if stored else "with other bytes"
    message = f"{api.place.title}: GitHub stored {display(file.name)} {found}, and it was deleted again"
    raise PublishError(message, remedy="run again" if not stored else "rename it before it is signed")
