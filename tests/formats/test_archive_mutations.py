"""No mutation of a wheel is read in another way than the standard library reads it, nor written anew as another wheel.

HATCH_SIGN_MUTATIONS sets how many mutations there are of the archive, and of RECORD.
"""

from __future__ import annotations

import csv
import io
import random
import struct
import warnings
import zipfile
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from hatch_sign.archives.opened import open_archive
from hatch_sign.archives.packing import pack
from hatch_sign.archives.record import parse_record
from hatch_sign.archives.shared_stream import SharedStream
from hatch_sign.archives.zip_rewriting import rewrite
from hatch_sign.values.errors import MalformedError

from ..unit.archives.wheels import INFO, NAME, RECORD, make_wheel, read_strictly, record_of
from .mutating import first_seed, mutation_count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

COUNT = mutation_count()
PARTS = 4

MEMBERS = {"app/a.dll": b"library" * 40, "app/b.py": b"print()\n"}
EXTRA = struct.pack("<HHL", 0x5455, 4, 7)
WHEEL = make_wheel(MEMBERS, stored=["app/b.py"], extra=EXTRA)
with zipfile.ZipFile(io.BytesIO(WHEEL)) as _archive:
    CONTENTS = {name: _archive.read(name) for name in _archive.namelist()}
TEXT = record_of({**MEMBERS, f"{INFO}/METADATA": b""})
FILES = (*MEMBERS, f"{INFO}/METADATA", RECORD)
TELLING = (b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"PK\x07\x08")
NUMBERS = (0, 1, 0xFF, 0xFFFF, 0xFFFFFFFF, 0x7FFFFFFF, 1 << 31, 8, 0x800, 0x7075)


def read_by_the_standard_library(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}


def rewritten(data: bytes, threads: ThreadPoolExecutor) -> bytes:
    archive = open_archive(NAME, io.BytesIO(data))
    scratch, target = SharedStream(io.BytesIO()), io.BytesIO()
    member = archive.layout.files["app/a.dll"]
    packed = pack(io.BytesIO(b"other"), member.method, scratch, threads)
    rewrite(archive.stream, archive.layout, {member.name: packed}, scratch, target)
    return target.getvalue()


def assert_harmless(data: bytes, threads: ThreadPoolExecutor) -> bool:
    """Return whether the mutated wheel was accepted, which it may only be as the very same wheel."""
    try:
        found = read_strictly(data, NAME)
    except MalformedError:
        return False
    assert found == CONTENTS
    assert read_by_the_standard_library(data) == CONTENTS
    assert read_by_the_standard_library(rewritten(data, threads)) == {**CONTENTS, "app/a.dll": b"other"}
    return True


def mutations(data: bytes, chance: random.Random, count: int) -> Iterator[bytes]:
    kinds: list[Callable[[bytes, random.Random], bytes]] = [_flip, _flip, _number, _number, _cut, _double, _splice]
    for _ in range(count):
        mutated = data
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            mutated = chance.choice(kinds)(mutated or data, chance)
        yield mutated


def _flip(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]


def _number(data: bytes, chance: random.Random) -> bytes:
    """Put a telling number over a field of a header."""
    starts = [at for magic in TELLING if (at := data.find(magic, chance.randrange(len(data)))) >= 0]
    at = min((chance.choice(starts) if starts else 0) + chance.randrange(4, 46), len(data))
    return data[:at] + struct.pack(chance.choice(("<H", "<L")), chance.choice(NUMBERS) & 0xFFFF) + data[at + 2 :]


def _cut(data: bytes, chance: random.Random) -> bytes:
    begin, end = sorted(chance.randrange(len(data) + 1) for _ in range(2))
    return data[:begin] + data[min(end, begin + 40) :]


def _double(data: bytes, chance: random.Random) -> bytes:
    begin, end = sorted(chance.randrange(len(data) + 1) for _ in range(2))
    return data[:end] + data[begin:end] + data[end:]


def _splice(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(TELLING) + data[at + chance.choice((0, 4)) :]


@pytest.mark.parametrize("part", range(PARTS))
def test_no_mutation_of_a_wheel_is_another_wheel(part: int) -> None:
    chance = random.Random(first_seed() + part)  # noqa: S311 - reproducible, not secret
    with ThreadPoolExecutor(1) as threads, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the standard library, about what it reads all the same
        assert assert_harmless(WHEEL, threads)
        accepted = sum(assert_harmless(mutated, threads) for mutated in mutations(WHEEL, chance, COUNT // PARTS))
    assert 0 < accepted < COUNT // PARTS // 2, "times and attributes may change, and little else"


@pytest.mark.parametrize("part", range(PARTS))
def test_no_mutation_of_record_says_what_csv_does_not_say(part: int) -> None:
    chance = random.Random(first_seed() + part)  # noqa: S311 - as above
    assert parse_record(TEXT, name=RECORD, files=FILES).encode() == TEXT
    for mutated in mutations(TEXT, chance, COUNT // PARTS):
        try:
            record = parse_record(mutated, name=RECORD, files=FILES)
        except MalformedError:
            continue
        assert record.encode() == mutated
        rows = list(csv.reader(io.StringIO(mutated.decode(), newline="")))
        assert [row[0] for row in rows] == [row.path for row in record.rows]
        assert {row[0]: row[2] for row in rows if row[1]} == {
            path: "" if content.size is None else str(content.size) for path, content in record.contents().items()
        }
