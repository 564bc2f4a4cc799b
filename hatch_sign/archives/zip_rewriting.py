"""Writing an archive anew with other content in some of its members, and all else as it was, byte by byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.archives.end_record import IN_ZIP64, encode_end
from hatch_sign.archives.extra_fields import encode_zip64, take_zip64
from hatch_sign.archives.zip_layout import CENTRAL, LOCAL, SIZES_FOLLOW
from hatch_sign.values.display import display
from hatch_sign.values.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping
    from typing import BinaryIO

    from hatch_sign.archives.packing import Packed
    from hatch_sign.archives.shared_stream import Extent, SharedStream
    from hatch_sign.archives.zip_layout import ZipLayout, ZipMember

_CHUNK = 1 << 20
_RUN = 1 << 23


def rewrite(
    archive: SharedStream, layout: ZipLayout, changed: Mapping[str, Packed], scratch: SharedStream, target: BinaryIO
) -> None:
    """Write the archive to `target`, which is empty, with the packed contents of `changed` that lie in `scratch`.

    What stands before the archive, untouched members with their headers and descriptors, the order in the file and in the
    directory, times, attributes, comments and extra fields stay; nothing that does not change is packed again. A changed
    member has its sizes in its header, where they followed it before. Raises UnsupportedError for one of 4 GiB or more.
    """
    _copy(archive, (0, layout.start), target)
    offsets: dict[str, int] = {}
    at = layout.start
    for member in layout.in_file_order():
        offsets[member.name] = at - layout.end.prefix
        content = changed.get(member.name)
        at += _copy_member(archive, member, target) if content is None else _write(archive, member, content, scratch, target)
    directory = b"".join(_central(member, offsets[member.name], changed.get(member.name)) for member in layout.members)
    target.write(directory)
    start, position = at - layout.end.prefix, at + len(directory)
    target.write(encode_end(layout.end, count=len(layout.members), length=len(directory), offset=start, position=position))


def copied_runs(before: ZipLayout, after: ZipLayout, changed: Container[str]) -> Iterator[tuple[int, Extent]]:
    """Yield where in `after` what did not change has to lie, each with the extent in `before` that it was copied from.

    Members that follow each other in both are one, up to some size, so that several threads can compare them.
    """
    members = {member.name: member for member in before.members}
    at = start = end = 0
    for member in after.in_file_order():
        old = members.get(member.name)
        if old is None or member.name in changed:
            continue
        if (member.offset - at, old.offset) != (end - start, end) or end - start >= _RUN:
            if end > start:
                yield at, (start, end - start)
            at, start = member.offset, old.offset
        end = old.end
    if end > start:
        yield at, (start, end - start)


def _copy_member(archive: SharedStream, member: ZipMember, target: BinaryIO) -> int:
    return _copy(archive, (member.offset, member.end - member.offset), target)


def _write(archive: SharedStream, member: ZipMember, content: Packed, scratch: SharedStream, target: BinaryIO) -> int:
    if max(content.size, content.packed) >= IN_ZIP64:
        message = f"{display(member.name)} would become larger than 4 GiB"
        raise UnsupportedError(message)
    header = _local(archive.read_at(member.offset, member.content - member.offset), content)
    target.write(header)
    return len(header) + sum(_copy(scratch, extent, target) for extent in content.extents)


def _local(header: bytes, content: Packed) -> bytes:
    magic, needed, flags, method, time, date, _, packed, size, name_length, _ = LOCAL.unpack_from(header)
    name, extra = header[LOCAL.size : LOCAL.size + name_length], header[LOCAL.size + name_length :]
    rest = take_zip64(extra, size=size, packed=packed).rest
    fields = (magic, needed, flags & ~SIZES_FOLLOW, method, time, date, content.crc, content.packed, content.size)
    return LOCAL.pack(*fields, name_length, len(rest)) + name + rest


def _central(member: ZipMember, offset: int, content: Packed | None) -> bytes:
    """Return a member's header for the directory; a number that was in a Zip64 field stays in one, whatever it is now."""
    fields = list(CENTRAL.unpack_from(member.header))
    name_end = CENTRAL.size + fields[10]
    name, comment = member.header[CENTRAL.size : name_end], member.header[name_end + fields[11] :]
    size, packed = member.size, member.packed
    if content is not None:
        fields[3] &= ~SIZES_FOLLOW
        fields[7], size, packed = content.crc, content.size, content.packed
    wide = list(_wide(member, size, packed, offset))
    fields[9], fields[8], fields[16] = (
        narrow if number is None else IN_ZIP64 for narrow, number in zip((size, packed, offset), wide, strict=True)
    )
    extra = encode_zip64(*wide) + member.zip64.rest
    fields[11] = len(extra)
    return CENTRAL.pack(*fields) + name + extra + comment


def _wide(member: ZipMember, *numbers: int) -> Iterator[int | None]:
    before = (member.zip64.size, member.zip64.packed, member.zip64.offset)
    for was, number in zip(before, numbers, strict=True):
        yield number if was is not None or number >= IN_ZIP64 else None


def _copy(source: SharedStream, extent: Extent, target: BinaryIO) -> int:
    offset, size = extent
    target.writelines(source.read_at(at, min(_CHUNK, offset + size - at)) for at in range(offset, offset + size, _CHUNK))
    return size
