"""Verify artifacts under a policy: parse what is there, read each artifact once, check, judge."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_sign.archives.kinds import is_opened
from hatch_sign.artifacts.discovery import Artifact
from hatch_sign.artifacts.parallel import READERS, map_in_threads
from hatch_sign.artifacts.reading import NO_READINGS, Reading, Readings, is_unchanged, open_and_read
from hatch_sign.configuration.model import ContentsSettings
from hatch_sign.contract import Finding
from hatch_sign.contract.kinds import detached_verifier, manifest_verifier
from hatch_sign.trust.policy import Policy, judge
from hatch_sign.values.artifacts import HEAD, Subject
from hatch_sign.values.display import display
from hatch_sign.values.errors import MalformedError, SigningError
from hatch_sign.values.outcomes import Outcome, Verdict
from hatch_sign.values.public_keys import mark_signature
from hatch_sign.verification.embedded import check_embedded, embedded_formats, failed
from hatch_sign.verification.grounds import grounds_of
from hatch_sign.verification.names import settle_name
from hatch_sign.verification.presence import Present, Shelf
from hatch_sign.verification.reports import ArtifactReport, conclude

if TYPE_CHECKING:
    from hatch_sign.contract import Format
    from hatch_sign.values.public_keys import PublicKey
    from hatch_sign.verification.inside import Inside

_SHARED = frozenset({"aggregate", "manifest"})
_NOTHING_INSIDE = frozenset({Verdict.NOT_APPLICABLE, Verdict.UNSIGNED})
_OF_ANOTHER = Finding(problem=Verdict.MALFORMED, detail="it speaks of an artifact of another name")


def verify_release(  # noqa: PLR0913 - all but the first three may be left out
    artifacts: Sequence[Artifact],
    *,
    policy: Policy,
    formats: Mapping[str, Format],
    folder: Path | None = None,
    signatures: Container[str] = (),
    bundles: Sequence[Present] = (),
    contents: ContentsSettings | None = None,
    hashes: Collection[str] = (),
    readings: Readings = NO_READINGS,
    on_done: Callable[[], None] = lambda: None,
) -> tuple[ArtifactReport, ...]:
    """Return a report for each artifact.

    Wheels and zip applications are looked into where `contents` says what is signed there, or where an embedded format is
    required; then every file in them is held against RECORD, too.
    `folder` is where sidecars lie if not beside their artifacts, `signatures` are the names that signatures may have;
    `bundles` are signature files that the user named, which are looked at in place of those; `hashes` are wanted of each
    artifact, whatever its signatures need; one that `readings` still tell of is not read again. Raises UsageError for an
    artifact that cannot be read, SigningError for one that changed while it was read, PluginError where a format lacks a
    package that it needs; everything else becomes an outcome.
    """
    shelf = Shelf(formats, folder, signatures)
    return _Verification(policy, formats, shelf, bundles, contents, hashes, readings, on_done).of(artifacts)


@dataclass
class _Verification:
    policy: Policy
    formats: Mapping[str, Format]
    shelf: Shelf
    bundles: Sequence[Present]
    contents: ContentsSettings | None
    hashes: Collection[str]
    readings: Readings
    on_done: Callable[[], None]
    subjects: dict[Artifact, Subject] = field(default_factory=dict)
    believed: dict[Artifact, Reading] = field(default_factory=dict)
    present: dict[Artifact, list[Present]] = field(default_factory=dict)
    embedded: dict[Artifact, list[tuple[Format, Finding]]] = field(default_factory=dict)
    originals: dict[tuple[Artifact, bytes], Path] = field(default_factory=dict)
    signed_lists: dict[Path, list[tuple[Present, Finding]]] = field(default_factory=dict)

    def of(self, artifacts: Sequence[Artifact]) -> tuple[ArtifactReport, ...]:
        for artifact in artifacts:
            self.present[artifact] = self._present(artifact)
        self.subjects = dict(zip(artifacts, map_in_threads(self._read, artifacts, threads=READERS), strict=True))
        shared = self._check_shared(artifacts)
        reports = tuple(self._report(artifact, shared) for artifact in artifacts)
        for artifact, reading in self.believed.items():
            if not is_unchanged(artifact.path, reading.identity):
                message = f"{display(artifact.path)} changed while it was being verified"
                raise SigningError(message, remedy="let what writes it finish, then run again")
        return reports

    def _present(self, artifact: Artifact) -> list[Present]:
        if self.bundles:
            return list(self.bundles)
        sidecars = self.shelf.sidecars(artifact)
        return [*sidecars, *self.shelf.shared(artifact)]

    def _read(self, artifact: Artifact) -> Subject:
        hashes = {*self.hashes, *(name for present in self.present[artifact] for name in present.hashes)}
        with open_and_read(artifact.path, hashes, self.readings) as (stream, reading):
            self.embedded[artifact] = [
                (format_, check_embedded(format_, artifact.name, stream, self._keys()))
                for format_ in self.formats.values()
                if format_.kind == "embedded"
            ]
        self.believed[artifact] = reading
        self.on_done()
        return reading.subject(artifact.name)

    def _check_shared(self, artifacts: Sequence[Artifact]) -> Mapping[tuple[Path, Artifact], Finding]:
        """Check each aggregate and manifest once, for all the artifacts that it may cover."""
        covered: dict[Path, tuple[Present, list[Artifact]]] = {}
        for artifact in artifacts:
            for present in self.present[artifact]:
                if present.format.kind in _SHARED and not present.problem:
                    covered.setdefault(present.path, (present, []))[1].append(artifact)
        return {key: finding for present, among in covered.values() for key, finding in self._check_one(present, among)}

    def _check_one(self, present: Present, artifacts: Sequence[Artifact]) -> Iterator[tuple[tuple[Path, Artifact], Finding]]:
        """Check one shared file: at once for artifacts of different names, one by one for those that share a name."""
        named: dict[str, list[Artifact]] = {}
        for artifact in artifacts:
            named.setdefault(artifact.name_below(present.path.parent), []).append(artifact)
        rounds = [[(name, namesakes[turn]) for name, namesakes in named.items() if turn < len(namesakes)]
                  for turn in range(max(map(len, named.values()), default=0))]  # fmt: skip
        for pairs in rounds:
            subjects = [replace(self.subjects[a], name=name) for name, a in pairs]
            findings = _check(present, subjects, self._keys())
            for name, artifact in pairs:
                yield (present.path, artifact), findings.get(name, Finding(problem=Verdict.UNSIGNED))

    def _report(self, artifact: Artifact, shared: Mapping[tuple[Path, Artifact], Finding]) -> ArtifactReport:
        outcomes = [
            outcome
            for present in self.present[artifact]
            for outcome in self._outcomes(artifact, present, shared.get((present.path, artifact)))
        ]
        inside = self._inside(artifact)
        outcomes += [*self._embedded(artifact, {outcome.format for outcome in inside}), *inside]
        embedded = {name for name, format_ in self.formats.items() if format_.kind == "embedded"}
        report = conclude(artifact, settle_name(artifact, outcomes), self.policy.require, embedded)
        return replace(report, subject=self.subjects[artifact])

    def _outcomes(self, artifact: Artifact, present: Present, shared: Finding | None) -> Iterator[Outcome]:
        if present.problem:
            yield _outcome(artifact, present, Verdict.MALFORMED, present.problem)
        elif present.format.kind == "manifest":
            yield from self._listed(artifact, present, shared or Finding())
        elif present.format.kind == "aggregate":
            if shared is not None and shared.problem is not Verdict.UNSIGNED:  # it does not speak of this artifact
                yield self._judged(artifact, present, shared)
        else:
            subject = self.subjects[artifact]
            finding = _check(present, [subject], self._keys()).get(subject.name, _OF_ANOTHER)
            yield self._judged(artifact, present, finding)

    def _listed(self, artifact: Artifact, manifest: Present, listed: Finding) -> Iterator[Outcome]:
        """Judge a list of checksums: what it says of the artifact, then who signed the list."""
        if listed.problem is Verdict.UNSIGNED:
            return
        if listed.problem is not None:
            yield _outcome(artifact, manifest, listed.problem, listed.detail)
            return
        for sidecar, finding in self._who_signed(manifest):
            # The signature is over the list, and what it vouches for is the artifact: rules are asked about that.
            judged = self._judged(artifact, manifest, finding)
            detail = f"{sidecar.path.name}: {judged.detail}" if judged.verdict is Verdict.MALFORMED else judged.detail
            yield replace(judged, detail=detail, covers_name=True, over_list=str(sidecar.path))

    def _who_signed(self, manifest: Present) -> Sequence[tuple[Present, Finding]]:
        """Check the sidecars of a list, once for all that it lists, over the very bytes that were parsed."""
        if manifest.path not in self.signed_lists:
            itself = Artifact(manifest.path, manifest.path.parent)
            self.signed_lists[manifest.path] = [
                (sidecar, self._check_list(itself.name, manifest.data, sidecar)) for sidecar in self.shelf.sidecars(itself)
            ]
        return self.signed_lists[manifest.path]

    def _check_list(self, name: str, data: bytes, sidecar: Present) -> Finding:
        if sidecar.problem:
            return Finding(problem=Verdict.MALFORMED, detail=sidecar.problem)
        digests = {hash_: hashlib.new(hash_, data).digest() for hash_ in sidecar.hashes}
        subject = Subject(name, len(data), digests, data[:HEAD])
        return _check(sidecar, [subject], self._keys()).get(name, Finding(problem=Verdict.UNSIGNED))

    def _judged(self, artifact: Artifact, present: Present, finding: Finding) -> Outcome:
        judged = judge(self.policy, finding, artifact=artifact.name, format=present.format.name, signature=present.signature)
        outcome = replace(_outcome(artifact, present, judged.verdict, judged.detail), grounds=grounds_of(judged))
        for facts in finding.facts:
            mark = mark_signature(facts.signature, facts.scheme)
            original = self.originals.setdefault((artifact, mark), present.path)
            if original != present.path:  # else one signature, copied, could stand for two that are required
                return replace(outcome, verdict=Verdict.MALFORMED, detail=f"a copy of the signature in {original.name}")
        covers_name = any(facts.claims_name for facts in finding.facts)
        claims = [facts.claim for facts in finding.facts] if judged.verdict is Verdict.TRUSTED else []
        return replace(
            outcome,
            detail="; ".join(filter(None, [judged.detail, *claims])),
            signer=judged.signer,
            time=judged.time,
            warnings=judged.warnings,
            covers_name=covers_name,
        )

    def _embedded(self, artifact: Artifact, inside: Container[str]) -> Iterable[Outcome]:
        """Judge what is embedded in the artifact itself; that nothing is, is said of what is not signed `inside` either."""
        left_out = self._left_out(artifact)
        for format_, finding in self.embedded[artifact]:
            present = Present(artifact.path, format_, format_.name)
            wanted = format_.name in self.policy.require and format_.name not in inside
            if format_.name in left_out:
                yield _outcome(artifact, present, Verdict.NOT_APPLICABLE, "excluded in `contents`")
            elif finding.problem not in _NOTHING_INSIDE or wanted:
                yield self._judged(artifact, present, finding)

    def _left_out(self, artifact: Artifact) -> Container[str]:
        """Return the formats that the configuration keeps away from the artifact, a plain file."""
        if self.contents is None or not self.contents.leaves_out(artifact.name_below(artifact.root)):
            return ()
        return self.contents.formats

    def _inside(self, artifact: Artifact) -> list[Outcome]:
        """Judge what is embedded in the members of an archive; one outcome for an archive that is not well-formed."""
        formats = embedded_formats(self.formats, self.contents, self.policy.require)
        if not formats or not is_opened(artifact.name):
            return []
        from hatch_sign.verification.inside import find_inside  # noqa: PLC0415 - loads zipfile, where something is inside only

        contents = self.contents or ContentsSettings()
        try:
            checked = self.believed[artifact].members_checked
            found = find_inside(artifact, contents, formats, self._keys(), members_checked=checked)
        except MalformedError as error:
            return [Outcome(artifact.name, "contents", "contents", Verdict.MALFORMED, detail=error.message)]
        return [self._judged_inside(artifact, each) for each in found]

    def _judged_inside(self, artifact: Artifact, inside: Inside) -> Outcome:
        name = inside.format.name
        judged = judge(self.policy, inside.finding, artifact=artifact.name, format=name, signature=name)
        return Outcome(
            artifact=artifact.name,
            signature=name,
            format=name,
            verdict=judged.verdict,
            detail=judged.detail,
            member=inside.member,
            signer=judged.signer,
            time=judged.time,
            warnings=judged.warnings,
            grounds=grounds_of(judged),
        )

    def _keys(self) -> Sequence[PublicKey]:
        return self.policy.keys


def _check(present: Present, subjects: Sequence[Subject], keys: Sequence[PublicKey]) -> Mapping[str, Finding]:
    """Call a format's verifier, which should never raise; one that does has found nothing that anybody should trust."""
    try:
        if present.format.kind == "manifest":
            return manifest_verifier(present.format).check(present.parsed, subjects)
        verifier = detached_verifier(present.format)
        names = verifier.names(present.parsed)
        covered = [subject for subject in subjects if names is None or subject.name in names]
        return verifier.check(present.parsed, covered, keys)
    except Exception as error:  # noqa: BLE001 - a plugin's bug must end in a verdict, not in a trace
        return dict.fromkeys((subject.name for subject in subjects), failed(present.format, error))


def _outcome(artifact: Artifact, present: Present, verdict: Verdict, detail: str = "") -> Outcome:
    return Outcome(
        artifact=artifact.name,
        signature=present.signature,
        format=present.format.name,
        verdict=verdict,
        detail=detail,
        sidecar=None if present.format.kind == "embedded" else str(present.path),
    )
