"""What is inside an artifact, signed before the artifact is: members of wheels and zip applications, and plain files."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from hatch_sign.archives.opened import in_batches, open_archive
from hatch_sign.archives.packing import Packed, compressor, pack
from hatch_sign.archives.record import Content
from hatch_sign.archives.zip_rewriting import copied_runs, rewrite
from hatch_sign.artifacts.parallel import READERS, map_in_threads
from hatch_sign.artifacts.reading import open_artifact
from hatch_sign.signing.members import Fate, MemberSigner
from hatch_sign.signing.unpacked import temporary, unpack_archive
from hatch_sign.values.display import display
from hatch_sign.values.errors import HatchSignError, SigningError

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from pathlib import Path

    from hatch_sign.archives.shared_stream import Extent
    from hatch_sign.archives.zip_layout import ZipMember
    from hatch_sign.contract import Finding
    from hatch_sign.signing.planned import PlannedContents
    from hatch_sign.signing.staging import StagingArea
    from hatch_sign.signing.unpacked import Unpacked
    from hatch_sign.signing.work import Workbench
    from hatch_sign.values.outcomes import Outcome

MEMBERS = 8
"""Threads that sign the members of one artifact: they wait at the key's gate, or for a timestamp."""


@dataclass(frozen=True, slots=True)
class _Signed:
    """One distinct content: the members that have it, what became of them, and the signed content by method of packing."""

    members: Sequence[ZipMember]
    fates: Sequence[Fate] = ()
    content: Content | None = None
    packed: Mapping[int, Packed] = field(default_factory=dict)


