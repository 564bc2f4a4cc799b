"""Releases and their assets as GitHub describes them: found by tag, made where there is none, published at the end."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlsplit

from hatch_sign.publishers.github.translate import malformed_answer, publish_error
from hatch_sign.remote.failures import Failure
from hatch_sign.remote.retrying import Attempts
from hatch_sign.values.display import display
from hatch_sign.values.errors import PublishError

if TYPE_CHECKING:
    from hatch_sign.publishers.github.api import GitHubApi
    from hatch_sign.remote.http_messages import Reply

T = TypeVar("T")

_SHA256 = re.compile(r"sha256:([0-9a-f]{64})\Z")


@dataclass(frozen=True, slots=True)
class Asset:
    """One asset. `complete` is False for what an upload left that was cut; `sha256` is None where GitHub tells none."""

    id: int
    name: str
    size: int
    complete: bool
    sha256: bytes | None


@dataclass(frozen=True, slots=True)
class Release:
    """One release; `uploads` is the address to which its assets are sent."""

    id: int
    draft: bool
    immutable: bool
    uploads: str


def find_or_make_release(api: GitHubApi) -> Release:
    """Return the release of the tag, a draft that is made where there is none. Raises PublishError.

    Where the answer to making it is lost, it is looked for again: two drafts of one tag would be one too many.
    """
    attempts = Attempts(api.limits, api.timing, api.stopped)
    while True:
        release = find_release(api)
        if release is not None:
            return release
        answer = _make(api)
        if not isinstance(answer, Failure):
            return parse_release(api, api.document(answer))
        reason = attempts.pause(answer) if answer.kind.passes else ""
        if reason is not None:
            raise publish_error(api.place.title, answer.after(max(1, attempts.made), reason))


def find_release(api: GitHubApi) -> Release | None:
    """Return the release of the tag, a published one or a draft; None where there is none that the token may see."""
    tag = api.place.tag
    published = api.get(f"releases/tags/{quote(tag, safe='')}")
    if published is not None:
        return parse_release(api, published)
    for page in api.pages("releases"):
        found = [entry for entry in page if isinstance(entry, dict) and entry.get("tag_name") == tag]
        if len(found) > 1:
            message = f"{api.place.title}: there are {len(found)} drafts of the tag {display(tag)}"
            raise PublishError(message, remedy="delete all but one of them, then run again")
        if found:
            return parse_release(api, found[0])
    return None


def publish_release(api: GitHubApi, release: Release) -> None:
    """Make a draft visible to everybody."""
    api.send("PATCH", f"releases/{release.id}", {"draft": False})


def list_assets(api: GitHubApi, release: Release) -> dict[str, Asset]:
    """Return the assets of a release by name."""
    entries = [entry for page in api.pages(f"releases/{release.id}/assets") for entry in page]
    return {asset.name: asset for asset in (parse_asset(api, entry) for entry in entries)}


def parse_asset(api: GitHubApi, document: Any) -> Asset:  # noqa: ANN401 - a document of GitHub's
    """Return what GitHub says of an asset. Raises PublishError where it is none."""
    try:
        digest = _SHA256.match(document.get("digest") or "")
        return Asset(
            id=_typed(document["id"], int),
            name=_typed(document["name"], str),
            size=_typed(document["size"], int),
            complete=_typed(document["state"], str) == "uploaded",
            sha256=bytes.fromhex(digest[1]) if digest else None,
        )
    except (KeyError, TypeError, AttributeError):
        raise malformed_answer(api.place.title) from None


def parse_release(api: GitHubApi, document: Any) -> Release:  # noqa: ANN401 - as above
    """Return what GitHub says of a release. Raises PublishError where it is none, or sends uploads to a foreign server."""
    try:
        uploads = _typed(document["upload_url"], str).partition("{")[0]
        release = Release(
            id=_typed(document["id"], int),
            draft=_typed(document["draft"], bool),
            immutable=document.get("immutable") is True,
            uploads=uploads,
        )
    except (KeyError, TypeError, AttributeError):
        raise malformed_answer(api.place.title) from None
    if not takes_uploads(api.place.api, uploads):
        message = f"{api.place.title}: GitHub wants uploads sent to {display(uploads)}, which is not its own"
        raise PublishError(message, remedy="check `api-url`: the token is told to no other server")
    return release


def takes_uploads(api: str, uploads: str) -> bool:
    """Return whether uploads, and the token with them, may go to the address that the server at `api` names.

    ``uploads.NAME`` belongs to ``api.NAME``; every other server takes uploads itself.
    """
    try:
        here, there = urlsplit(api), urlsplit(uploads)
        same_port = here.port == there.port
    except ValueError:
        return False
    host = here.hostname or ""
    own = f"uploads.{host.removeprefix('api.')}" if _is_cloud(host) else host
    return (there.scheme, there.hostname) == (here.scheme, own) and same_port and "@" not in there.netloc and not there.query


def _is_cloud(host: str) -> bool:
    return host == "api.github.com" or (host.startswith("api.") and host.endswith(".ghe.com"))


def _make(api: GitHubApi) -> Reply | Failure:
    place = api.place
    if api.get(f"git/ref/tags/{quote(place.tag, safe='/')}") is None:
        # GitHub would make the tag itself, on the newest commit, whatever was built from.
        message = f"{place.title}: the repository has no tag {display(place.tag)}"
        raise PublishError(message, remedy="push the tag, then run again")
    content = {
        "tag_name": place.tag,
        "name": place.name or place.tag,
        "draft": True,
        "prerelease": place.prerelease,
        "generate_release_notes": place.generate_notes,
    }
    return api.make("releases", content)


def _typed(value: object, expected: type[T]) -> T:
    if not isinstance(value, expected):
        raise TypeError
    return value
