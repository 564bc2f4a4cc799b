"""The witnesses of a run: timestamp authorities, asked in order until one answers with what holds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hatch_sign.contract import Facts
from hatch_sign.values.errors import WitnessError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from hatch_sign.configuration.model import Configuration
    from hatch_sign.contract import BackendContext, Evidence, Finding, Witness, WitnessRequest
    from hatch_sign.contract.witnesses import EvidenceKind
    from hatch_sign.registry import Registry

MOST_FAILURES = 3
"""Failures in a row after which a witness is not asked again in a run, so that each artifact does not wait for it anew."""

_UNCHECKED = "`timestamp-roots` is not configured: nobody checks whether the timestamps are by an authority to be trusted"


def attested(witness: Witness, request: WitnessRequest) -> Evidence | None:
    """Return checked evidence; None where a witness that may fail has none. Raises WitnessError."""
    if isinstance(witness, MayFail):
        return witness.try_attest(request)
    evidence = witness.attest(request)
    witness.check(request, evidence)
    return evidence


def is_witnessed(facts: Facts, witnesses: Iterable[Witness]) -> bool:
    """Return whether a signature holds evidence of the kind of each of `witnesses`, whatever it is worth."""
    return all(_holds(facts, witness.kind) for witness in witnesses)


def missing_evidence(facts: Facts, witnesses: Iterable[Witness]) -> EvidenceKind | None:
    """Return the kind of a witness that may not fail and of which a signature holds nothing; None where there is none."""
    needed = (witness.kind for witness in witnesses if not isinstance(witness, MayFail))
    return next((kind for kind in needed if not _holds(facts, kind)), None)


def _holds(facts: Facts, kind: EvidenceKind) -> bool:
    return bool(facts.timestamps if kind == "timestamp" else facts.log_entries)


@dataclass(slots=True)
class FirstThatAnswers:
    """Several witnesses of one kind as one: the next is asked where one fails or answers wrongly.

    One that has failed several times in a row is passed over from then on; `warn` is told so, once.
    """

    witnesses: Sequence[Witness]
    warn: Callable[[str], None] = lambda _: None
    _failures: dict[int, int] = field(default_factory=dict)
    _given_up: dict[int, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def kind(self) -> EvidenceKind:
        """The kind that they share."""
        return self.witnesses[0].kind

    def attest(self, request: WitnessRequest) -> Evidence:
        """Return the first evidence that holds. Raises WitnessError naming what each of them did."""
        failures, remedies = [], []
        for number, witness in enumerate(self.witnesses):
            failure = self._given_up.get(number, "")
            if not failure:
                try:
                    evidence = witness.attest(request)
                    witness.check(request, evidence)
                except WitnessError as error:
                    failure = error.message
                    remedies.append(error.remedy)
                except Exception as error:  # noqa: BLE001 - one that breaks the contract must not keep the next from being asked
                    failure = type(error).__name__
                else:
                    self._failures[number] = 0
                    return evidence
                self._count(number, failure)
            failures.append(failure)
        message = "no witness vouched for the signature: " + "; ".join(failures)
        raise WitnessError(message, remedy="; ".join(dict.fromkeys(filter(None, remedies))))

    def check(self, request: WitnessRequest, evidence: Evidence) -> None:
        """Raise WitnessError unless one of them stands by the evidence."""
        for witness in self.witnesses:
            try:
                witness.check(request, evidence)
            except WitnessError:
                continue
            return
        message = "the evidence is not by any of the configured witnesses"
        raise WitnessError(message)

    def _count(self, number: int, failure: str) -> None:
        with self._lock:
            self._failures[number] = self._failures.get(number, 0) + 1
            ends = self._failures[number] >= MOST_FAILURES and number not in self._given_up
            if ends:
                self._given_up[number] = failure
        if ends and len(self.witnesses) > 1:
            self.warn(f"{failure}; after {MOST_FAILURES} such failures in a row, it is not asked again in this run")


@dataclass(frozen=True, slots=True)
class Believed:
    """A timestamp authority whose answers count only if the configured roots vouch for it, as they will for verifiers."""

    witness: Witness
    roots: tuple[Certificate, ...]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def kind(self) -> EvidenceKind:
        """What sort of evidence it gives."""
        return self.witness.kind

    def attest(self, request: WitnessRequest) -> Evidence:
        """Ask for evidence. Raises WitnessError when it cannot be had."""
        return self.witness.attest(request)

    def check(self, request: WitnessRequest, evidence: Evidence) -> None:
        """Raise WitnessError unless the evidence holds, and proves a time under the roots."""
        self.witness.check(request, evidence)
        if evidence.kind != "timestamp":
            return
        from hatch_sign.trust.proving import prove_time  # noqa: PLC0415 - where timestamps are made only

        facts = Facts(request.public_key, request.scheme, request.signature, timestamps=(evidence.data,))
        proof = prove_time(facts, roots=self.roots, at=self.clock())
        if proof.time is None:
            message = f"an authority answered, and nobody will believe it: {proof.broken or proof.doubt}"
            raise WitnessError(message, remedy="see `timestamp` and `timestamp-roots` in the configuration")


@dataclass(frozen=True, slots=True)
class MayFail:
    """A witness without which it goes on, with a warning."""

    witness: Witness
    context: BackendContext

    @property
    def kind(self) -> EvidenceKind:
        """What sort of evidence it gives."""
        return self.witness.kind

    def attest(self, request: WitnessRequest) -> Evidence:
        """Ask for evidence. Raises WitnessError when it cannot be had."""
        return self.witness.attest(request)

    def check(self, request: WitnessRequest, evidence: Evidence) -> None:
        """Raise WitnessError unless the evidence vouches for exactly this signature."""
        self.witness.check(request, evidence)

    def try_attest(self, request: WitnessRequest) -> Evidence | None:
        """Return checked evidence, or None after a warning. Raises WitnessError only while the run is being given up."""
        try:
            return attested(self.witness, request)
        except WitnessError as error:
            if self.context.stopped:
                raise
            self.context.warn(f"{error}; signed without a timestamp, as `timestamp-optional` allows")
            return None


class Timestamping:
    """The timestamp authorities of a run: each is connected once, however many signatures name it."""

    def __init__(self, configuration: Configuration, registry: Registry, context: BackendContext, stack: ExitStack) -> None:
        """Connect nothing yet; what is connected later is closed with `stack`."""
        self._roots = configuration.verify.timestamp_roots
        self._registry = registry
        self._context = context
        self._stack = stack
        self._authorities: dict[str, Witness] = {}
        self._loaded: tuple[Certificate, ...] | None = None

    def witnesses(self, addresses: Sequence[str], *, optional: bool = False) -> tuple[Witness, ...]:
        """Return the authorities at `addresses`, which are tried in order, as one witness; none without addresses.

        Raises ConfigurationError for roots that cannot be read.
        """
        if not addresses:
            return ()
        first = FirstThatAnswers([self._authority(address) for address in addresses], self._context.warn)
        return (MayFail(first, self._context),) if optional else (first,)

    def proven(self, findings: Iterable[Finding]) -> datetime | None:
        """Return the earliest instant that timestamps of this run prove under the configured roots; None without roots."""
        if not self._loaded:
            return None
        from hatch_sign.trust.proving import prove_time  # noqa: PLC0415 - where timestamps are made only

        at = datetime.now(UTC)
        times = [prove_time(facts, roots=self._loaded, at=at).time for found in findings for facts in found.facts]
        return min((time for time in times if time is not None), default=None)

    def _authority(self, address: str) -> Witness:
        if address not in self._authorities:
            provider = self._registry.witness("rfc3161")
            connected = self._stack.enter_context(provider.connect(address, self._context))
            roots = self._load_roots()
            self._authorities[address] = Believed(connected, roots) if roots else connected
        return self._authorities[address]

    def _load_roots(self) -> tuple[Certificate, ...]:
        if self._roots is None:
            self._context.warn(_UNCHECKED)
            return ()
        if self._loaded is None:
            from hatch_sign.configuration.building import load_timestamp_roots  # noqa: PLC0415 - where timestamps are made only

            self._loaded = load_timestamp_roots(self._roots)
        return self._loaded
