"""One read of each file, however many digests are needed of it, in constant memory."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, cast

from hatch_sign.archives.positioned import PositionedReader
from hatch_sign.values.artifacts import HEAD, Subject
from hatch_sign.values.display import display
from hatch_sign.values.errors import SigningError, UsageError

_CHUNK = 1 << 20
"""Bytes per read: small enough to stay in a core's cache between reading and hashing."""


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """What tells whether a file is still the one that was read."""

    device: int
    inode: int
    size: int
    modified: int

    @classmethod
    def of(cls, status: os.stat_result) -> FileIdentity:
        """Return the identity in a stat result; `modified` is in nanoseconds."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class Reading:
    """The digests of one file, its first bytes, and the identity it had before and after it was read.

    `members_checked` says of an archive that each file in it was held against its headers and RECORD as well.
    """

    identity: FileIdentity
    digests: Mapping[str, bytes]
    head: bytes
    members_checked: bool = False

    def subject(self, name: str) -> Subject:
        """Return the file as a subject of that name."""
        return Subject(name, self.identity.size, self.digests, self.head)

    def still_tells(self, path: Path, hashes: Collection[str]) -> bool:
        """Return whether it has all `hashes` of the file at `path`, and that is still the file that was read."""
        return self.digests.keys() >= set(hashes) and is_unchanged(path, self.identity)


Readings = Mapping[Path, Reading]
"""What was read before in one run, by where the files are now; each is believed only while its file is unchanged."""
NO_READINGS: Readings = MappingProxyType({})


@contextmanager
def open_artifact(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file for reading, never through a symbolic link. Raises UsageError with the reason."""
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        message = f"{display(path)} cannot be read: {error.strerror}"
        raise UsageError(message, remedy="check the path and its permissions") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        message = f"{display(path)} is not a regular file"
        raise UsageError(message, remedy="name a file")
    with open(descriptor, "rb", buffering=0) as stream:  # noqa: PTH123 - a descriptor has no path
        yield stream


@contextmanager
def open_known(path: Path, reading: Reading) -> Iterator[BinaryIO]:
    """Lend the file of an earlier reading, which is opened for what that does not tell: most need no more than its head.

    Reading on raises SigningError for a file that is no longer the one that was read, and as :func:`open_artifact`.
    """
    with ExitStack() as stack:

        @cache
        def opened() -> BinaryIO:
            stream = stack.enter_context(open_artifact(path))
            if FileIdentity.of(os.fstat(stream.fileno())) != reading.identity:
                raise _changed_while_read(path)
            return stream

        def fill(at: int, view: memoryview) -> int:
            known = reading.head[at : at + len(view)]
            if len(known) < len(view):
                opened().seek(at)
                return opened().readinto(view)  # type: ignore[attr-defined, no-any-return] # a raw stream has it
            view[:] = known
            return len(view)

        yield cast("BinaryIO", PositionedReader(reading.identity.size, fill))


def read_digests(path: Path, hashes: Iterable[str]) -> Reading:
    """Read the file once and return the digests of all `hashes`.

    Raises UsageError for a file that cannot be read, SigningError for one that changed meanwhile.
    """
    with open_artifact(path) as stream:
        return read_open_digests(path, stream, hashes)


def reread_digests(path: Path, hashes: Collection[str], readings: Readings) -> Reading:
    """Return what :func:`read_digests` does, without reading a file that `readings` still tell of."""
    with open_and_read(path, hashes, readings) as (_, reading):
        return reading


def read_open_digests(path: Path, stream: BinaryIO, hashes: Iterable[str]) -> Reading:
    """Do what :func:`read_digests` does with the file that :func:`open_artifact` has opened at `path`."""
    before = FileIdentity.of(os.fstat(stream.fileno()))
    hashers = [hashlib.new(name) for name in sorted(hashes)]
    try:
        head = stream.read(HEAD)
        stream.seek(0)
        count = sum(_feed(hashers, chunk) for chunk in _chunks(stream))
    except OSError as error:
        message = f"{display(path)} cannot be read: {error.strerror}"
        raise UsageError(message) from None
    after = FileIdentity.of(os.fstat(stream.fileno()))
    if before != after or count != after.size:
        raise _changed_while_read(path)
    return Reading(after, {hasher.name: hasher.digest() for hasher in hashers}, head)


@contextmanager
def open_and_read(path: Path, hashes: Collection[str], readings: Readings) -> Iterator[tuple[BinaryIO, Reading]]:
    """Lend the file with its reading: an earlier one where `readings` still tell of it, else one that is made now.

    Raises as :func:`read_digests`, and reading on as :func:`open_known`.
    """
    earlier = readings.get(path)
    if earlier is not None and earlier.still_tells(path, hashes):
        with open_known(path, earlier) as stream:
            yield stream, earlier
    else:
        with open_artifact(path) as stream:
            yield stream, read_open_digests(path, stream, hashes)


def is_unchanged(path: Path, identity: FileIdentity) -> bool:
    """Return whether the file at `path` is still the one that was read."""
    try:
        return FileIdentity.of(path.lstat()) == identity
    except OSError:
        return False


def _changed_while_read(path: Path) -> SigningError:
    """Return the error of a file that is no longer the one whose reading began."""
    message = f"{display(path)} changed while it was read"
    return SigningError(message, remedy="let what writes it finish, then run again")


def _feed(hashers: list[hashlib._Hash], chunk: memoryview) -> int:
    for hasher in hashers:
        hasher.update(chunk)
    return len(chunk)


def _chunks(stream: BinaryIO) -> Iterator[memoryview]:
    buffer = memoryview(bytearray(_CHUNK))
    while count := stream.readinto(buffer):  # type: ignore[attr-defined] # a raw stream has it
        yield buffer[:count]