@contextmanager
def packing_threads() -> Iterator[Executor]:
    """Lend as many threads as there are cores, for packing."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - where contents are signed only

    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        threads.submit(compressor)  # loaded before it is needed, while the archives are read
        yield threads


@dataclass(frozen=True, slots=True)
class ContentsSigner:
    """Signs what is inside artifacts, and stages each artifact anew where anything in it changed.

    Temporary files lie in the artifact's folder and have no name there, so that a kill leaves none. `proven`
    returns the instant that timestamps prove, `on_stop` is called when the run is interrupted while threads wait.
    """

    staging: StagingArea
    threads: Executor
    anew: bool
    proven: Callable[[Iterable[Finding]], datetime | None]
    on_stop: Callable[[], None]

    def sign(self, planned: PlannedContents, benches: Sequence[Workbench]) -> list[Outcome]:
        """Sign one artifact's contents and return what became of each member, or of the file itself.

        Raises MalformedError, before anything is signed, for an archive that is not well-formed or whose RECORD is wrong,
        and HatchSignError for what keeps a member from being signed; then nothing is staged.
        """
        try:
            return self._sign(planned, benches)
        except OSError as error:
            message = f"{display(planned.artifact.path)}: its contents cannot be read or written: {error.strerror}"
            raise SigningError(message, remedy="free space, or check the disk, then run again") from None

    def _sign(self, planned: PlannedContents, benches: Sequence[Workbench]) -> list[Outcome]:
        artifact = planned.artifact
        signer = MemberSigner(benches, planned.contents, self.anew, lambda: temporary(artifact.path.parent), self.proven)
        if planned.is_archive:
            with unpack_archive(planned) as unpacked:
                return _ArchiveSigning(self, planned, signer, unpacked).carry_out()
        with open_artifact(artifact.path) as stream:
            return self._sign_file(planned, signer, stream)

    def stage(self, path: Path, write: Callable[[BinaryIO], object]) -> Path:
        """Stage what `write` writes in place of the artifact, with its permissions; return where it lies for now."""

        def fill(target: BinaryIO) -> bool:
            write(target)
            return True

        self.staging.add_stream(path, fill)
        staged = self.staging.find(path)
        if staged is None:
            message = f"{display(path)} could not be staged"
            raise SigningError(message)
        self.staging.keep_mode(path)
        return staged.temporary

    def _sign_file(self, planned: PlannedContents, signer: MemberSigner, stream: BinaryIO) -> list[Outcome]:
        signed, fates = signer.sign(planned.artifact.name, None, stream)
        if signed is not None:
            with signed:
                signed.seek(0)
                self.stage(planned.artifact.path, lambda target: shutil.copyfileobj(signed, target, 1 << 20))
        return [fate.outcome(planned.artifact.name, None) for fate in fates]


@dataclass(slots=True)
class _ArchiveSigning:
    """One archive: signed member by member, written anew, and checked as it was written."""

    run: ContentsSigner
    planned: PlannedContents
    signer: MemberSigner
    unpacked: Unpacked
    failure: HatchSignError | None = None

    def carry_out(self) -> list[Outcome]:
        alike: dict[Content, list[ZipMember]] = {}
        for member in self.unpacked.chosen:
            alike.setdefault(self.unpacked.contents[member.name], []).append(member)
        signed = map_in_threads(self._sign_alike, alike.values(), threads=MEMBERS, on_failure=self.run.on_stop)
        if self.failure is not None:
            raise self.failure
        self._replace([each for each in signed if each.content is not None])
        return list(self._outcomes(signed))

    def _sign_alike(self, members: Sequence[ZipMember]) -> _Signed:
        """Sign members of one content, once; after the first failure nothing more is begun."""
        if self.failure is not None:
            return _Signed(members)
        try:
            return self._sign(members)
        except HatchSignError as error:
            self.failure = error
            return _Signed(members)

    def _sign(self, members: Sequence[ZipMember]) -> _Signed:
        first = members[0]
        source = self.unpacked.scratch.section(self.unpacked.places[first.name], first.size)
        signed, fates = self.signer.sign(self.planned.artifact.name, first.name, source)
        if signed is None:
            return _Signed(members, fates)
        with signed:
            methods = {member.method for member in members}
            packed = {method: pack(signed, method, self.unpacked.scratch, self.run.threads) for method in methods}
            return _Signed(members, fates, _content_of(signed, self.unpacked.archive.hash_of(first.name)), packed)

    def _replace(self, signed: Sequence[_Signed]) -> None:
        """Write the archive with what was signed and a RECORD that says so, and check every byte of it."""
        if not signed:
            return
        changed = {m.name: each.content for each in signed for m in each.members if each.content is not None}
        packed = {m.name: each.packed[m.method] for each in signed for m in each.members}
        record = self.unpacked.archive.record
        if record is not None:
            encoded = io.BytesIO(record.with_contents(changed).encode())
            member = self.unpacked.archive.layout.files[record.name]
            packed[record.name] = pack(encoded, member.method, self.unpacked.scratch, self.run.threads)
            changed[record.name] = _content_of(encoded, self.unpacked.archive.hash_of(record.name))
        staged = self.run.stage(self.planned.artifact.path, lambda target: self._write(packed, target))
        self._check_staged(staged, changed)

    def _write(self, packed: Mapping[str, Packed], target: BinaryIO) -> None:
        rewrite(self.unpacked.archive.stream, self.unpacked.archive.layout, packed, self.unpacked.scratch, target)

    def _check_staged(self, staged: Path, changed: Mapping[str, Content]) -> None:
        """Read what was written as whoever installs it will; what is copied byte by byte was read so before."""
        with open_artifact(staged) as stream:
            archive = open_archive(self.planned.artifact.name, stream)

            def check(batch: Sequence[ZipMember]) -> bool:
                return all(archive.check(member) == changed[member.name] for member in batch if member.name in changed)

            def compare(run: tuple[int, Extent]) -> bool:
                return archive.stream.holds(run[0], self.unpacked.archive.stream, run[1])

            runs = copied_runs(self.unpacked.archive.layout, archive.layout, changed)
            work = [*(partial(check, batch) for batch in in_batches(archive)), *(partial(compare, run) for run in runs)]
            good = map_in_threads(lambda each: each(), work, threads=READERS, on_failure=self.run.on_stop)
        if not all(good) or archive.layout.files.keys() != self.unpacked.contents.keys():
            message = f"{display(self.planned.artifact.name)}: what was written is not what was signed"
            raise SigningError(message, remedy="report this; nothing was replaced")

    def _outcomes(self, signed: Sequence[_Signed]) -> Iterator[Outcome]:
        """Yield what became of each member, in the order of the directory."""
        fates = {member.name: each.fates for each in signed for member in each.members}
        for member in self.unpacked.archive.layout.members:
            for fate in fates.get(member.name, ()):
                yield fate.outcome(self.planned.artifact.name, member.name)


def _content_of(stream: BinaryIO, hash_: str) -> Content:
    stream.seek(0)
    digest = hashlib.file_digest(stream, hash_).digest()  # type: ignore[arg-type] # a file on disk, or in memory
    return Content(hash_, digest, stream.seek(0, io.SEEK_END))
