"""One distribution on its way to an index: sent once, repeated only where that cannot store it twice."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn

from hatch_sign.contract import Published
from hatch_sign.publishers.index.reading import read_reply
from hatch_sign.publishers.index.silence import silence
from hatch_sign.publishers.index.simple_index import Stored
from hatch_sign.publishers.index.translate import Refusal, connection_failure, hides_nothing, refusal
from hatch_sign.remote.failures import FailureKind
from hatch_sign.remote.retrying import parse_retry_after
from hatch_sign.values.display import display
from hatch_sign.values.errors import PublishError, RejectedError

if TYPE_CHECKING:
    from requests import Response

    from hatch_sign.publishers.index.connection import Connection
    from hatch_sign.publishers.index.pace import Pace
    from hatch_sign.publishers.index.parcels import Parcel
    from hatch_sign.publishers.index.settings import IndexSettings
    from hatch_sign.publishers.index.simple_index import SimpleIndex

_SUCCESS, _REDIRECT = 200, 300
_UNKNOWN_DETAIL = "the index has a file of this name, and tells no digest of it"


class Sender:
    """Sends parcels, one after another. `title` names the index in messages; they quote more of it where it is `verbose`."""

    def __init__(
        self, connection: Connection, index: SimpleIndex, pace: Pace, *, title: str, settings: IndexSettings
    ) -> None:
        self._connection = connection
        self._index = index
        self._pace = pace
        self._title = title
        self._settings = settings

    def send(self, parcel: Parcel) -> Published:
        """Send a parcel unless the index has the distribution, and return what became of the distribution.

        After an attempt whose end was not seen, what the index has is looked at before the next one. Raises RejectedError
        where it has other bytes, PublishError where it refuses or fails.
        """
        there = self._index.stored(parcel.file)
        if there is not Stored.NOTHING:
            return self._settle(parcel, there)
        attempts = self._pace.attempts()
        while True:
            refused = self._post(parcel)
            if refused is None:
                return Published(parcel.file.name, "uploaded")
            if refused.exists:
                return self._settle_refused(parcel, refused)
            if not refused.failure.kind.passes:
                raise refused.as_error(parcel.file, self._title)
            reason = attempts.pause(refused.failure)
            if refused.failure.kind is FailureKind.UNAVAILABLE and self._has_arrived(parcel):
                return Published(parcel.file.name, "uploaded", "the answer was lost, and the index has these bytes")
            if reason is not None:
                last = Refusal(refused.failure.after(attempts.made, reason), refused.said)
                raise last.as_error(parcel.file, self._title)

    def _has_arrived(self, parcel: Parcel) -> bool:
        there = self._index.stored(parcel.file, afresh=True)
        if there is Stored.OTHER:
            self._reject(parcel)
        return there is Stored.SAME

    def _settle_refused(self, parcel: Parcel, refused: Refusal) -> Published:
        """Return what it means that the index refuses a file because it has one of that name, or had one once."""
        there = self._index.stored(parcel.file, afresh=True)
        if there is Stored.NOTHING and self._index.find(parcel.file) is None and not self._settings.skip_existing:
            raise Refusal(refused.failure, refused.said).as_error(parcel.file, self._title)
        return self._settle(parcel, Stored.UNKNOWN if there is Stored.NOTHING else there)

    def _settle(self, parcel: Parcel, there: Stored) -> Published:
        if there is Stored.OTHER:
            self._reject(parcel)
        if there is Stored.SAME:
            return Published(parcel.file.name, "present")
        if self._settings.skip_existing:
            return Published(parcel.file.name, "present", _UNKNOWN_DETAIL)
        message = f"{display(parcel.file.name)}: {self._title} has a file of this name, and tells no digest to compare"
        raise PublishError(message, remedy="compare it yourself, then let it be by --skip-existing, or make a new version")

    def _reject(self, parcel: Parcel) -> NoReturn:
        message = f"{display(parcel.file.name)}: {self._title} has a file of this name already, with other bytes"
        raise RejectedError(message, remedy="nothing was replaced: find out whose it is, or publish under a new version")

    def _post(self, parcel: Parcel) -> Refusal | None:
        """Send a parcel once, and return None where the index confirms it, else what it answered, or why it did not."""
        try:
            with silence():
                response = self._connection.repository.upload(parcel.package, max_redirects=1)
        except Exception as error:  # noqa: BLE001 - the library raises what it likes, and each becomes a failure
            return Refusal(connection_failure(error))
        with response:
            reply = read_reply(response, self._pace)  # to its end, else the connection could not be used again
            if _SUCCESS <= response.status_code < _REDIRECT:
                return None  # whatever becomes of the rest of the answer, the index has stored it
            return self._refusal(response, reply.decode("utf-8", "replace"))

    def _refusal(self, response: Response, text: str) -> Refusal:
        secrets = _secrets(response)
        written = (response.reason or "", text, response.headers.get("Location", ""))
        reason, text, location = (each if hides_nothing(each, secrets) else "" for each in written)
        refused = refusal(
            response.status_code,
            reason=reason,
            text=text,
            location=location,
            retry_after=parse_retry_after(response.headers.get("Retry-After"), now=datetime.now(UTC)),
        )
        return refused if self._settings.verbose else refused.in_short()


def _secrets(response: Response) -> tuple[str, ...]:
    """Return what of the request must not be shown: the credential as it was sent, and its password."""
    sent = str(response.request.headers.get("Authorization", "")).removeprefix("Basic ")
    password = base64.b64decode(sent).partition(b":")[2].decode("utf-8", "replace")
    return tuple(filter(None, (sent, password)))
