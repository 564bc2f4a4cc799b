"""Chains of trust, from artifacts to what vouches for them: those that differ in nothing but the artifact are one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hatch_sign.reporting.material import describe_certificate, describe_chain, fingerprint, instant, witnesses_of
from hatch_sign.reporting.model import CertificateEntry, ChainEntry, Node, WitnessEntry
from hatch_sign.values.outcomes import Verdict
from hatch_sign.values.public_keys import describe_key

if TYPE_CHECKING:
    from collections.abc import Hashable

    from cryptography.x509 import Certificate

    from hatch_sign.trust.policy import Policy
    from hatch_sign.values.grounds import Grounds
    from hatch_sign.values.outcomes import Outcome

_SHOWN = 3
"""Artifacts, and times, that a drawing names; how many more there are is said."""


@dataclass(slots=True)
class _Shared:
    """What one chain holds for."""

    outcome: Outcome
    grounds: Grounds
    places: list[tuple[str, str | None]] = field(default_factory=list)
    times: list[str] = field(default_factory=list)
    witnesses: list[tuple[WitnessEntry, ...]] = field(default_factory=list)


class Chains:
    """Collects the chains of a report. `kinds` tells the kind of each rule by its label."""

    def __init__(self, policy: Policy, kinds: Mapping[str, str]) -> None:
        self._policy = policy
        self._kinds = kinds
        self._found: dict[Hashable, _Shared] = {}
        self._numbers: dict[Hashable, int] = {}

    def add(self, outcome: Outcome, sha256: str | None) -> int | None:
        """Add the chain of a signature over an artifact with that digest, and return its number; None where it has none."""
        grounds = outcome.grounds
        if grounds is None:
            return None
        judged = outcome.verdict is Verdict.TRUSTED and self._kinds.get(grounds.rule) == "identity"
        witnesses = tuple(witnesses_of(grounds, self._policy, logs_are_judged=judged))
        identity = _identity(outcome, grounds, witnesses)
        shared = self._found.setdefault(identity, _Shared(outcome, grounds))
        shared.places.append((outcome.place, sha256 if outcome.member is None else None))
        shared.witnesses.append(witnesses)
        if outcome.time is not None:
            shared.times.append(instant(outcome.time))
        return self._numbers.setdefault(identity, len(self._found))

    def entries(self) -> tuple[ChainEntry, ...]:
        """Return the chains, in the order in which they were met."""
        return tuple(self._entry(number, shared) for number, shared in enumerate(self._found.values(), start=1))

    def _entry(self, number: int, shared: _Shared) -> ChainEntry:
        outcome, grounds = shared.outcome, shared.grounds
        key_sha256 = fingerprint(grounds.public_key)
        carried = self._certificates(grounds)
        chain = describe_chain(carried, complete=bool(grounds.chain))
        unused = tuple(
            describe_certificate(each, "brought along, not asked for")
            for each in grounds.certificates
            if each not in carried
        )
        witnesses = tuple(_merged(same) for same in zip(*shared.witnesses, strict=True))
        key = describe_key(grounds.public_key)
        nodes = (
            _artifacts(shared.places),
            _signature(shared),
            *_signer(chain, key, key_sha256),
            _end(outcome, grounds),
            *(_witness(each) for each in witnesses),
        )
        return ChainEntry(
            number=number,
            trusted=outcome.verdict is Verdict.TRUSTED,
            title=f"{outcome.format}, {outcome.verdict.value}: {outcome.signer or f'key {key_sha256[:16]}…'}",
            key=key,
            key_sha256=key_sha256,
            scheme=grounds.scheme.label,
            rule=grounds.rule,
            nodes=nodes,
            certificates=(*chain, *unused),
            witnesses=witnesses,
        )

    def _certificates(self, grounds: Grounds) -> Sequence[Certificate]:
        """Return the certificates that the verdict rests on, or that say who it might have been."""
        if grounds.chain:
            return grounds.chain
        return () if self._kinds.get(grounds.rule) == "key" else grounds.certificates


def _identity(outcome: Outcome, grounds: Grounds, witnesses: Sequence[WitnessEntry]) -> Hashable:
    refused = "" if outcome.verdict is Verdict.TRUSTED else outcome.detail
    seen = tuple((each.kind, each.by, each.doubt) for each in witnesses)
    how = (outcome.format, outcome.verdict, outcome.signer, refused, grounds.rule, grounds.scheme)
    return (*how, fingerprint(grounds.public_key), grounds.chain, grounds.certificates, seen)


def _merged(same: Sequence[WitnessEntry]) -> WitnessEntry:
    """Return one entry for what the same witness said of many signatures."""
    return replace(same[0], times=tuple(dict.fromkeys(time for each in same for time in each.times)))


def _artifacts(places: Sequence[tuple[str, str | None]]) -> Node:
    lines = []
    for place, sha256 in places[:_SHOWN]:
        lines.append(place)
        if sha256 is not None:
            lines.append(f"SHA-256 {sha256}")
    more = len(places) - _SHOWN
    title = "Artifact" if len(places) == 1 else f"{len(places)} artifacts"
    return Node("artifact", title, (*lines, f"and {more} more") if more > 0 else tuple(lines))


def _signature(shared: _Shared) -> Node:
    times = f"proven at {_span(shared.times)}" if shared.times else "no proven time"
    lines = (f"{shared.outcome.format}, {shared.grounds.scheme.label}", times)
    title = "Signature" if len(shared.places) == 1 else "Signatures"
    return Node("signature", title, lines, how="covered by")


def _span(times: Sequence[str]) -> str:
    first, last = min(times), max(times)
    return first if first == last else f"{first} to {last}"


def _signer(chain: Sequence[CertificateEntry], key: str, key_sha256: str) -> Iterator[Node]:
    yield Node("key", "Key", (key, f"SHA-256 {key_sha256}"), how="made with")
    for entry in chain:
        title = {"signer": "Signer's certificate", "root": "Root"}.get(entry.role, "Issuer's certificate")
        lines = (entry.subject, f"until {entry.ends}", f"SHA-256 {entry.sha256}")
        how = "certified by" if entry.role == "signer" else "issued by"
        yield Node("root" if entry.role == "root" else "certificate", title, lines, how=how)


def _end(outcome: Outcome, grounds: Grounds) -> Node:
    if outcome.verdict is Verdict.TRUSTED:
        return Node("rule", "Trust rule", (grounds.rule,), how="trusted by")
    return Node("refusal", f"Refused: {outcome.verdict.value}", (outcome.detail,), how="not vouched for")


def _witness(entry: WitnessEntry) -> Node:
    times = [f"at {time}" if entry.kind == "timestamp" else time for time in entry.times[:_SHOWN]]
    more = len(entry.times) - _SHOWN
    lines = [entry.by, *times, *([f"and {more} more"] if more > 0 else [])]
    believed = f"not believed: {entry.doubt}" if entry.doubt else "believed"
    title = "Timestamp authority" if entry.kind == "timestamp" else "Transparency log"
    return Node("witness", title, (*lines, believed), how="time vouched for by")
