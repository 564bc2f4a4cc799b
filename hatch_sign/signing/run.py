"""A whole run: open the keys, read each artifact once, sign, check what was staged, and put it in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_sign.artifacts.parallel import map_in_threads
from hatch_sign.artifacts.reading import FileIdentity, Reading, is_unchanged, open_artifact, read_digests
from hatch_sign.contract.kinds import manifest_producer
from hatch_sign.signing.benches import Benches
from hatch_sign.signing.existing import Overwrite, hashes_of_existing, read_existing, refuse_conflicts
from hatch_sign.signing.staging import StagingArea
from hatch_sign.signing.work import embed_signature, is_ours, make_aggregate, make_sidecar, require_consistent
from hatch_sign.storage.atomic import remove_stale_temporaries
from hatch_sign.values.artifacts import Subject
from hatch_sign.values.display import display
from hatch_sign.values.errors import HatchSignError, SigningError
from hatch_sign.values.outcomes import Outcome, Verdict

if TYPE_CHECKING:
    from hatch_sign.artifacts.discovery import Artifact
    from hatch_sign.contract import BackendContext
    from hatch_sign.registry import Registry
    from hatch_sign.signing.plan import PlannedFile, SigningPlan

WORKERS = 16
"""Threads that sign: most wait at a key's gate or for a witness, so there are more than cores."""

READERS = 4
"""Threads that read and hash."""


@dataclass(frozen=True, slots=True)
class SigningReport:
    """What a run made: an outcome for each file, and the errors that kept others from being made."""

    outcomes: tuple[Outcome, ...]
    failures: tuple[HatchSignError, ...]
    signing_calls: int

    def raise_failure(self) -> None:
        """Raise the first error, saying how much was done in spite of it. Returns where there was none."""
        if not self.failures:
            return
        first = self.failures[0]
        if self.outcomes:
            done = len({outcome.artifact for outcome in self.outcomes})
            first.remedy = "; ".join(filter(None, [first.remedy, f"{done} artifacts are signed, run again for the rest"]))
        raise first


def sign_release(
    plan: SigningPlan,
    *,
    registry: Registry,
    context: BackendContext,
    now: datetime,
    overwrite: Overwrite = Overwrite.REFUSE,
    on_done: Callable[[], None] = lambda: None,
) -> SigningReport:
    """Carry out `plan`: each key is opened once, each artifact read once, and nothing unchecked gets a name.

    Artifacts whose signatures are all made and checked are committed even where others fail; aggregates only where none
    does. Raises HatchSignError, with nothing written, for what is wrong before the first signature.
    """
    remove_stale_temporaries(file.path.parent for file in plan.files)
    _make_folders(plan)
    with ExitStack() as stack:
        benches = Benches(plan, registry, context, now, stack)
        staging = stack.enter_context(StagingArea())
        return _Run(plan, benches, staging, overwrite, on_done).carry_out()


