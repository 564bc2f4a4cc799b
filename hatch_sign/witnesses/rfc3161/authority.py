"""A timestamp authority, asked over HTTP (RFC 3161 §3.4), and what it answers held against what it was asked."""

from __future__ import annotations

import hashlib
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from hatch_sign.contract import Evidence
from hatch_sign.formats.rfc3161 import encode_request, parse_reply, parse_timestamp
from hatch_sign.formats.rfc3161.purpose import problem_of_purpose
from hatch_sign.remote.failures import Failure
from hatch_sign.remote.http import ask, shown_address, wants_patience
from hatch_sign.remote.http_messages import Question
from hatch_sign.remote.limits import NetworkLimits
from hatch_sign.values.display import display
from hatch_sign.values.errors import MalformedError, WitnessError
from hatch_sign.witnesses.rfc3161.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hatch_sign.contract import BackendContext, WitnessRequest
    from hatch_sign.contract.witnesses import EvidenceKind
    from hatch_sign.formats.rfc3161 import Timestamp
    from hatch_sign.remote.http_messages import Reply

LIMITS = NetworkLimits(connect=5.0, read=15.0, total=30.0, attempts=3)
"""For one request: where others are configured, they are asked after that long at the latest."""
LONGEST_PATIENCE = 60.0
"""Seconds of pause that an authority may ask for. Public ones ask for 15 between two requests."""
DEFAULT_PAUSE = 2.0
"""Seconds of pause where it wants fewer requests and does not say how few."""
LARGEST_REPLY = 1 << 20

_QUERY, _REPLY = "application/timestamp-query", "application/timestamp-reply"
_NONCE_BITS = 128
_PATIENCE = "sign fewer at once, or name another authority in `timestamp`, too"


@contextmanager
def open_authority(address: str, context: BackendContext) -> Iterator[Authority]:
    """Lend the authority at an http or https address; nobody is asked before the first signature."""
    yield Authority(address, context)


class Authority:
    """A :class:`~hatch_sign.contract.Witness` that proves when a signature was there at the latest.

    Asked from any thread, by few at once; where it asks for patience, all threads of the run wait.
    """

    kind: EvidenceKind = "timestamp"

    def __init__(self, address: str, context: BackendContext) -> None:
        """Name it; `context` says whether the run is being given up."""
        self._address = address
        self._name = shown_address(address)
        self._context = context
        self._pace = Pace(lambda: context.stopped)

    def attest(self, request: WitnessRequest) -> Evidence:
        """Return its reply to a fresh question about the signature's value.

        Raises WitnessError naming the address where it cannot be asked, refuses, or answers to another question.
        """
        hash_ = request.scheme.hash or "sha256"  # Ed25519 has none of its own
        nonce = secrets.randbits(_NONCE_BITS)
        imprint = hashlib.new(hash_, request.signature).digest()
        reply = self._ask(encode_request(imprint, hash_=hash_, nonce=nonce))
        timestamp = self._read(reply)
        if timestamp.nonce != nonce:
            self._refuse("answered to another question than it was asked: its nonce is another")
        self._require_right(request, timestamp)
        return Evidence("timestamp", reply.body)

    def check(self, request: WitnessRequest, evidence: Evidence) -> None:
        """Raise WitnessError unless `evidence` is a timestamp over exactly this signature."""
        if evidence.kind != self.kind:
            self._refuse("gives timestamps, and this is none")
        try:
            timestamp = parse_timestamp(evidence.data)
        except MalformedError as error:
            self._refuse(f"gave a timestamp that does not hold: {error.message}")
        self._require_right(request, timestamp)

    def _read(self, reply: Reply) -> Timestamp:
        try:
            failure = parse_reply(reply.body).failure
            timestamp = None if failure else parse_timestamp(reply.body)
        except MalformedError as error:
            self._refuse(_unreadable(reply, error))
        if timestamp is None:
            self._refuse(f"granted no timestamp: {failure}")
        return timestamp

    def _require_right(self, request: WitnessRequest, timestamp: Timestamp) -> None:
        if problem := problem_of_purpose(timestamp.certificates[0]):
            self._refuse(f"is none: {problem}")
        if not timestamp.vouches_for(request.signature):
            self._refuse("vouches for another signature than the one that it was asked about")

    def _ask(self, body: bytes) -> Reply:
        question = Question(self._address, accept=_REPLY, largest=LARGEST_REPLY, body=body, content_type=_QUERY)
        while True:
            with self._pace.turn() as granted:
                self._require_turn(granted=granted)
                answer = ask(question, limits=LIMITS, stopped=lambda: self._context.stopped, patient=False)
                if not isinstance(answer, Failure):
                    self._pace.served()
                    return answer
                self._hold(answer)

    def _require_turn(self, *, granted: bool) -> None:
        if not granted:
            self._refuse("was not asked, because the run is being given up")
        if self._pace.is_spent:
            self._refuse("was not asked again, because it had not answered for a while")

    def _hold(self, failure: Failure) -> None:
        """Make everybody wait where the authority asks for it. Raises WitnessError for every other failure."""
        if not wants_patience(failure):
            self._pace.unanswered()
            self._refuse(failure.phrase, failure.remedy)
        pause = DEFAULT_PAUSE if failure.retry_after is None else failure.retry_after
        if pause > LONGEST_PATIENCE:
            self._pace.unanswered()
            limit = f"beyond the limit of {LONGEST_PATIENCE:.0f} s"
            self._refuse(f"{failure.phrase}, and wants {pause:.0f} s of patience, {limit}", _PATIENCE)
        self._pace.hold(pause)
        if self._pace.is_spent:
            self._refuse(f"{failure.phrase}, again and again", _PATIENCE)

    def _refuse(self, found: str, remedy: str = "") -> NoReturn:
        message = f"timestamp authority {self._name} {found}"
        raise WitnessError(message, remedy=remedy) from None


def _unreadable(reply: Reply, error: MalformedError) -> str:
    if reply.media_type == _REPLY:
        return f"answered wrongly: {error.message}"
    return f"answered with {display(reply.media_type) or 'something unnamed'}, expected {_REPLY}: {error.message}"
