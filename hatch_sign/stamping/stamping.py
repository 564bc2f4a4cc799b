"""Add timestamps to signatures that were made before: ask, check, and replace each file as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from hatch_sign.artifacts.parallel import READERS, SIGNERS, map_in_threads
from hatch_sign.artifacts.reading import open_artifact, read_digests
from hatch_sign.contract import Facts, TakesTimestamps
from hatch_sign.contract.guarding import guarded
from hatch_sign.contract.kinds import detached_verifier, signing_producer
from hatch_sign.stamping.inside import SignedInside, stamp_inside
from hatch_sign.storage.atomic import StagedFile, remove_stale_temporaries, stage_bytes, sync_folder
from hatch_sign.trust.proving import Proof, prove_time
from hatch_sign.values.artifacts import Subject
from hatch_sign.values.display import display
from hatch_sign.values.errors import (
    HatchSignError,
    MalformedError,
    PluginError,
    RejectedError,
    SigningError,
    UnsupportedError,
)
from hatch_sign.values.outcomes import REJECTING, Outcome, Verdict
from hatch_sign.values.public_keys import describe_key

if TYPE_CHECKING:
    from pathlib import Path

    from hatch_sign.artifacts.discovery import Artifact
    from hatch_sign.artifacts.reading import Reading
    from hatch_sign.stamping.asking import Stamping
    from hatch_sign.stamping.targets import Target
    from hatch_sign.verification.presence import Present

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StampingReport:
    """What a run did: an outcome for each signature file, and the errors that kept others as they were."""

    outcomes: tuple[Outcome, ...]
    failures: tuple[HatchSignError, ...]

    def raise_failure(self) -> None:
        """Raise the first error, saying how many more there are. Returns where there was none."""
        if not self.failures:
            return
        first, *others = self.failures
        if others:
            more = f"{len(others)} more {'is' if len(others) == 1 else 'are'} as before: --json tells why"
            first.remedy = "; ".join(filter(None, [first.remedy, more]))
        raise first


def stamp_release(
    targets: Sequence[Target | SignedInside],
    stamping: Stamping,
    *,
    on_done: Callable[[], None] = lambda: None,
    on_failure: Callable[[], None] = lambda: None,
) -> StampingReport:
    """Give each signature file in `targets`, and each signature inside an artifact, a timestamp, unless it has one.

    Of a signature that cannot be read, is over other bytes, or is by none of the known keys, nothing is touched. What is
    written was checked like the signature before, and takes its place in one step. After the first failure of an authority
    or the disk, nothing more is begun. `on_done` is called after each, `on_failure` when the run is given up while some of
    its threads may still wait. Raises UsageError for an artifact that cannot be read.
    """
    remove_stale_temporaries(_path(target).parent for target in targets)
    run = _Run(stamping, _read([target for target in targets if not isinstance(target, SignedInside)]), on_done)
    outcomes = map_in_threads(run.attempt, targets, threads=SIGNERS, on_failure=on_failure)
    return StampingReport(tuple(outcome for outcome in outcomes if outcome is not None), tuple(run.failures))


@dataclass
class _Run:
    stamping: Stamping
    readings: Mapping[Artifact, Reading]
    on_done: Callable[[], None]
    failures: list[HatchSignError] = field(default_factory=list)

    def attempt(self, target: Target | SignedInside) -> Outcome | None:
        """Return what became of one signature; None where it is as before."""
        if any(error.exit_code == HatchSignError.exit_code for error in self.failures):
            return None
        outcome = None
        try:
            outcome = stamp_inside(target, self.stamping) if isinstance(target, SignedInside) else self._stamp(target)
        except HatchSignError as error:
            self.failures.append(error)
        self.on_done()
        return outcome

    def _stamp(self, target: Target) -> Outcome:
        present = target.present
        producer = _producer(present)
        subjects = self._subjects(target)
        facts = self._check(present, present.parsed, subjects)
        proof = self._proof(present, facts)
        if facts.timestamps and not self.stamping.renew and (proof.time or not self.stamping.roots):
            return _outcome(present, subjects, facts, "has a timestamp already", proof)
        stamped = self.stamping.ask(facts)
        data = _call(present, lambda: producer.with_timestamps(present.data, [*facts.timestamps, stamped]))
        proof = self._replace(present, data, subjects, facts)
        return _outcome(present, subjects, facts, "timestamped", proof)

    def _subjects(self, target: Target) -> Sequence[Subject]:
        """Return the artifacts that the signature is over, as far as they are here."""
        present = target.present
        if present.problem:
            message = f"{display(present.path)}: it cannot be read as a signature: {present.problem}"
            raise MalformedError(message)
        names = detached_verifier(present.format).names(present.parsed)
        below = present.path.parent if present.format.kind == "aggregate" else None
        named = [(a, a.name if below is None else a.name_below(below)) for a in target.artifacts]
        subjects = [
            Subject(name, reading.identity.size, reading.digests, reading.head)
            for reading, name in ((self.readings[artifact], name) for artifact, name in named)
            if names is None or name in names
        ]
        if not subjects:
            message = f"{display(present.path)}: it is no signature of {display(named[0][1])}"
            raise RejectedError(message, remedy="name the artifacts that it is over")
        return subjects

    def _check(self, present: Present, parsed: Any, subjects: Sequence[Subject]) -> Facts:  # noqa: ANN401 - a format's own
        """Return the one signature, once it was found to be over all `subjects`. Raises RejectedError."""
        verifier = detached_verifier(present.format)
        findings = _call(present, lambda: verifier.check(parsed, subjects, self.stamping.keys))
        known: dict[bytes, Facts] = {}
        for subject in subjects:
            finding = findings[subject.name]
            if finding.problem is not None:
                found = f"{finding.problem.value} for {display(subject.name)}: {display(finding.detail)}"
                message = f"{display(present.path)} is {found}"
                remedy = (
                    "sign anew" if finding.problem in REJECTING else "name the key that made it, by --key or a trust rule"
                )
                raise RejectedError(message, remedy=remedy)
            known.update({facts.signature: facts for facts in finding.facts})
        if len(known) != 1:
            message = f"{display(present.path)} holds {len(known)} signatures, expected one"
            raise UnsupportedError(message)
        return next(iter(known.values()))

    def _proof(self, present: Present, facts: Facts) -> Proof:
        proof = prove_time(facts, roots=tuple(self.stamping.roots), at=self.stamping.now)
        if proof.broken:
            message = f"{display(present.path)}: {proof.broken}"
            raise MalformedError(message, remedy="sign anew: somebody changed it")
        return proof

    def _replace(self, present: Present, data: bytes, subjects: Sequence[Subject], before: Facts) -> Proof:
        """Put the new file in the place of the old one, after what is on the disk was found to be as good."""
        staged = stage_bytes(present.path, data)
        try:
            proof = self._checked(present, staged, subjects, before)
            _require_unchanged(present)
            staged.commit()
        except BaseException:
            staged.discard()
            raise
        sync_folder(present.path.parent)
        return proof

    def _checked(self, present: Present, staged: StagedFile, subjects: Sequence[Subject], before: Facts) -> Proof:
        parsed = _call(present, lambda: detached_verifier(present.format).parse(staged.read()))
        after = self._check(present, parsed, subjects)
        if after.signature != before.signature or len(after.timestamps) != len(before.timestamps) + 1:
            message = f"{display(present.path)}: what {present.format.name} made of it does not hold the timestamp"
            raise PluginError(message, remedy="report it to the author of the format; nothing was written")
        return self._proof(present, after)


def _path(target: Target | SignedInside) -> Path:
    return target.artifact.path if isinstance(target, SignedInside) else target.present.path


def _read(targets: Sequence[Target]) -> Mapping[Artifact, Reading]:
    """Read each artifact once, for all signatures over it."""
    needed: dict[Artifact, set[str]] = {}
    for target in targets:
        for artifact in target.artifacts:
            needed.setdefault(artifact, set()).update(target.present.hashes)
    readings = map_in_threads(lambda item: read_digests(item[0].path, item[1]), needed.items(), threads=READERS)
    return dict(zip(needed, readings, strict=True))


def _require_unchanged(present: Present) -> None:
    with open_artifact(present.path) as stream:
        if stream.read() == present.data:
            return
    message = f"{display(present.path)} changed while it was being timestamped"
    raise SigningError(message, remedy="let what writes it finish, then run again")


def _producer(present: Present) -> TakesTimestamps:
    producer = signing_producer(present.format)
    if not isinstance(producer, TakesTimestamps):
        message = f"{display(present.path)}: files of the format {present.format.name} take no timestamp later"
        raise UnsupportedError(message, remedy="sign anew, with `timestamp` configured")
    return producer


def _call(present: Present, call: Callable[[], T]) -> T:
    return guarded(present.format, str(present.path), call)


def _outcome(present: Present, subjects: Sequence[Subject], facts: Facts, detail: str, proof: Proof) -> Outcome:
    covers = subjects[0].name if present.format.kind == "sidecar" else present.path.name
    return Outcome(
        artifact=covers,
        signature=present.signature,
        format=present.format.name,
        verdict=Verdict.CONSISTENT,
        detail=detail,
        sidecar=str(present.path),
        signer=describe_key(facts.public_key),
        time=proof.time,
        warnings=tuple(filter(None, [proof.doubt])) if facts.timestamps and proof.time is None else (),
    )
