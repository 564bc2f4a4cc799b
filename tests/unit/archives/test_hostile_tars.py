"""Sdists as an attacker may write them."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatch_sign.archives import tar_archive
from hatch_sign.archives.distributions import sdist_metadata
from hatch_sign.values.errors import MalformedError

from .named_archives import METADATA, PKG_INFO, tarred, zipped


def with_member(kind: bytes, name: str = "example_app-1.0/x", target: str = "") -> io.BytesIO:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, target
        archive.addfile(member)
    return stream


# --- hostile tar archives ---------------------------------------------------------------------------------------------


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
        (raw(block(b"x", b"30", b"g"), b"24 GNU.sparse.name=abcd\n".ljust(512, b"\0"), END), ".* has a sparse file"),
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


@pytest.mark.skipif(sys.platform != "linux", reason="the size of a process is read from /proc")
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
    archive = gzip.compress(
        b"".join([block(b"p/big", b"2000000000"), bytes(1 << 28), block(b"p/PKG-INFO", b"%o" % len(METADATA))])
        + METADATA.ljust(512, b"\0")
        + END,
        compresslevel=1,
    )
    environ = dict(os.environ) | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    finished = subprocess.run([sys.executable, "-c", program], input=archive, env=environ, capture_output=True, check=False)
    assert finished.stdout == b"('example-app', '1.0')\n", finished.stderr


# --- anything at all --------------------------------------------------------------------------------------------------


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
