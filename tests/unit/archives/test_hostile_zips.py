"""Wheels as an attacker may write them."""

from __future__ import annotations

import errno
import io
import os
import struct
import zipfile

import pytest

from hatch_sign.archives import zip_archive
from hatch_sign.archives.distributions import wheel_metadata
from hatch_sign.values.errors import MalformedError

from .named_archives import GOOD, INFO, METADATA, SDIST, WHEEL, problem_of, zipped
from .wheels import Piped


def edited(stream: io.BytesIO, old: bytes, new: bytes, *, last: bool = False) -> io.BytesIO:
    """Return the archive with the first (or last) `old` replaced by `new`."""
    data = stream.getvalue()
    at = data.rindex(old) if last else data.index(old)
    return io.BytesIO(data[:at] + new + data[at + len(old) :])


def with_comment(stream: io.BytesIO, extra: bytes) -> io.BytesIO:
    return io.BytesIO(stream.getvalue() + extra)


TWICE = zipped((INFO, METADATA), (INFO.replace("METADATA", "METADATB"), METADATA))
COUNT_AT = -22 + 10


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (io.BytesIO(), "the archive cannot be read: it has no end record"),
        (io.BytesIO(b"no zip at all"), "the archive cannot be read: it has no end record"),
        (with_comment(GOOD, b"x"), "the archive cannot be read: bytes follow its end record"),
        (io.BytesIO(b"#!/bin/sh\n" + GOOD.getvalue()), "the archive cannot be read: its directory of 1 members"),
        (io.BytesIO(GOOD.getvalue()[1:]), "the archive cannot be read"),
        (edited(edited(TWICE, b"METADATB", b"METADATA"), b"METADATB", b"METADATA"), "the archive has .*METADATA twice"),
        (edited(GOOD, b"METADATA", b"METADATB"), "the archive cannot be read: "),
        (edited(GOOD, b"METADATA", b"METADATB", last=True), "a wheel has one .dist-info folder with METADATA"),
        (edited(GOOD, b"PK\3\4\x14\0\0\0\x08", b"PK\3\4\x14\0\0\0\x00"), ".*described differently in two places"),
        (edited(GOOD, b"PK\3\4\x14\0\0\0", b"PK\3\4\x14\0\1\0"), ".*described differently in two places"),
        (zipped((INFO, METADATA), method=zipfile.ZIP_BZIP2), ".* packed in a way that is not supported"),
        (zipped((INFO, METADATA), ("../evil", b"")), r"the archive has a member whose name is not inside it: \.\./evil"),
        (zipped((INFO, METADATA), ("/etc/passwd", b"")), "the archive has a member whose name is not inside it"),
        (zipped((INFO, METADATA), ("a\\b", b"")), "the archive has a member whose name is not inside it"),
        (zipped((INFO, METADATA), ("C:evil", b"")), "the archive has a member whose name is not inside it"),
        (edited(zipped((INFO, METADATA), ("aXb", b"")), b"aXb", b"a\0b", last=True), ".*whose name is not inside it"),
        (zipped((INFO, METADATA), ("other-1.dist-info/METADATA", METADATA)), ".* found 2 folders"),
        (zipped(("a.py", b"")), "a wheel has one .dist-info folder with METADATA, found 0 folders"),
        (zipped(("x-1.dist-info/WHEEL", b"")), "a wheel has one .dist-info folder with METADATA, found 1 folders"),
        (zipped((INFO, METADATA + bytes(1 << 20))), ".* larger than 1048576 bytes"),
    ],
)  # fmt: skip
def test_refuses_zip_archives(stream: io.BytesIO, reason: str) -> None:
    assert problem_of(WHEEL, GOOD) is None
    with pytest.raises(MalformedError, match=f"^{reason}"):
        wheel_metadata(stream)


def test_a_member_that_unpacks_to_more_than_it_says_is_refused() -> None:
    """The sizes in both headers lie alike; the bomb is not unpacked beyond them."""
    bomb = zipped((INFO, bytes(64 << 20)))
    data = bomb.getvalue().replace(struct.pack("<L", 64 << 20), struct.pack("<L", 100))
    with pytest.raises(MalformedError, match="Bad CRC-32"):
        wheel_metadata(io.BytesIO(data))


def test_counts_members_before_it_reads_them(monkeypatch: pytest.MonkeyPatch) -> None:
    many = zipped((INFO, METADATA), *((f"{number}", b"") for number in range(10)))
    assert wheel_metadata(many) == ("example-app", "1.0")
    monkeypatch.setattr(zip_archive, "MAX_MEMBERS", 10)
    with pytest.raises(MalformedError, match="its directory of 11 members"):
        wheel_metadata(many)


def test_the_number_of_members_is_the_one_that_is_counted() -> None:
    data = bytearray(TWICE.getvalue())
    data[COUNT_AT - 2 : COUNT_AT + 2] = struct.pack("<HH", 1, 1)
    with pytest.raises(MalformedError, match="the archive has 2 members and counts 1"):
        wheel_metadata(io.BytesIO(data))


def test_reads_what_was_written_to_a_pipe() -> None:
    pipe = Piped()
    with zipfile.ZipFile(pipe, "w") as archive:
        archive.writestr(INFO, METADATA)
    data = pipe.getvalue()
    assert data[6] & 0x8
    assert wheel_metadata(io.BytesIO(data)) == ("example-app", "1.0")
    with pytest.raises(MalformedError, match="Bad CRC-32"):
        wheel_metadata(io.BytesIO(data.replace(b"Summary: x", b"Summary: y")))


class Failing(io.BytesIO):
    """A disk that gives up."""

    def read(self, size: int | None = -1) -> bytes:
        del size
        raise OSError(errno.EIO, os.strerror(errno.EIO))


@pytest.mark.parametrize("filename", [WHEEL, SDIST])
def test_a_failing_disk_is_no_malformed_archive(filename: str) -> None:
    with pytest.raises(OSError, match="Input/output error") as caught:
        problem_of(filename, Failing(GOOD.getvalue()))
    assert caught.value.errno == errno.EIO


def test_reads_zip64() -> None:
    data = GOOD.getvalue()
    end = len(data) - 22
    length, offset = struct.unpack("<LL", data[end + 12 : end + 20])
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, length, offset)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, end, 1)
    old = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    assert wheel_metadata(io.BytesIO(data[:end] + record + locator + old)) == ("example-app", "1.0")
    longer = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 45, 45, 45, 0, 0, 1, 1, length, offset)
    with pytest.raises(MalformedError, match="its Zip64 end record is not where it should be"):
        wheel_metadata(io.BytesIO(data[:end] + longer + locator + old))
