"""An index that releases are published to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from hatch_sign.contract import Published, ReadBack
from hatch_sign.publishers.index.listings import project_name
from hatch_sign.publishers.index.parcels import Parcel, is_attestation, is_distribution, pack
from hatch_sign.publishers.index.places import takes_attestations
from hatch_sign.publishers.index.simple_index import Stored
from hatch_sign.remote.failures import Failure, FailureKind
from hatch_sign.remote.http import shown_address
from hatch_sign.values.display import display
from hatch_sign.values.errors import RejectedError

if TYPE_CHECKING:
    from hatch_sign.contract import ReleaseFile
    from hatch_sign.publishers.index.pace import Pace
    from hatch_sign.publishers.index.sending import Sender
    from hatch_sign.publishers.index.settings import IndexSettings
    from hatch_sign.publishers.index.simple_index import SimpleIndex

_ELSEWHERE = "publish it to a release on GitHub or to a folder"
_DROPPED = "the index answered success and dropped the attestations"


def drops(file: ReleaseFile, upload_url: str, settings: IndexSettings) -> str:
    """Return why an index will not keep a file; empty where it will."""
    if is_distribution(file):
        return ""
    if not is_attestation(file):
        what = "no signatures but attestations" if file.format else "nothing but wheels and sdists"
        return f"an index keeps {what}: {_ELSEWHERE}"
    if settings.attestations is False:
        return "the configuration says `attestations = false`"
    if settings.attestations is None and not takes_attestations(upload_url):
        return "the index is not known to keep attestations: say `attestations = true` where it does"
    return ""


class IndexDestination:
    """A :class:`~hatch_sign.contract.Destination`: an index that is connected to."""

    def __init__(self, upload_url: str, settings: IndexSettings, index: SimpleIndex, sender: Sender, pace: Pace) -> None:
        self._upload_url = upload_url
        self._settings = settings
        self._index = index
        self._sender = sender
        self._pace = pace
        self._parcels: dict[str, Parcel] = {}
        self._sent: set[str] = set()

    @property
    def title(self) -> str:
        """The address that uploads go to."""
        return shown_address(self._upload_url)

    def drops(self, file: ReleaseFile) -> str:
        """Return why the index will not keep this file; empty where it will."""
        return drops(file, self._upload_url, self._settings)

    def publish(self, files: Sequence[ReleaseFile], report: Callable[[Published], None]) -> None:
        """Send each distribution with its attestations in one request; see :class:`~hatch_sign.contract.Destination`.

        All are read and compared with what was verified before the first is sent. Raises RejectedError where attestations
        are demanded and a distribution has none, and where the index has other bytes.
        """
        kept = [file for file in files if not self.drops(file)]
        distributions = [file for file in kept if is_distribution(file)]
        attestations = [file for file in kept if not is_distribution(file)]
        if self._settings.attestations:
            self._require_attestations(distributions, attestations)
        for parcel in pack(distributions, attestations, comment=self._settings.comment):
            self._parcels[parcel.file.name] = parcel
            done = self._sender.send(parcel)
            if done.deed == "uploaded":
                self._sent.add(parcel.file.name)
            report(done)
            for each in parcel.attestations:
                report(self._attested(each, parcel, done))

    def read_back(self, files: Sequence[ReleaseFile]) -> Sequence[ReadBack]:
        """Return what the simple index lists of `files`: digests, else bytes, and attestations by their envelopes.

        An index may list a file some seconds after it took it; it is asked again as long as some are missing.
        """
        distributions = [file for file in files if is_distribution(file)]
        self._wait_for(distributions)
        return [each for file in distributions for each in self._read_back(file, files)]

    # --- attestations --------------------------------------------------------------------------------------------

    def _require_attestations(self, distributions: Sequence[ReleaseFile], attestations: Sequence[ReleaseFile]) -> None:
        attested = {file.artifact for file in attestations}
        lacking = [file.name for file in distributions if file.name not in attested]
        if lacking:
            others = f", nor have {len(lacking) - 1} more" if len(lacking) > 1 else ""
            message = f"{display(lacking[0])} has no attestation beside it{others}, and `attestations = true` demands one"
            raise RejectedError(message, remedy="nothing was sent: sign by the format pep740, or leave out `attestations`")

    def _attested(self, attestation: ReleaseFile, parcel: Parcel, done: Published) -> Published:
        """Return what became of an attestation: an index takes it with the distribution, or never."""
        if done.deed == "uploaded":
            return Published(attestation.name, "uploaded", f"with {display(parcel.file.name)}")
        state = self._read_back_attestation(attestation, parcel).state
        if state == "same":
            return Published(attestation.name, "present")
        return Published(attestation.name, "kept-back", "the index has the distribution already, and takes none later")

    # --- reading back --------------------------------------------------------------------------------------------

    def _wait_for(self, distributions: Sequence[ReleaseFile]) -> None:
        projects = {project_name(file.name) for file in distributions}
        attempts = self._pace.attempts_to_find()
        while True:
            for project in projects:
                self._index.listing(project, afresh=True)
            if all(self._index.find(file) for file in distributions):
                return
            if attempts.pause(Failure(FailureKind.UNAVAILABLE)) is not None:
                return

    def _read_back(self, file: ReleaseFile, files: Sequence[ReleaseFile]) -> Iterator[ReadBack]:
        yield _told(file, self._index.stored(file))
        parcel = self._parcels.get(file.name)
        attestations = [each for each in files if each.artifact == file.name and not is_distribution(each)]
        for each in attestations:
            if parcel is not None and not self.drops(each):
                yield self._read_back_attestation(each, parcel)

    def _read_back_attestation(self, attestation: ReleaseFile, parcel: Parcel) -> ReadBack:
        listed = self._index.find(parcel.file)
        if listed is None:
            return _told(attestation, Stored.NOTHING)
        kept = self._index.envelopes(listed)
        if kept is None:
            found = _DROPPED if parcel.file.name in self._sent else "the index has none of that distribution"
            if listed.provenance is not None:
                found = "the index does not give its attestations back"
            return ReadBack(attestation.name, "unreadable", found)
        sent = parcel.envelopes[parcel.attestations.index(attestation)]
        same = sent in kept
        return ReadBack(attestation.name, "same" if same else "differs", "" if same else "the index has other attestations")


def _told(file: ReleaseFile, stored: Stored) -> ReadBack:
    if stored is Stored.SAME:
        return ReadBack(file.name, "same")
    return ReadBack(file.name, "differs" if stored is Stored.OTHER else "unreadable", _FOUND[stored])


_FOUND = {
    Stored.OTHER: "the index has other bytes",
    Stored.UNKNOWN: "the index lists it, and tells neither a digest nor the bytes",
    Stored.NOTHING: "the index does not list it (yet), or its simple index is elsewhere: say `index-url`",
}
