"""What an Authenticode signature is over: the file without what signing it changes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, BinaryIO

from hatch_sign_authenticode.pe.layout import CHECKSUM_SIZE, DIRECTORY_SIZE
from hatch_sign_authenticode.pe.reading import read_pieces

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from hatch_sign_authenticode.pe.layout import PEFile


def digest(stream: BinaryIO, pe: PEFile, hash_: str) -> bytes:
    """Return the digest of the file by `hash_`, as :mod:`hashlib` spells it. As :func:`digests` otherwise."""
    return digests(stream, pe, (hash_,))[hash_]


def digests(stream: BinaryIO, pe: PEFile, hashes: Collection[str]) -> Mapping[str, bytes]:
    """Return the file's digest by each of `hashes`, in one pass (Windows Authenticode PE format 1.0, PE image hash).

    Left out are the checksum, the data directory of the certificate table, and the table. A file without a table is
    digested as if zeros filled it up to a multiple of 8 bytes, as they do once it is signed. Everything else counts:
    what lies between the headers, behind the last section, or is appended.

    Raises MalformedError where the file is shorter than `pe` says.
    """
    running = {name: hashlib.new(name) for name in hashes}
    for piece in signed_pieces(stream, pe):
        for each in running.values():
            each.update(piece)
    return {name: each.digest() for name, each in running.items()}


def signed_pieces(stream: BinaryIO, pe: PEFile) -> Iterator[bytes]:
    """Yield what is digested, in pieces."""
    yield from read_pieces(stream, 0, pe.checksum_at)
    yield from read_pieces(stream, pe.checksum_at + CHECKSUM_SIZE, pe.directory_at)
    yield from read_pieces(stream, pe.directory_at + DIRECTORY_SIZE, pe.content_end)
    yield bytes(pe.padding)
