"""Packing: one stream for any inflater, whichever library makes it and however many threads do."""

from __future__ import annotations

import io
import random
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from hatch_sign.archives import packing
from hatch_sign.archives.shared_stream import SharedStream

CONTENT = random.Random(1).randbytes(700_000) + b"the same again " * 90_000  # noqa: S311 - to be repeated
"""Several pieces, of which some hardly get smaller and others nearly vanish."""


@pytest.fixture(params=["zlib-ng", "zlib"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    if request.param == "zlib":
        monkeypatch.setitem(sys.modules, "zlib_ng", None)
        monkeypatch.setitem(sys.modules, "zlib_ng.zlib_ng", None)
    packing.compressor.cache_clear()
    yield request.param
    packing.compressor.cache_clear()


def packed(content: bytes, method: int, threads: int) -> tuple[packing.Packed, bytes]:
    with tempfile.TemporaryFile() as file, ThreadPoolExecutor(threads) as executor:
        scratch = SharedStream(file)
        result = packing.pack(io.BytesIO(content), method, scratch, executor)
        return result, b"".join(scratch.read_at(at, count) for at, count in result.extents)


def test_the_library_is_the_one_that_is_asked_for(library: str) -> None:
    assert (packing.compressor() is zlib.compressobj) == (library == "zlib")


@pytest.mark.parametrize("content", [b"", b"a", CONTENT], ids=["nothing", "a byte", "several pieces"])
@pytest.mark.usefixtures("library")
def test_any_inflater_reads_one_stream(content: bytes) -> None:
    result, data = packed(content, zipfile.ZIP_DEFLATED, 2)
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    assert inflater.decompress(data) == content
    assert inflater.eof
    assert inflater.unused_data == b""
    assert (result.packed, result.size, result.crc) == (len(data), len(content), zlib.crc32(content))


@pytest.mark.usefixtures("library")
def test_threads_change_nothing() -> None:
    assert packed(CONTENT, zipfile.ZIP_DEFLATED, 1) == packed(CONTENT, zipfile.ZIP_DEFLATED, 3)


@pytest.mark.usefixtures("library")
def test_what_repeats_gets_small() -> None:
    result, _ = packed(b"the same again " * 90_000, zipfile.ZIP_DEFLATED, 2)
    assert result.packed < result.size // 50


def test_stored_is_stored() -> None:
    assert packed(CONTENT, zipfile.ZIP_STORED, 2)[1] == CONTENT
