"""Wheels and sdists as an attacker may write them, and as the standard library and build backends do."""

from __future__ import annotations

import errno
import gzip
import io
import os
import struct
import subprocess
import sys
import tarfile
import zipfile
from typing import TYPE_CHECKING, BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatch_sign.archives import tar_archive, zip_archive
from hatch_sign.archives.distributions import check_name, declared_name, sdist_metadata, wheel_metadata
from hatch_sign.values.errors import MalformedError

from .wheels import Piped

if TYPE_CHECKING:
    from pathlib import Path

WHEEL, SDIST = "example_app-1.0-py3-none-any.whl", "example_app-1.0.tar.gz"
METADATA = b"Metadata-Version: 2.4\nName: Example.App\nVersion: 1.0\nSummary: x\n\nName: body\n"
INFO = "example_app-1.0.dist-info/METADATA"
PKG_INFO = "example_app-1.0/PKG-INFO"


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return stream


def tarred(*members: tuple[str, bytes], style: int = tarfile.PAX_FORMAT, **header: str) -> io.BytesIO:
    """Return a gzipped archive of files; `header` holds extended headers of the first one."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz", format=style) as archive:
        for number, (name, data) in enumerate(members):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            member.pax_headers = {} if number else header
            archive.addfile(member, io.BytesIO(data))
    return stream


def with_member(kind: bytes, name: str = "example_app-1.0/x", target: str = "") -> io.BytesIO:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, target
        archive.addfile(member)
    return stream


# --- names


def problem_of(filename: str, stream: BinaryIO) -> str | None:
    """Return why the metadata does not vouch for the name; None where it does."""
    try:
        return None if check_name(filename, stream) else "nothing inside speaks of its name"
    except MalformedError as error:
        return error.message


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        (WHEEL, ("example-app", "1.0")),
        ("A.B-1.0.post0-1-py3-none-any.whl", ("a-b", "1.0.post0")),
        (SDIST, ("example-app", "1.0")),
        ("a-1.0.0rc1.zip", ("a", "1.0.0rc1")),
        ("a-1.0.whl", None),
        ("a.tar.gz", None),
        ("a-x.tar.gz", None),
        ("a-1.0.tar.bz2", None),
        ("tool.exe", None),
        ("", None),
    ],
)
def test_declared_name(filename: str, expected: tuple[str, str] | None) -> None:
    assert declared_name(filename) == expected


# --- what is inside


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_wheel_agrees_with_its_name(method: int) -> None:
    stream = zipped(("example_app/__init__.py", b"x" * 5000), (INFO, METADATA), method=method)
    assert wheel_metadata(stream) == ("example-app", "1.0")
    assert problem_of(WHEEL, stream) is None
    problem = problem_of("example_app-2.0-py3-none-any.whl", stream)
    assert problem == "its file name says example-app 2.0, its metadata example-app 1.0"
    assert not stream.closed


@pytest.mark.parametrize("style", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_an_sdist_agrees_with_its_name(style: int) -> None:
    long = "example_app-1.0/" + "d" * 90 + "/" + "f" * 90
    stream = tarred(
        (long, b"x" * 1000), (PKG_INFO, METADATA), ("example_app-1.0/src/a.egg-info/PKG-INFO", b"?"), style=style
    )
    assert problem_of(SDIST, stream) is None
    assert problem_of("another-1.0.tar.gz", stream) == ("its file name says another 1.0, its metadata example-app 1.0")
    assert not stream.closed


def test_a_zipped_sdist_agrees_with_its_name() -> None:
    stream = zipped((PKG_INFO, METADATA), ("example_app-1.0/a/PKG-INFO", b"?"))
    assert problem_of("example_app-1.0.zip", stream) is None
    assert problem_of("example_app-1.1.zip", stream) is not None


def test_long_names_in_extended_headers_count() -> None:
    stream = tarred(("short", METADATA), path=PKG_INFO)
    assert problem_of(SDIST, stream) is None
    assert problem_of("another-1.0.tar.gz", stream) is not None


def test_what_is_no_distribution_has_no_problem() -> None:
    assert not check_name("tool.bin", io.BytesIO(b"anything"))
    assert not check_name("tool-1.0.tar.gz", tarred(("tool-1.0/tool", b"x")))
    assert sdist_metadata(tarred(("PKG-INFO", METADATA))) is None


def test_a_wheel_must_be_called_like_one() -> None:
    assert problem_of("a-1.whl", zipped((INFO, METADATA))) == "a-1.whl is not a well-formed name of a wheel"


def test_reads_what_a_build_backend_writes(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "Example.App"\nversion = "1.0"\nrequires-python = ">=3.11"\n'
        "[tool.hatch.build.targets.wheel]\nbypass-selection = true\n"
    )
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-d", "dist"], cwd=tmp_path, check=True, capture_output=True)
    assert sorted(path.name for path in (tmp_path / "dist").iterdir()) == [WHEEL, SDIST]
    for filename in (WHEEL, SDIST):
        with (tmp_path / "dist" / filename).open("rb") as stream:
            assert problem_of(filename, stream) is None
            assert problem_of(filename.replace("1.0", "1.1"), stream) is not None


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        (b"", "the metadata has 0 times Name"),
        (b"Name: a\n\nVersion: 1\n", "the metadata has 0 times Version"),
        (b"Name: a\nno header\nVersion: 1\n", "the metadata has 0 times Version"),
        (b"Name: a\nname: b\nVersion: 1\n", "the metadata has 2 times Name"),
        (b"Name: a\rVersion: 1\rVersion: 2\n", "the metadata has 2 times Version"),
        (b"Name: a b\nVersion: 1\n", "the metadata is not well-formed: name is invalid"),
        (b"Name: a\nVersion: x\n", "the metadata is not well-formed: Invalid version"),
        (b"Name: \xff\nVersion: 1\n", "the metadata is not well-formed: 'utf-8' codec"),
    ],
)
def test_refuses_metadata(metadata: bytes, reason: str) -> None:
    for read, stream in (
        (wheel_metadata, zipped((INFO, metadata))),
        (sdist_metadata, tarred((PKG_INFO, metadata))),
        (sdist_metadata, zipped((PKG_INFO, metadata))),
    ):
        with pytest.raises(MalformedError, match=f"^{reason}"):
            read(stream)


# --- hostile zip archives


def edited(stream: io.BytesIO, old: bytes, new: bytes, *, last: bool = False) -> io.BytesIO:
    """Return the archive with the first (or last) `old` replaced by `new`."""
    data = stream.getvalue()
    at = data.rindex(old) if last else data.index(old)
    return io.BytesIO(data[:at] + new + data[at + len(old) :])


def with_comment(stream: io.BytesIO, extra: bytes) -> io.BytesIO:
    return io.BytesIO(stream.getvalue() + extra)


GOOD = zipped((INFO, METADATA))
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


# --- hostile tar archives


def block(name: bytes, size: bytes = b"0", kind: bytes = b"0", magic: bytes = b"ustar\x0000") -> bytes:
    header = bytearray(512)
    header[: len(name)] = name
    header[124 : 124 + len(size)] = size
    header[156:157] = kind
    header[257 : 257 + len(magic)] = magic
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


def raw(*blocks: bytes) -> io.BytesIO:
    return io.BytesIO(gzip.compress(b"".join(blocks)))


END = bytes(1024)


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (io.BytesIO(), "the archive cannot be read: it ends within a member"),
        (io.BytesIO(b"no gzip"), "the archive cannot be read: Not a gzipped file"),
        (io.BytesIO(tarred((PKG_INFO, METADATA)).getvalue()[:-9]), "the archive cannot be read: Compressed file ended"),
        (io.BytesIO(tarred((PKG_INFO, METADATA)).getvalue() + b"x"), "the archive cannot be read: Not a gzipped file"),
        (raw(block(b"a")), "the archive cannot be read: it ends within a member"),
        (raw(block(b"a", b"7"), b"x"), "the archive cannot be read: it ends within a member"),
        (raw(block(b"a"), END, b"x" * 512), "the archive cannot be read: bytes follow its end"),
        (raw(block(b"a").replace(b"a", b"b", 1), END), "the archive cannot be read: .* wrong checksum"),
        (raw(block(b"a", b"-1"), END), "the archive cannot be read: a number in a member's header is none"),
        (raw(block(b"a", b"\x80" + b"\xff" * 11), END), "the archive cannot be read: it unpacks to more than 8589934592"),
        (raw(block(b"a", b"\xff" * 12), END), "the archive cannot be read: a number in a member's header is none"),
        (raw(block(b"x", b"77777777777", b"x"), END), "the archive cannot be read: .* larger than 1048576 bytes"),
        (raw(block(b"x", b"77777777777", b"L"), END), "the archive cannot be read: .* larger than 1048576 bytes"),
        (raw(block(b"x", b"10", b"x"), b"9 path=a".ljust(512, b"\0"), END), ".* has an extended header that is none"),
        (raw(block(b"x", b"10", b"x"), b"0 path=\n".ljust(512, b"\0"), END), ".* has an extended header that is none"),
        (raw(block(b"x", b"10", b"x"), b"99999999".ljust(512, b"\0"), END), ".* has an extended header that is none"),
        (raw(block(b"\xff"), END), "the archive cannot be read: 'utf-8' codec"),
        (tarred((PKG_INFO, METADATA), ("../evil", b"")), "the archive has a member whose name is not inside it"),
        (tarred(("/evil", b"")), "the archive has a member whose name is not inside it"),
        (tarred(("a", b""), path="../evil"), "the archive has a member whose name is not inside it"),
        (tarred(("a", b"x"), size="-1"), "the archive cannot be read: a number in an extended header is none"),
        (with_member(tarfile.SYMTYPE, target="../../etc"), "the archive has a link that leads out of it"),
        (with_member(tarfile.SYMTYPE, target="/etc"), "the archive has a link that leads out of it"),
        (with_member(tarfile.LNKTYPE, target="../x"), "the archive has a link that leads out of it"),
        (with_member(tarfile.SYMTYPE), "the archive has a link that leads out of it"),
        (with_member(tarfile.CHRTYPE), "the archive cannot be read: it has a member of the type b'3'"),
        (with_member(tarfile.GNUTYPE_SPARSE), "the archive cannot be read: it has a member of the type b'S'"),
        (tarred((PKG_INFO, METADATA), (PKG_INFO, METADATA)), "the archive has .*PKG-INFO twice"),
        (tarred((PKG_INFO, METADATA), (f"./{PKG_INFO}", METADATA)), "the archive has .*PKG-INFO twice"),
        (tarred((PKG_INFO, METADATA), ("b-1/PKG-INFO", METADATA)), "an sdist has one PKG-INFO in its folder, found 2"),
        (zipped((PKG_INFO, METADATA), ("b-1/PKG-INFO", METADATA)), "an sdist has one PKG-INFO in its folder, found 2"),
        (tarred((PKG_INFO, METADATA + bytes(1 << 20))), ".* larger than 1048576 bytes"),
    ],
)  # fmt: skip
def test_refuses_tar_archives(stream: io.BytesIO, reason: str) -> None:
    with pytest.raises(MalformedError, match=f"^{reason}"):
        sdist_metadata(stream)


def test_reads_folders_links_and_old_headers() -> None:
    good = raw(
        block(b"p-1", kind=b"5"),
        block(b"p-1", kind=b"5"),
        block(b"g", b"22", b"g"),
        b"18 comment=abcdef\n".ljust(512, b"\0"),
        block(b"p-1/PKG-INFO", b"%o" % len(METADATA), b"\0", magic=b""),
        METADATA.ljust(512, b"\0"),
        END,
        bytes(9000),
    )
    assert sdist_metadata(good) == ("example-app", "1.0")
    links = with_member(tarfile.SYMTYPE, target="../example_app-1.0/y")
    assert sdist_metadata(links) is None


def test_counts_members_and_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = tarred((PKG_INFO, METADATA), ("a", bytes(100_000)))
    assert sdist_metadata(stream) == ("example-app", "1.0")
    monkeypatch.setattr(tar_archive, "MAX_TOTAL", 100_000)
    with pytest.raises(MalformedError, match="it unpacks to more than 100000 bytes"):
        sdist_metadata(stream)
    monkeypatch.undo()
    monkeypatch.setattr(tar_archive, "MAX_MEMBERS", 1)
    with pytest.raises(MalformedError, match="it has more than 1 members"):
        sdist_metadata(stream)


def test_a_large_archive_takes_little_memory() -> None:
    """Read 256 MiB of zeros in a process that may have no more than 192 MiB beyond what it began with."""
    program = (
        "import io, resource, sys\n"
        "from hatch_sign.archives.distributions import sdist_metadata, declared_name\n"
        "declared_name('a-1.tar.gz')\n"
        "size = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize() + (192 << 20)\n"
        "resource.setrlimit(resource.RLIMIT_AS, (size, size))\n"
        "print(sdist_metadata(io.BytesIO(sys.stdin.buffer.read())))\n"
    )
    if not os.path.exists("/proc/self/statm"):  # noqa: PTH110 - a question, not a path to keep
        pytest.skip("the size of a process is read from /proc")
    archive = gzip.compress(
        b"".join([block(b"p/big", b"2000000000"), bytes(1 << 28), block(b"p/PKG-INFO", b"%o" % len(METADATA))])
        + METADATA.ljust(512, b"\0")
        + END,
        compresslevel=1,
    )
    environ = dict(os.environ) | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    finished = subprocess.run([sys.executable, "-c", program], input=archive, env=environ, capture_output=True, check=False)
    assert finished.stdout == b"('example-app', '1.0')\n", finished.stderr


# --- anything at all


@given(st.data())
def test_raises_nothing_but_malformed(data: st.DataObject) -> None:
    good = data.draw(st.sampled_from([GOOD, tarred((PKG_INFO, METADATA)), zipped((PKG_INFO, METADATA))])).getvalue()
    at = data.draw(st.integers(0, len(good) - 1))
    mutated = good[:at] + data.draw(st.binary(max_size=4)) + good[at + data.draw(st.integers(0, 4)) :]
    for filename in (WHEEL, SDIST):
        problem = problem_of(filename, io.BytesIO(mutated))
        assert problem is None or "\n" not in problem


@given(st.data())
def test_raises_nothing_but_malformed_for_tar_headers(data: st.DataObject) -> None:
    """Mutated before it is packed, or the checksum of gzip would refuse everything."""
    good = gzip.decompress(tarred((PKG_INFO, METADATA), ("p/x", b"y"), comment="z").getvalue())
    at = data.draw(st.integers(0, 3000))
    mutated = bytearray(good)
    mutated[at : at + 2] = data.draw(st.binary(min_size=2, max_size=2))
    for start in range(0, 3072, 512):  # the header's checksum is made good, to get past it
        if mutated[start + 257 : start + 262] == b"ustar":
            mutated[start + 148 : start + 156] = b" " * 8
            mutated[start + 148 : start + 156] = b"%06o\0 " % sum(mutated[start : start + 512])
    try:
        found = sdist_metadata(io.BytesIO(gzip.compress(bytes(mutated), 1)))
    except MalformedError:
        return
    assert found is None or len(found) == 2
