"""The content of a zip member, unpacked in constant memory and held against what its header says of it."""

from __future__ import annotations

import zipfile
import zlib
from typing import TYPE_CHECKING

from hatch_sign.archives.zip_archive import malformed_archive
from hatch_sign.values.display import display

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hatch_sign.archives.shared_stream import SharedStream
    from hatch_sign.archives.zip_layout import ZipMember

_CHUNK = 1 << 18
_UNPACKED_CHUNK = 1 << 20


def unpack(archive: SharedStream, member: ZipMember) -> Iterator[bytes]:
    """Yield the content of a member of the archive, at most 1 MiB at a time.

    Raises MalformedError at the first byte that is too many, and at the end for one that is missing, a wrong checksum or
    packed bytes after the end.
    """
    with malformed_archive():
        checksum, count = 0, 0
        for data in _content(archive, member):
            count += len(data)
            if count > member.size:
                break
            checksum = zlib.crc32(data, checksum)
            yield data
        if count != member.size or checksum != member.crc:
            message = f"{display(member.name)} is not as long, or has not the checksum, that its header says"
            raise ValueError(message)


def _content(archive: SharedStream, member: ZipMember) -> Iterator[bytes]:
    return _packed(archive, member) if member.method == zipfile.ZIP_STORED else _inflated(archive, member)


def _packed(archive: SharedStream, member: ZipMember) -> Iterator[bytes]:
    for at in range(0, member.packed, _CHUNK):
        yield archive.read_at(member.content + at, min(_CHUNK, member.packed - at))


def _inflated(archive: SharedStream, member: ZipMember) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    for packed in _packed(archive, member):
        if inflater.eof:
            break
        data = inflater.decompress(packed, _UNPACKED_CHUNK)
        while data:
            yield data
            data = inflater.decompress(inflater.unconsumed_tail, _UNPACKED_CHUNK)
    else:
        if inflater.eof and not inflater.unused_data:
            return
    message = f"the packed bytes of {display(member.name)} do not end where its header says"
    raise ValueError(message)
