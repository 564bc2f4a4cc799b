"""A whole run: open the keys, read each artifact once, sign, check what was staged, and put it in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from hatch_sign.artifacts.parallel import READERS, SIGNERS, map_in_threads
from hatch_sign.artifacts.reading import Readings, open_artifact
from hatch_sign.contract.kinds import manifest_producer
from hatch_sign.signing.benches import Benches
from hatch_sign.signing.detached import is_current, is_stamped, make_file, require_written, signed_already
from hatch_sign.signing.existing import Overwrite, hashes_of_existing, read_existing, refuse_conflicts
from hatch_sign.signing.outdated import find_outdated
from hatch_sign.signing.staging import StagingArea, make_folders
from hatch_sign.signing.subjects import Subjects
from hatch_sign.signing.work import embed_signature, is_embedded_stamped, look_inside
from hatch_sign.storage.atomic import remove_stale_temporaries
from hatch_sign.values.display import display
from hatch_sign.values.errors import HatchSignError, SigningError
from hatch_sign.values.outcomes import Outcome, Verdict

if TYPE_CHECKING:
    from hatch_sign.artifacts.discovery import Artifact
    from hatch_sign.contract import BackendContext, Finding
    from hatch_sign.registry import Registry
    from hatch_sign.signing.contents import ContentsSigner
    from hatch_sign.signing.plan import SigningPlan
    from hatch_sign.signing.planned import PlannedContents, PlannedFile
    from hatch_sign.values.artifacts import Subject


@dataclass(frozen=True, slots=True)
class SigningReport:
    """What a run made: an outcome for each file, and the errors that kept others from being made.

    `readings` are of the artifacts as they were committed, so that whoever judges them need not read them again.
    """

    outcomes: tuple[Outcome, ...]
    failures: tuple[HatchSignError, ...]
    signing_calls: int
    readings: Readings

    def raise_failure(self) -> None:
        """Raise the first error, saying how much was done in spite of it. Returns where there was none."""
        if not self.failures:
            return
        first = self.failures[0]
        if self.outcomes:
            done = len({outcome.artifact for outcome in self.outcomes})
            done_so_far = f"{done} {'artifact is' if done == 1 else 'artifacts are'} signed, run again for the rest"
            first.remedy = "; ".join(filter(None, [first.remedy, done_so_far]))
        raise first


def sign_release(
    plan: SigningPlan,
    *,
    registry: Registry,
    context: BackendContext,
    now: datetime,
    overwrite: Overwrite = Overwrite.REFUSE,
    on_done: Callable[[], None] = lambda: None,
    on_failure: Callable[[], None] = lambda: None,
) -> SigningReport:
    """Carry out `plan`: each key is opened once, each artifact read once, and nothing unchecked gets a name.

    Artifacts whose signatures are all made and checked are committed even where others fail; aggregates only where none
    does. `on_done` is called after each artifact, `on_failure` when the run is given up while some of its threads may still
    wait for something. Raises HatchSignError, with nothing written, for what is wrong before the first signature.
    """
    written = (*(file.path for file in plan.files), *(planned.artifact.path for planned in plan.contents))
    remove_stale_temporaries(path.parent for path in written)
    make_folders(file.path.parent for file in plan.files)
    with ExitStack() as stack:
        staging = stack.enter_context(StagingArea())
        subjects = Subjects(plan, staging)
        benches = Benches(plan, registry, context, now, stack)
        run = _Run(plan, registry, context.warn, benches, staging, subjects, overwrite, on_done, on_failure)
        return run.carry_out()


@dataclass
class _Run:
    plan: SigningPlan
    registry: Registry
    warn: Callable[[str], None]
    benches: Benches
    staging: StagingArea
    subjects: Subjects
    overwrite: Overwrite
    on_done: Callable[[], None]
    on_failure: Callable[[], None]
    existing: dict[Path, bytes | None] = field(default_factory=dict)
    inside: dict[Artifact, Sequence[Outcome]] = field(default_factory=dict)
    outcomes: dict[Path, Outcome] = field(default_factory=dict)
    failed: dict[Artifact | None, HatchSignError] = field(default_factory=dict)

    def carry_out(self) -> SigningReport:
        self._sign_contents()
        inside: dict[Artifact, list[PlannedFile]] = {}  # formats that share an artifact go one after another
        for file in self.plan.of_kind("embedded"):
            inside.setdefault(file.artifacts[0], []).append(file)
        map_in_threads(self._embed_each, inside.values(), threads=SIGNERS, on_failure=self.on_failure)
        self._settle_outdated()
        detached = [file for file in self.plan.files if file.format.kind != "embedded"]
        self.existing = {file.path: read_existing(file.path) for file in detached}
        self.subjects.read({file.path: self._hashes(file) for file in detached})
        self._write_manifests()
        pending = self._sort_out([file for file in detached if file.format.kind != "manifest"])
        sidecars = [file for file in pending if file.artifact is not None]
        map_in_threads(self._sign, sidecars, threads=SIGNERS, on_failure=self.on_failure)
        if not self.failed:
            for file in pending:
                if file.artifact is None:
                    self._sign(file)
        self._commit()
        paths = dict.fromkeys(file.path for file in self.plan.files)  # in their order, whichever thread was first
        made = [self.outcomes[path] for path in paths if path in self.outcomes]
        outcomes = (*(outcome for found in self.inside.values() for outcome in found), *made)
        return SigningReport(outcomes, tuple(self.failed.values()), self.benches.calls, self.subjects.readings)

    def _sign_contents(self) -> None:
        if not self.plan.contents:
            return
        from hatch_sign.signing.contents import ContentsSigner, packing_threads  # noqa: PLC0415 - runs with contents only

        with packing_threads() as threads:
            anew = self.overwrite is Overwrite.ALWAYS
            signer = ContentsSigner(self.staging, threads, anew, self.benches.proven, self.on_failure)

            def sign(planned: PlannedContents) -> None:
                self._unless_failed(planned.artifact, lambda: self._keep_inside(signer, planned))

            map_in_threads(sign, self.plan.contents, threads=READERS, on_failure=self.on_failure)

    def _keep_inside(self, signer: ContentsSigner, planned: PlannedContents) -> None:
        self.inside[planned.artifact] = signer.sign(planned, self.benches.inside(planned))
        if planned.is_archive:
            self.subjects.members_were_checked(planned.artifact)

    def _embed_each(self, files: Sequence[PlannedFile]) -> None:
        for file in files:
            self._unless_failed(file.artifact, partial(self._embed, file))

    def _embed(self, file: PlannedFile) -> None:
        artifact, bench = file.artifacts[0], self.benches.keyed(file)
        older = self.staging.find(artifact.path)
        newest = older.temporary if older else artifact.path
        with open_artifact(newest) as source:
            inside = look_inside(bench, artifact.name, source)
        if inside.is_current and (older or self.overwrite is not Overwrite.ALWAYS):
            self._record(file, Verdict.CONSISTENT, "already signed by this key")
            return

        made: list[Finding] = []

        def write(target: BinaryIO) -> bool:
            with open_artifact(newest) as source:
                embedded = embed_signature(bench, artifact.name, source, target)
            made.extend(filter(None, [embedded]))
            return embedded is not None

        if self.staging.add_stream(artifact.path, write):
            self.staging.keep_mode(artifact.path)
            self._record_made(file, is_stamped=is_embedded_stamped(bench, made[0]), findings=made)
        elif older is None:
            self._record(file, Verdict.NOT_APPLICABLE, "nothing inside to sign")

    def _settle_outdated(self) -> None:
        """Refuse, or tell of, signatures over what will be no more, which this run does not make anew."""
        changed = [each for each in self.plan.artifacts if self.staging.find(each.path) and each not in self.failed]
        if changed:
            outdated = find_outdated(self.plan, changed, self.registry.formats())
            refuse_conflicts(outdated if self.overwrite is Overwrite.REFUSE else ())
            for path in outdated:
                self.warn(f"{display(path)} is over what was there before something was signed inside: remove or renew it")

    def _hashes(self, file: PlannedFile) -> frozenset[str]:
        if file.format.kind == "manifest":
            return manifest_producer(file.format).digests()
        bench = self.benches.of(file)
        return bench.hashes | hashes_of_existing(bench, self.existing[file.path])

    def _subjects(self, file: PlannedFile) -> Sequence[Subject]:
        return self.subjects.of(file, self._hashes(file))

    def _write_manifests(self) -> None:
        conflicts = []
        for file in self.plan.of_kind("manifest"):
            listing = manifest_producer(file.format).list(self._subjects(file))
            present = self.existing[file.path]
            if present != listing:
                self.staging.add(file.path, listing)
                if present is not None and self.overwrite is Overwrite.REFUSE:
                    conflicts.append(file.path)
        refuse_conflicts(conflicts)

    def _sort_out(self, files: Sequence[PlannedFile]) -> list[PlannedFile]:
        """Return the files to be signed; those that are good already become outcomes."""
        conflicts, pending = [], []
        for file in files:
            present = self.existing[file.path]
            if present is not None and self.overwrite is not Overwrite.ALWAYS:
                if is_current(self.benches.of(file), present, self._subjects(file)):
                    self._record(file, Verdict.CONSISTENT, signed_already(self.benches.of(file)))
                    continue
                if self.overwrite is Overwrite.REFUSE:
                    conflicts.append(file.path)
            pending.append(file)
        stamped, logged = (any(getattr(file.settings, name) for file in files) for name in ("timestamp", "log"))
        refuse_conflicts(conflicts, stamped=stamped, logged=logged)
        return pending

    def _sign(self, file: PlannedFile) -> None:
        if self._unless_failed(file.artifact, lambda: self._make(file)):
            self.on_done()

    def _unless_failed(self, artifact: Artifact | None, work: Callable[[], None]) -> bool:
        """Do it, unless the artifact has failed already or the key has; return whether it was tried."""
        if artifact in self.failed:
            return False
        if stopping := next((error for error in self.failed.values() if _stops_all(error)), None):
            self.failed.setdefault(artifact, stopping)
            return False
        try:
            work()
        except HatchSignError as error:
            self.failed.setdefault(artifact, error)
        return True

    def _make(self, file: PlannedFile) -> None:
        bench, subjects = self.benches.of(file), self._subjects(file)
        made = make_file(bench, file, subjects)
        staged = self.staging.add(file.path, made.data)
        findings = require_written(bench, replace(made, data=staged.read()), subjects)
        self._record_made(file, is_stamped=is_stamped(bench, findings), findings=findings.values())

    def _record_made(self, file: PlannedFile, *, is_stamped: bool, findings: Iterable[Finding]) -> None:
        detail = "signed" if is_stamped else "signed, without a timestamp"
        self._record(file, Verdict.CONSISTENT, detail, time=self.benches.proven(findings))

    def _record(self, file: PlannedFile, verdict: Verdict, detail: str, *, time: datetime | None = None) -> None:
        self.outcomes[file.path] = Outcome(
            artifact=file.covers,
            signature=file.settings.name or file.format.name,
            format=file.format.name,
            verdict=verdict,
            detail=detail,
            sidecar=None if file.format.kind == "embedded" else str(file.path),
            signer=self.benches.of(file).signer_name,
            time=time,
        )

    def _commit(self) -> None:
        for artifact in self.subjects.changed():
            message = f"{display(artifact.path)} changed while it was being signed"
            self.failed.setdefault(artifact, SigningError(message, remedy="let what writes it finish, then run again"))
        for file in self.plan.files:
            if self._is_spoilt(file):
                self.staging.drop(file.path)
                self.outcomes.pop(file.path, None)
        for artifact in self.plan.artifacts:
            if artifact in self.failed:
                self.staging.drop(artifact.path)
                self.inside.pop(artifact, None)
        contents = [planned.artifact.path for planned in self.plan.contents]
        self.staging.commit([*contents, *(file.path for file in sorted(self.plan.files, key=_commit_order))])

    def _is_spoilt(self, file: PlannedFile) -> bool:
        return file.artifact in self.failed if file.artifact is not None else bool(self.failed)


def _commit_order(file: PlannedFile) -> int:
    """Artifacts first, so that no signature is ever ahead of what it signs; aggregates last."""
    if file.manifest is not None:
        return 2
    return {"embedded": 0, "manifest": 1, "sidecar": 2, "aggregate": 3}[file.format.kind]


def _stops_all(error: HatchSignError) -> bool:
    """Whether to ask the key no more: it, or the disk, failed, and would fail for each artifact that is left."""
    return error.exit_code == HatchSignError.exit_code
