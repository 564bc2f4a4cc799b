"""Archives whose members may be signed: read and checked as a whole before anything is."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast

from hatch_sign.archives.opened import OpenArchive, in_batches, open_archive
from hatch_sign.archives.shared_stream import SharedStream
from hatch_sign.artifacts.parallel import READERS, map_in_threads
from hatch_sign.artifacts.reading import open_artifact
from hatch_sign.values.display import display
from hatch_sign.values.errors import MalformedError, SigningError, UnsupportedError

if TYPE_CHECKING:
    from pathlib import Path

    from hatch_sign.archives.record import Content
    from hatch_sign.archives.zip_layout import ZipMember
    from hatch_sign.signing.planned import PlannedContents


@dataclass(frozen=True, slots=True)
class Unpacked:
    """An archive that is well-formed, and what each of its files is.

    The members that may be signed are `chosen`, the largest first; they lie in `scratch`, each at its place in `places`.
    """

    archive: OpenArchive
    scratch: SharedStream
    chosen: Sequence[ZipMember]
    places: Mapping[str, int]
    contents: Mapping[str, Content]


@contextmanager
def unpack_archive(planned: PlannedContents) -> Iterator[Unpacked]:
    """Lend the planned archive, read to its end.

    Raises MalformedError, naming the artifact, for an archive that is not well-formed or whose RECORD is wrong,
    UnsupportedError for a RECORD that is signed and would change, SigningError or OSError where the disk fails or is full.
    """
    artifact = planned.artifact
    with open_artifact(artifact.path) as stream:
        with _naming(artifact.name):
            archive = open_archive(artifact.name, stream)
        with temporary(artifact.path.parent) as file:
            with _naming(artifact.name):
                unpacked = _unpack(planned, archive, SharedStream(file))
            yield unpacked


def temporary(folder: Path) -> BinaryIO:
    """Return an empty file in `folder` that has no name, or loses it with the program. Raises SigningError."""
    try:
        return cast("BinaryIO", tempfile.TemporaryFile(dir=folder))
    except OSError as error:
        message = f"nothing can be written in {display(folder)}: {error.strerror}"
        raise SigningError(message, remedy="make the folder writable, or free space, then run again") from None


def _unpack(planned: PlannedContents, archive: OpenArchive, scratch: SharedStream) -> Unpacked:
    batches = in_batches(archive)
    chosen = [member for batch in batches for member in batch if planned.contents.covers(member.name)]
    _refuse_record_signatures(planned, archive, chosen)
    places = {member.name: scratch.allocate(member.size) for member in chosen}

    def read(member: ZipMember) -> Content:
        place = places.get(member.name)
        keep = None if place is None else lambda at, data: scratch.write_at(place + at, data)
        return archive.check(member, keep)

    def read_all(batch: Sequence[ZipMember]) -> list[tuple[str, Content]]:
        return [(member.name, read(member)) for member in batch]

    found = map_in_threads(read_all, batches, threads=READERS)
    return Unpacked(archive, scratch, chosen, places, dict(pair for batch in found for pair in batch))


def _refuse_record_signatures(planned: PlannedContents, archive: OpenArchive, chosen: Sequence[ZipMember]) -> None:
    if chosen and (found := archive.record_signatures):
        message = f"{display(planned.artifact.name)}: {display(found[0])} signs its RECORD, which would change"
        raise UnsupportedError(message, remedy="remove it from the wheel: such signatures are deprecated (PEP 815)")


@contextmanager
def _naming(artifact: str) -> Iterator[None]:
    """Say of which artifact it is where one is malformed."""
    try:
        yield
    except MalformedError as error:
        error.message = f"{display(artifact)}: {error.message}"
        raise
