"""One read of each file, however many digests are needed of it, in constant memory."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from hatch_sign.values.artifacts import HEAD
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
    """The digests of one file, its first bytes, and the identity it had before and after it was read."""

    identity: FileIdentity
    digests: dict[str, bytes]
    head: bytes


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


def read_digests(path: Path, hashes: Iterable[str]) -> Reading:
    """Read the file once and return the digests of all `hashes`.

    Raises UsageError for a file that cannot be read, SigningError for one that changed meanwhile.
    """
    with open_artifact(path) as stream:
        return read_open_digests(path, stream, hashes)


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
        message = f"{display(path)} changed while it was read"
        raise SigningError(message, remedy="let what writes it finish, then run again")
    return Reading(after, {hasher.name: hasher.digest() for hasher in hashers}, head)


def is_unchanged(path: Path, identity: FileIdentity) -> bool:
    """Return whether the file at `path` is still the one that was read."""
    try:
        return FileIdentity.of(path.lstat()) == identity
    except OSError:
        return False


def _feed(hashers: list[hashlib._Hash], chunk: memoryview) -> int:
    for hasher in hashers:
        hasher.update(chunk)
    return len(chunk)


def _chunks(stream: BinaryIO) -> Iterator[memoryview]:
    buffer = memoryview(bytearray(_CHUNK))
    while count := stream.readinto(buffer):  # type: ignore[attr-defined] # a raw stream has it
        yield buffer[:count]