@dataclass
class _Run:
    plan: SigningPlan
    benches: Benches
    staging: StagingArea
    overwrite: Overwrite
    on_done: Callable[[], None]
    originals: dict[Artifact, FileIdentity] = field(default_factory=dict)
    readings: dict[Artifact, Reading] = field(default_factory=dict)
    existing: dict[Path, bytes | None] = field(default_factory=dict)
    outcomes: dict[Path, Outcome] = field(default_factory=dict)
    failed: dict[Artifact | None, HatchSignError] = field(default_factory=dict)

    def carry_out(self) -> SigningReport:
        self.originals = {artifact: FileIdentity.of(artifact.path.lstat()) for artifact in self.plan.artifacts}
        for file in self.plan.of_kind("embedded"):
            self._attempt(file, lambda file=file: self._embed(file))  # type: ignore[misc] # bound now, not later
        self._read()
        self._write_manifests()
        pending = self._sort_out()
        map_in_threads(self._sign, [file for file in pending if _is_plain_sidecar(file)], threads=WORKERS)
        if not self.failed:
            for file in pending:
                if not _is_plain_sidecar(file):
                    self._sign(file)
        self._commit()
        return SigningReport(tuple(self.outcomes.values()), tuple(self.failed.values()), self.benches.calls)

    def _embed(self, file: PlannedFile) -> None:
        artifact, bench = file.artifacts[0], self.benches.of(file)
        older, signed = self.staging.find(artifact.path), False

        def write(target: object) -> None:
            nonlocal signed
            with open_artifact(older.temporary if older else artifact.path) as source:
                signed = embed_signature(bench, artifact.name, source, target)  # type: ignore[arg-type] # a file on disk

        staged = self.staging.add_stream(artifact.path, write)
        if not signed and older is None:
            self.staging.drop(staged.target)
        verdict = Verdict.CONSISTENT if signed else Verdict.NOT_APPLICABLE
        self.outcomes[artifact.path] = Outcome(
            artifact.name, file.settings.name or file.format.name, file.format.name, verdict, signer=bench.signer_name
        )

    def _read(self) -> None:
        needed: dict[Artifact, set[str]] = {}
        for file in self.plan.files:
            if file.format.kind == "embedded":
                continue
            self.existing[file.path] = read_existing(file.path)
            for artifact in file.artifacts:
                needed.setdefault(artifact, set()).update(self._hashes(file))
        readings = map_in_threads(lambda item: read_digests(self._source(item[0]), item[1]), needed.items(), threads=READERS)
        self.readings = dict(zip(needed, readings, strict=True))

    def _hashes(self, file: PlannedFile) -> frozenset[str]:
        if file.format.kind == "manifest":
            return manifest_producer(file.format).digests()
        bench = self.benches.of(file)
        return bench.hashes | hashes_of_existing(bench, self.existing[file.path])

    def _source(self, artifact: Artifact) -> Path:
        staged = self.staging.find(artifact.path)
        return staged.temporary if staged else artifact.path

    def _write_manifests(self) -> None:
        for file in self.plan.of_kind("manifest"):
            listing = manifest_producer(file.format).list(self._subjects(file))
            if self.existing[file.path] != listing:
                self.staging.add(file.path, listing)

    def _sort_out(self) -> list[PlannedFile]:
        """Return the files to be signed; those that are good already become outcomes."""
        conflicts, pending = [], []
        for file in self.plan.files:
            if file.format.kind == "embedded":
                continue
            present = self.existing[file.path]
            if file.format.kind == "manifest":
                if present is not None and self.overwrite is Overwrite.REFUSE and self.staging.find(file.path):
                    conflicts.append(file.path)
                continue
            if present is not None and self.overwrite is not Overwrite.ALWAYS:
                if is_ours(self.benches.of(file), present, self._subjects(file)):
                    self._record(file, "already signed by this key")
                    continue
                if self.overwrite is Overwrite.REFUSE:
                    conflicts.append(file.path)
            pending.append(file)
        refuse_conflicts(conflicts)
        return pending

    def _sign(self, file: PlannedFile) -> None:
        if self.failed and _stops_all(self.failed.values()):
            self.failed.setdefault(_owner(file), next(iter(self.failed.values())))
            return
        self._attempt(file, lambda: self._make(file))
        self.on_done()

    def _attempt(self, file: PlannedFile, work: Callable[[], None]) -> None:
        try:
            work()
        except HatchSignError as error:
            self.failed.setdefault(_owner(file), error)

    def _make(self, file: PlannedFile) -> None:
        bench, subjects = self.benches.of(file), self._subjects(file)
        if file.format.kind == "sidecar":
            made = make_sidecar(bench, subjects[0])
        else:
            made = make_aggregate(bench, file.path.name, subjects)
        staged = self.staging.add(file.path, made.data)
        require_consistent(bench, replace(made, data=staged.read()), subjects, what="what was written")
        self._record(file, "signed")

    def _record(self, file: PlannedFile, detail: str) -> None:
        bench = self.benches.of(file)
        self.outcomes[file.path] = Outcome(
            artifact=file.artifacts[0].name if _is_plain_sidecar(file) else (file.manifest or file).path.name,
            signature=file.settings.name or file.format.name,
            format=file.format.name,
            verdict=Verdict.CONSISTENT,
            detail=detail,
            sidecar=str(file.path),
            signer=bench.signer_name,
        )

    def _subjects(self, file: PlannedFile) -> Sequence[Subject]:
        if file.manifest is not None:
            return [self._manifest_subject(file)]
        if file.format.kind == "sidecar":
            return [self._subject(file.artifacts[0], file.artifacts[0].name)]
        return [self._subject(artifact, artifact.name_below(self.plan.folder)) for artifact in file.artifacts]

    def _subject(self, artifact: Artifact, name: str) -> Subject:
        reading = self.readings[artifact]
        return Subject(name, reading.identity.size, reading.digests)

    def _manifest_subject(self, file: PlannedFile) -> Subject:
        manifest = file.manifest.path if file.manifest else file.path
        staged = self.staging.find(manifest)
        reading = read_digests(staged.temporary if staged else manifest, self._hashes(file))
        return Subject(manifest.name, reading.identity.size, reading.digests)

    def _commit(self) -> None:
        for artifact in self.plan.artifacts:
            if not is_unchanged(artifact.path, self.originals[artifact]):
                message = f"{display(artifact.path)} changed while it was being signed"
                self.failed.setdefault(artifact, SigningError(message, remedy="let what writes it finish, then run again"))
        good = [file for file in self.plan.files if not self._is_spoilt(file)]
        for file in self.plan.files:
            if file not in good:
                self.staging.drop(file.path)
                self.outcomes.pop(file.path, None)
        self.staging.commit(file.path for file in sorted(good, key=_commit_order))

    def _is_spoilt(self, file: PlannedFile) -> bool:
        if _is_plain_sidecar(file) or file.format.kind == "embedded":
            return file.artifacts[0] in self.failed
        return bool(self.failed)


def _is_plain_sidecar(file: PlannedFile) -> bool:
    return file.format.kind == "sidecar" and file.manifest is None


def _owner(file: PlannedFile) -> Artifact | None:
    return file.artifacts[0] if _is_plain_sidecar(file) or file.format.kind == "embedded" else None


def _commit_order(file: PlannedFile) -> int:
    """Artifacts first, so that no signature is ever ahead of what it signs; aggregates last."""
    if file.manifest is not None:
        return 2
    return {"embedded": 0, "manifest": 1, "sidecar": 2, "aggregate": 3}[file.format.kind]


def _stops_all(errors: Iterable[HatchSignError]) -> bool:
    """Whether to ask the key no more: it, or the disk, failed, and would fail for each artifact that is left."""
    return any(error.exit_code == HatchSignError.exit_code for error in errors)


def _make_folders(plan: SigningPlan) -> None:
    for folder in {file.path.parent for file in plan.files}:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"{display(folder)} cannot be made: {error.strerror}"
            raise SigningError(message, remedy="see `output-directory`") from None
