"""Add timestamps to signatures inside artifacts: ask, check, and replace each file as a whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from hatch_sign.artifacts.discovery import find_artifacts
from hatch_sign.artifacts.naming import owner_of
from hatch_sign.artifacts.reading import FileIdentity, is_unchanged, open_artifact
from hatch_sign.contract import TakesTimestampsInside
from hatch_sign.contract.guarding import guarded
from hatch_sign.contract.kinds import embedded_verifier, signing_producer
from hatch_sign.storage.atomic import StagedFile, stage_stream, sync_folder
from hatch_sign.trust.proving import Proof, prove_time
from hatch_sign.values.display import display
from hatch_sign.values.errors import MalformedError, PluginError, RejectedError, SigningError
from hatch_sign.values.outcomes import Outcome, Verdict
from hatch_sign.values.public_keys import describe_key
from hatch_sign.verification.embedded import check_embedded

if TYPE_CHECKING:
    from hatch_sign.artifacts.discovery import Artifact
    from hatch_sign.contract import Facts, Format
    from hatch_sign.stamping.asking import Stamping
    from hatch_sign.verification.presence import Shelf

_NOTHING_INSIDE = frozenset({Verdict.UNSIGNED, Verdict.NOT_APPLICABLE})
_KEPT = "left as it is: the signatures beside it are over these bytes, so stamp and sign them anew"


@dataclass(frozen=True, slots=True)
class SignedInside:
    """An artifact with signatures of an embedded format inside; `is_covered` says that others lie beside it."""

    artifact: Artifact
    format: Format
    is_covered: bool


def find_inside(paths: Sequence[str], *, formats: Mapping[str, Format], shelf: Shelf) -> tuple[SignedInside, ...]:
    """Return the artifacts in `paths` with signatures inside that take timestamps; those that are broken are among them."""
    embedded = [each for each in formats.values() if each.kind == "embedded"]
    found = [
        SignedInside(artifact, format_, bool([*shelf.sidecars(artifact), *shelf.shared(artifact)]))
        for format_ in embedded
        if isinstance(signing_producer(format_), TakesTimestampsInside)
        for path in paths
        if owner_of(Path(path).name, formats.values()) is None or not Path(path).is_file()
        for artifact in find_artifacts([path], formats.values())
        if _holds_something(artifact, format_)
    ]
    return tuple({(inside.artifact, inside.format.name): inside for inside in found}.values())


def stamp_inside(inside: SignedInside, stamping: Stamping) -> Outcome:
    """Give each signature in an artifact a timestamp, unless it has one, or all of them another where `stamping` renews.

    What is written was checked: it holds the same signatures, with the timestamps. Raises HatchSignError, the file as it
    was.
    """
    with open_artifact(inside.artifact.path) as source:
        before = _facts_in(inside, source)
        wanting = {each.signature: each for each in before if stamping.renew or not each.timestamps}
        if not wanting or inside.is_covered:
            proofs = [_proof(inside, each, stamping) for each in before]
            return _outcome(inside, before, _KEPT if wanting else "has a timestamp already", proofs)
        identity = FileIdentity.of(os.fstat(source.fileno()))
        staged = _stage(inside, source, stamping, wanting)
    try:
        with open_artifact(staged.temporary) as written:
            after = _facts_in(inside, written)
        proofs = [_proof(inside, each, stamping) for each in after]
        _require_stamped(inside, wanting, before, after)
        _commit(inside, staged, identity)
    finally:
        staged.discard()
    return _outcome(inside, after, "timestamped", proofs)


def _holds_something(artifact: Artifact, format_: Format) -> bool:
    with open_artifact(artifact.path) as source:
        return check_embedded(format_, artifact.name, source, ()).problem not in _NOTHING_INSIDE


def _facts_in(inside: SignedInside, source: BinaryIO) -> Sequence[Facts]:
    verifier = embedded_verifier(inside.format)
    finding = guarded(inside.format, str(inside.artifact.path), lambda: verifier.check(inside.artifact.name, source, ()))
    source.seek(0)
    if finding.problem is not None:
        message = f"{display(inside.artifact.path)} is {finding.problem.value}: {display(finding.detail)}"
        raise RejectedError(message, remedy="sign anew")
    return finding.facts


def _stage(inside: SignedInside, source: BinaryIO, stamping: Stamping, wanting: Mapping[bytes, Facts]) -> StagedFile:
    producer = signing_producer(inside.format)
    assert isinstance(producer, TakesTimestampsInside)  # noqa: S101 - tells mypy what `find_inside` chose by

    def choose(signature: bytes, present: Sequence[bytes]) -> Sequence[bytes]:
        return [*present, stamping.ask(wanting[signature])] if signature in wanting else present

    def write(target: BinaryIO) -> None:
        guarded(inside.format, str(inside.artifact.path), lambda: producer.embed_timestamps(source, target, choose))

    return stage_stream(inside.artifact.path, write)


def _require_stamped(
    inside: SignedInside, wanting: Mapping[bytes, Facts], before: Sequence[Facts], after: Sequence[Facts]
) -> None:
    expected = {each.signature: len(each.timestamps) + (each.signature in wanting) for each in before}
    if {each.signature: len(each.timestamps) for each in after} != expected:
        message = f"{display(inside.artifact.path)}: what {inside.format.name} made of it does not hold the timestamps"
        raise PluginError(message, remedy="report it to the author of the format; nothing was written")


def _commit(inside: SignedInside, staged: StagedFile, identity: FileIdentity) -> None:
    path = inside.artifact.path
    if not is_unchanged(path, identity):
        message = f"{display(path)} changed while it was being timestamped"
        raise SigningError(message, remedy="let what writes it finish, then run again")
    shutil.copymode(path, staged.temporary)
    staged.commit()
    sync_folder(path.parent)


def _proof(inside: SignedInside, facts: Facts, stamping: Stamping) -> Proof:
    proof = prove_time(facts, roots=tuple(stamping.roots), at=stamping.now)
    if proof.broken:
        message = f"{display(inside.artifact.path)}: {proof.broken}"
        raise MalformedError(message, remedy="sign anew: somebody changed it")
    return proof


def _outcome(inside: SignedInside, facts: Sequence[Facts], detail: str, proofs: Sequence[Proof]) -> Outcome:
    return Outcome(
        artifact=inside.artifact.name,
        signature=inside.format.name,
        format=inside.format.name,
        verdict=Verdict.CONSISTENT,
        detail=detail,
        signer=", ".join(dict.fromkeys(describe_key(each.public_key) for each in facts)),
        time=max((proof.time for proof in proofs if proof.time), default=None),
        warnings=tuple(dict.fromkeys(_doubts(facts, proofs))),
    )


def _doubts(facts: Sequence[Facts], proofs: Sequence[Proof]) -> Iterator[str]:
    for each, proof in zip(facts, proofs, strict=True):
        if each.timestamps and proof.time is None and proof.doubt:
            yield proof.doubt
