"""What an index has, as its simple index tells it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any

from hatch_sign.publishers.index.listings import ACCEPT, parse_listing, parse_provenance, project_name
from hatch_sign.publishers.index.reading import UnreadableError, followed, read_page, read_sha256

if TYPE_CHECKING:
    from collections.abc import Sequence

    from requests import Session

    from hatch_sign.contract import ReleaseFile
    from hatch_sign.publishers.index.connection import Connection
    from hatch_sign.publishers.index.listings import ListedFile, Listing
    from hatch_sign.publishers.index.pace import Pace
    from hatch_sign.publishers.index.reading import Page

_LARGEST_LISTING = 64 * 1024 * 1024
_LARGEST_PROVENANCE = 8 * 1024 * 1024


class Stored(Enum):
    """What an index has under the name of a file."""

    NOTHING = "nothing"
    SAME = "same"
    OTHER = "other"
    UNKNOWN = "unknown"
    """Something, of which neither a digest nor the bytes can be had."""


class SimpleIndex:
    """Asks the first of `places` that lists a project; remembers what it told until it is asked afresh."""

    def __init__(self, places: Sequence[str], connection: Connection, upload_url: str, pace: Pace) -> None:
        """`upload_url` is the only host to which the credentials go."""
        self._places = places
        self._connection = connection
        self._upload_url = upload_url
        self._pace = pace
        self._listings: dict[str, Listing | None] = {}

    def listing(self, project: str, *, afresh: bool = False) -> Listing | None:
        """Return the files of a project; None where no place answers with a listing, as for a project that is new."""
        if afresh or project not in self._listings:
            self._listings[project] = next(
                filter(None, map(self._listing_at, [f"{at}{project}/" for at in self._places])), None
            )
        return self._listings[project]

    def find(self, file: ReleaseFile) -> ListedFile | None:
        """Return how a distribution is listed, or None where it is not."""
        listing = self.listing(project_name(file.name))
        return None if listing is None else listing.get(file.name)

    def stored(self, file: ReleaseFile, *, afresh: bool = False) -> Stored:
        """Return what the index has: by the digest that it tells, else by the bytes that it gives back."""
        if afresh:
            self.listing(project_name(file.name), afresh=True)
        listed = self.find(file)
        if listed is None:
            return Stored.NOTHING
        digest = listed.sha256
        if digest is None:
            digest = self._digest(listed, file.size)
        if digest is None:
            return Stored.UNKNOWN
        return Stored.SAME if digest == file.sha256 else Stored.OTHER

    def envelopes(self, listed: ListedFile) -> list[Mapping[str, Any]] | None:
        """Return the envelopes of the attestations that the index keeps of a file; None where it tells of none."""
        if listed.provenance is None:
            return None
        try:
            address = followed(listed.page, listed.provenance)
        except UnreadableError:
            return None
        page = self._read(address, "application/vnd.pypi.integrity.v1+json, application/json", _LARGEST_PROVENANCE)
        return None if page is None else parse_provenance(page.body)

    def _digest(self, listed: ListedFile, size: int) -> bytes | None:
        try:
            address = followed(listed.page, listed.url)
        except UnreadableError:
            return None
        return read_sha256(self._session_for(address), address, size=size, pace=self._pace)

    def _listing_at(self, address: str) -> Listing | None:
        page = self._read(address, ACCEPT, _LARGEST_LISTING)
        return None if page is None else parse_listing(page.content_type, page.body, page.address)

    def _read(self, address: str, accept: str, largest: int) -> Page | None:
        try:
            session = self._session_for(address)
            page = read_page(session, address, accept=accept, largest=largest, pace=self._pace)
        except UnreadableError:
            return None
        return page if page.found else None

    def _session_for(self, address: str) -> Session:
        from hatch_sign.remote.http_transport import origin  # noqa: PLC0415 - where a network is asked only

        try:
            ours = origin(address) == origin(self._upload_url)
        except ValueError:
            ours = False
        return self._connection.repository.session if ours else self._connection.reading
