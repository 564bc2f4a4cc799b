"""Wheels and zip applications, opened for what is inside: each member held against the directory, and against RECORD."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hatch_sign.archives.kinds import is_wheel
from hatch_sign.archives.record import MAX_RECORD, UNLISTED, Content, Record, parse_record
from hatch_sign.archives.shared_stream import SharedStream
from hatch_sign.archives.unpacking import unpack
from hatch_sign.archives.zip_layout import ZipLayout, ZipMember, read_layout
from hatch_sign.values.display import display
from hatch_sign.values.errors import MalformedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import BinaryIO

_RECORD = re.compile(r"[^/]+\.dist-info/RECORD")
_HASH = "sha256"
_BATCH, _OVERHEAD = 1 << 20, 1 << 12
"""Bytes that a thread takes at once, and those that it takes to begin with another member."""


@dataclass(frozen=True, slots=True)
class OpenArchive:
    """A wheel, or a zip application, which has no `record`; `listed` is what RECORD says of each file."""

    stream: SharedStream
    layout: ZipLayout
    record: Record | None
    listed: Mapping[str, Content]

    def hash_of(self, name: str) -> str:
        """Return the hash that RECORD has of a member; SHA-256 where it has none."""
        listed = self.listed.get(name)
        return _HASH if listed is None else listed.hash

    def check(self, member: ZipMember, keep: Callable[[int, bytes], object] | None = None) -> Content:
        """Read a member to its end and return what it is. Callable from several threads.

        `keep` is given the content, piece by piece, each with its offset. Raises MalformedError where the content is not
        what the member's headers and RECORD say.
        """
        hasher, count = hashlib.new(self.hash_of(member.name)), 0
        for data in unpack(self.stream, member):
            hasher.update(data)
            if keep is not None:
                keep(count, data)
            count += len(data)
        found = Content(hasher.name, hasher.digest(), count)
        listed = self.listed.get(member.name)
        if listed is not None and (listed.digest != found.digest or listed.size not in {None, count}):
            message = f"the RECORD of the wheel is wrong: {display(member.name)} has another digest or size"
            raise MalformedError(message)
        return found

    @property
    def record_signatures(self) -> tuple[str, ...]:
        """The signatures of RECORD inside the wheel, which another RECORD would make wrong."""
        if self.record is None:
            return ()
        files = self.layout.files
        return tuple(name for suffix in UNLISTED if (name := self.record.name + suffix) in files)


def in_batches(archive: OpenArchive) -> list[list[ZipMember]]:
    """Return the files in the order in which threads should take them, the largest first; small ones together."""
    batches: list[list[ZipMember]] = []
    room = 0
    for member in sorted(archive.layout.files.values(), key=lambda member: -member.size):
        if room <= 0:
            batches.append([])
            room = _BATCH
        batches[-1].append(member)
        room -= member.size + _OVERHEAD
    return batches


def open_archive(name: str, stream: BinaryIO) -> OpenArchive:
    """Open the archive of that file name in a seekable stream, which stays open; reads its directory and its RECORD.

    Raises MalformedError for an archive that is not well-formed, and for a wheel without one RECORD that lists its files.
    """
    shared = SharedStream(stream)
    layout = read_layout(stream, prefixed=not is_wheel(name))
    record = _read_record(shared, layout) if is_wheel(name) else None
    return OpenArchive(shared, layout, record, {} if record is None else record.contents())


def _read_record(stream: SharedStream, layout: ZipLayout) -> Record:
    files = layout.files
    found = [name for name in files if _RECORD.fullmatch(name)]
    if len(found) != 1:
        message = f"a wheel has one .dist-info folder with RECORD, found {len(found)}"
        raise MalformedError(message)
    member = files[found[0]]
    if member.size > MAX_RECORD:
        message = f"{display(member.name)} is larger than {MAX_RECORD} bytes"
        raise MalformedError(message)
    return parse_record(b"".join(unpack(stream, member)), name=member.name, files=files)
