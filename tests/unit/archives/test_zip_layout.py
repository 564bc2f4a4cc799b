"""Archives as the standard library writes them, written anew byte by byte; and as an attacker may write them, refused."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hatch_sign.archives import zip_layout
from hatch_sign.archives.opened import OpenArchive, open_archive
from hatch_sign.archives.packing import pack
from hatch_sign.archives.shared_stream import SharedStream
from hatch_sign.archives.zip_layout import read_layout
from hatch_sign.archives.zip_rewriting import rewrite
from hatch_sign.values.errors import MalformedError

from .wheels import NAME, RECORD, Piped, make_wheel, read_strictly

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MEMBERS = {"app/a.dll": b"library" * 1000, "app/b.py": b"print()\n"}


def opened(data: bytes, name: str = "tool.pyz") -> OpenArchive:
    return open_archive(name, io.BytesIO(data))


def check(data: bytes, name: str = "tool.pyz") -> dict[str, bytes]:
    return read_strictly(data, name)


def rewritten(data: bytes, changed: Mapping[str, bytes], *, threads: int = 2) -> bytes:
    archive = opened(data)
    scratch, target = SharedStream(io.BytesIO()), io.BytesIO()
    files = archive.layout.files
    with ThreadPoolExecutor(threads) as executor:
        packed = {name: pack(io.BytesIO(new), files[name].method, scratch, executor) for name, new in changed.items()}
    rewrite(archive.stream, archive.layout, packed, scratch, target)
    return target.getvalue()


def zipped(members: Mapping[str, bytes], *, piped: bool = False, zip64: bool = False, prefix: bytes = b"") -> bytes:
    stream = Piped() if piped else io.BytesIO()
    stream.write(prefix)
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(info, "w", force_zip64=zip64) as member:
                member.write(data)
    return stream.getvalue()


SHAPES: dict[str, Callable[[], bytes]] = {
    "plain": lambda: zipped(MEMBERS),
    "with descriptors": lambda: zipped(MEMBERS, piped=True),
    "with Zip64 fields": lambda: zipped(MEMBERS, zip64=True),
    "with both": lambda: zipped(MEMBERS, piped=True, zip64=True),
    "after a line": lambda: zipped(MEMBERS, prefix=b"#!/usr/bin/python\n"),
    "behind a program": lambda: b"MZ" + bytes(999) + zipped(MEMBERS),
    "a wheel": lambda: make_wheel(MEMBERS),
    "empty": lambda: zipped({}),
}


@pytest.fixture(params=SHAPES)
def shape(request: pytest.FixtureRequest) -> bytes:
    return SHAPES[request.param]()


def test_an_archive_in_which_nothing_changes_stays_byte_by_byte(shape: bytes) -> None:
    assert rewritten(shape, {}) == shape


def test_other_content_is_what_everybody_reads_then(shape: bytes) -> None:
    before = check(shape)
    changed = {name: b"other" * 99 for name in before if name.endswith(".dll")}
    after = rewritten(shape, changed)
    assert check(after) == {**before, **changed}
    with zipfile.ZipFile(io.BytesIO(after)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == {**before, **changed}


def test_a_zip64_archive_stays_one_and_says_where_everything_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)  # the standard library writes Zip64 records from here on
    data = zipped(MEMBERS)
    assert b"PK\x06\x06" in data
    assert rewritten(data, {}) == data
    after = rewritten(data, {"app/a.dll": b"other"})
    assert check(after)["app/a.dll"] == b"other"
    with zipfile.ZipFile(io.BytesIO(after)) as archive:
        assert archive.read("app/b.py") == MEMBERS["app/b.py"]


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 40_000), st.integers(1, 4))
def test_what_is_packed_in_pieces_unpacks_as_one(seed: bytes, repeat: int, threads: int) -> None:
    content = seed * repeat
    scratch = SharedStream(io.BytesIO())
    with ThreadPoolExecutor(threads) as executor:
        packed = pack(io.BytesIO(content), zipfile.ZIP_DEFLATED, scratch, executor)
    data = b"".join(scratch.read_at(*extent) for extent in packed.extents)
    assert (len(data), packed.size, packed.crc) == (packed.packed, len(content), zlib.crc32(content))
    inflater = zlib.decompressobj(-15)
    assert inflater.decompress(data) == content
    assert inflater.eof
    assert not inflater.unused_data


def test_the_packed_bytes_do_not_depend_on_the_number_of_threads() -> None:
    data = {"app/a.dll": bytes(range(256)) * 20_000}
    archive = zipped(MEMBERS)
    assert rewritten(archive, data, threads=1) == rewritten(archive, data, threads=4)


# --- hostile archives


def edited(data: bytes, old: bytes, new: bytes, *, count: int = 1) -> bytes:
    assert data.count(old) >= count
    return data.replace(old, new, count)


GOOD = zipped({"a.dll": b"x" * 100, "b.dll": b"y" * 100})
LOCAL_B = GOOD.index(b"PK\x03\x04", 1)
DIRECTORY = GOOD.index(b"PK\x01\x02")
END = GOOD.index(b"PK\x05\x06")


def with_field(data: bytes, at: int, layout: str, value: int) -> bytes:
    return data[:at] + struct.pack(layout, value) + data[at + struct.calcsize(layout) :]


def between(at: int, extra: bytes) -> bytes:
    """Return the archive with bytes that belong to nothing, its directory still where its end says."""
    data = GOOD[:at] + extra + GOOD[at:]
    data = with_field(data, END + len(extra) + 16, "<L", DIRECTORY + len(extra))
    if at <= LOCAL_B:
        second = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 1)
        data = with_field(data, second + 42, "<L", LOCAL_B + len(extra))
    return data


def overlapping() -> bytes:
    """Two members that share one local header (a bomb needs no more than many such)."""
    second = GOOD.index(b"PK\x01\x02", DIRECTORY + 1)
    return with_field(GOOD, second + 42, "<L", 0)


def unicode_path(name: bytes) -> bytes:
    info = zipfile.ZipInfo("a.dll")
    info.extra = struct.pack("<HHBL", 0x7075, 5 + len(name), 1, zlib.crc32(b"a.dll")) + name
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(info, b"x")
    return stream.getvalue()


def without_end() -> bytes:
    """Return an archive in whose member, which is not packed, readers of streams find its end and another member."""
    stream = Piped()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.dll", struct.pack("<4s3L", b"PK\x07\x08", 0, 0, 0) + GOOD[:LOCAL_B])
    return stream.getvalue()


HOSTILE = {
    "end to be guessed": (without_end(), "a.dll is not packed, and who reads it as a stream has to guess where it ends"),
    "nothing": (b"", "no end record"),
    "cut": (GOOD[:-1], "no end record|bytes follow"),
    "bytes after": (GOOD + b"x", "bytes follow its end record"),
    "bytes between members": (between(LOCAL_B, b"hidden"), "a.dll does not end where the next member begins"),
    "bytes before the directory": (between(DIRECTORY, b"hidden"), "b.dll does not end where the next member begins"),
    "overlapping": (overlapping(), "two of its members begin at one place"),
    "name twice": (edited(GOOD, b"b.dll", b"a.dll", count=2), "a.dll twice"),
    "name twice but for case": (edited(GOOD, b"b.dll", b"A.DLL", count=2), "a.dll and A.DLL, which are one file on"),
    "other name in the header": (edited(GOOD, b"a.dll", b"c.dll"), "a.dll is described differently"),
    "escape": (edited(GOOD, b"a.dll", b"../ab"[:5], count=2), "whose name is not inside it"),
    "another file on Windows by a dot": (edited(GOOD, b"a.dll", b"a.dl.", count=2), "means another file on Windows"),
    "another file on Windows by a space": (edited(GOOD, b"a.dll", b"a.dl ", count=2), "means another file on Windows"),
    "a stream of a file on Windows": (edited(GOOD, b"a.dll", b"a.d:l", count=2), "means another file on Windows"),
    "folder with content": (edited(GOOD, b"a.dll", b"a.dl/", count=2), "is a folder with content"),
    "encrypted": (with_field(GOOD, DIRECTORY + 8, "<H", 1), "is encrypted"),
    "other method": (with_field(GOOD, DIRECTORY + 10, "<H", 14), "packed in a way that is not supported"),
    "other method in the header": (with_field(GOOD, 8, "<H", 0), "a.dll is described differently"),
    "other checksum in the header": (with_field(GOOD, 14, "<L", 7), "a.dll is described differently"),
    "other size in the header": (with_field(GOOD, 22, "<L", 7), "a.dll is described differently"),
    "wrong checksum": (
        with_field(with_field(GOOD, 14, "<L", 7), DIRECTORY + 16, "<L", 7),
        "a.dll is not as long, or has not the checksum",
    ),
    "wrong size": (
        with_field(with_field(GOOD, 22, "<L", 99), DIRECTORY + 24, "<L", 99),
        "a.dll is not as long, or has not the checksum",
    ),
    "several parts": (with_field(GOOD, DIRECTORY + 34, "<H", 1), "its directory is damaged"),
    "several parts at the end": (with_field(GOOD, END + 4, "<H", 1), "it is one of several parts"),
    "other count": (with_field(with_field(GOOD, END + 8, "<H", 1), END + 10, "<H", 1), "does not end after the 1 members"),
    "directory past the end": (with_field(GOOD, END + 16, "<L", 1 << 30), "not where it should be"),
    "4 GiB without Zip64": (with_field(GOOD, END + 16, "<L", 0xFFFFFFFF), "Zip64 end record is not where it should be"),
    "size in a Zip64 field that is not there": (
        with_field(GOOD, DIRECTORY + 24, "<L", 0xFFFFFFFF),
        "a Zip64 field is not as long",
    ),
    "extra field past its end": (with_field(GOOD, DIRECTORY + 30, "<H", 3), "its directory is damaged|longer|unpack"),
    "two names": (unicode_path(b"b.dll"), "a.dll has two names"),
}


@pytest.mark.parametrize(("data", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_refuses(data: bytes, reason: str) -> None:
    check(GOOD)
    with pytest.raises(MalformedError, match=reason):
        check(data)


def test_a_wheel_has_nothing_before_it() -> None:
    wheel = make_wheel(MEMBERS)
    check(wheel, NAME)
    with pytest.raises(MalformedError, match="7 bytes stand before the archive"):
        check(b"#!/bin/" + wheel, NAME)


def test_one_name_spelled_twice_alike_is_no_second_name() -> None:
    assert check(unicode_path(b"a.dll")) == {"a.dll": b"x"}


def test_a_wheel_has_one_record() -> None:
    with pytest.raises(MalformedError, match=r"a wheel has one \.dist-info folder with RECORD, found 0"):
        check(zipped(MEMBERS), NAME)
    with pytest.raises(MalformedError, match="found 2"):
        check(make_wheel({**MEMBERS, "other-2.dist-info/RECORD": b""}), NAME)


def test_a_record_of_another_content_is_refused() -> None:
    wheel = make_wheel(MEMBERS)
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        record = archive.read(RECORD)
    with pytest.raises(MalformedError, match=r"app/a\.dll has another digest or size"):
        check(make_wheel({**MEMBERS, "app/a.dll": b"another"}, record=record), NAME)


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = zipped({"a.dll": bytes(10 << 20)})
    assert len(check(bomb)["a.dll"]) == 10 << 20
    monkeypatch.setattr(zip_layout, "TOLERATED", 1 << 20)
    with pytest.raises(MalformedError, match="unpacks to 10485760, expected at most"):
        read_layout(io.BytesIO(bomb))
    monkeypatch.setattr(zip_layout, "TOLERATED", 1 << 30)
    monkeypatch.setattr(zip_layout, "MAX_UNPACKED", 1 << 20)
    with pytest.raises(MalformedError, match="unpacks to 10485760, expected at most"):
        read_layout(io.BytesIO(bomb))


def test_a_member_that_unpacks_to_more_than_it_says_ends_there() -> None:
    bomb = zipped({"a.dll": bytes(64 << 20)})
    lying = bomb.replace(struct.pack("<L", 64 << 20), struct.pack("<L", 100))
    pieces: list[int] = []
    archive = opened(lying)
    with pytest.raises(MalformedError, match="is not as long"):
        archive.check(archive.layout.members[0], lambda _, piece: pieces.append(len(piece)))
    assert sum(pieces) <= 1 << 20
