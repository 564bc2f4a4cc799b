"""A log with the interface of Rekor v1, asked over HTTP, and what it answers held against what it was asked."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn

from hatch_sign.contract import Evidence
from hatch_sign.formats.sigstore.log_entry import encode_log_entry, parse_log_entry
from hatch_sign.remote.failures import Failure, FailureKind, classify_status
from hatch_sign.remote.http import ask, shown_address
from hatch_sign.remote.http_messages import Question
from hatch_sign.remote.limits import NetworkLimits
from hatch_sign.remote.retrying import parse_retry_after
from hatch_sign.values.errors import MalformedError, WitnessError
from hatch_sign_sigstore.rekor.entries import parse_answer, propose_entry, require_about
from hatch_sign_sigstore.rekor.proofs import require_proven

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hatch_sign.contract import BackendContext, WitnessRequest
    from hatch_sign.contract.witnesses import EvidenceKind
    from hatch_sign.remote.http_messages import Reply
    from hatch_sign_sigstore.rekor.trusted_logs import TrustedLog

LIMITS = NetworkLimits(connect=5.0, read=20.0, total=45.0, attempts=3)
"""For one entry, which a log takes up in a second or several."""
LARGEST_ANSWER = 1 << 20

_ENTRIES = "/api/v1/log/entries"
_OK, _CREATED, _CONFLICT = 200, 201, 409
_JSON = "application/json"
_ENTRY_ID = re.compile(r"[0-9a-f]{64,80}\Z")


@contextmanager
def open_log(address: str, logs: Sequence[TrustedLog], context: BackendContext) -> Iterator[Log]:
    """Lend the log at an http or https address; what it answers is believed where it is by one of `logs`."""
    yield Log(address, logs, context)


class Log:
    """A :class:`~hatch_sign.contract.Witness` that enters signatures in a public list. Asked from any thread."""

    kind: EvidenceKind = "log-entry"

    def __init__(self, address: str, logs: Sequence[TrustedLog], context: BackendContext) -> None:
        """Name it; entries of any of `logs` are believed, and `context` says whether the run is being given up."""
        self._address = address.rstrip("/")
        self._name = shown_address(address)
        self._logs = logs
        self._context = context

    def attest(self, request: WitnessRequest) -> Evidence:
        """Return the entry for the signature, made now, or there already where the very same was entered before.

        Raises WitnessError naming the address where it cannot be asked, refuses, or answers about something else.
        """
        question = Question(
            self._address + _ENTRIES,
            accept=_JSON,
            largest=LARGEST_ANSWER,
            body=propose_entry(request),
            content_type=_JSON,
        )
        reply = self._ask(question)
        if reply.status == _CONFLICT:
            reply = self._ask(replace(question, address=self._present_address(reply), body=None))
        try:
            entry = parse_answer(reply.body)
        except MalformedError as error:
            self._refuse(f"answered wrongly: {error.message}")
        evidence = Evidence("log-entry", encode_log_entry(entry))
        self.check(request, evidence)
        return evidence

    def check(self, request: WitnessRequest, evidence: Evidence) -> None:
        """Raise WitnessError unless a trusted log entered exactly this signature, and proves it."""
        if evidence.kind != self.kind:
            self._refuse("gives entries of a log, and this is none")
        try:
            entry = parse_log_entry(evidence.data)
            require_about(request, entry)
            require_proven(entry, self._logs)
        except MalformedError as error:
            self._refuse(f"gave an entry that does not hold: {error.message}")

    def _present_address(self, reply: Reply) -> str:
        """Return where the log has the entry that it was asked to make once more. Only the name in its answer is taken."""
        name = reply.headers.get("location", "").rpartition("/")[2]
        if not _ENTRY_ID.match(name):
            self._refuse("has the entry already, and does not say where")
        return f"{self._address}{_ENTRIES}/{name}"

    def _ask(self, question: Question) -> Reply:
        answer = ask(question, limits=LIMITS, stopped=lambda: self._context.stopped, judge=_judge)
        if isinstance(answer, Failure):
            self._refuse(answer.phrase, answer.remedy)
        return answer

    def _refuse(self, found: str, remedy: str = "") -> NoReturn:
        message = f"log {self._name} {found}"
        raise WitnessError(message, remedy=remedy) from None


def _judge(reply: Reply) -> Failure | None:
    if reply.status in {_OK, _CREATED, _CONFLICT}:
        return None
    asked_for = parse_retry_after(reply.headers.get("retry-after"), now=datetime.now(UTC))
    failure = classify_status(reply.status, retry_after=asked_for)
    if failure.kind.passes:
        return failure
    remedy = "check the address in `log`, which is that of a Rekor v1 without `/api/v1`"
    return Failure(FailureKind.INVALID, failure.code, "does not take the entry", remedy)
