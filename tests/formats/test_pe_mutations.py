"""No mutation of a PE file is read but by what it says, and none with other contents has the same digest.

Where the fields are is said by the builder of the images, and the digest is computed by slicing, so that a mistake of the
reader cannot hide behind itself. HATCH_SIGN_MUTATIONS sets how many there are.
"""

from __future__ import annotations

import hashlib
import io
import random
import struct
from collections.abc import Callable
from itertools import pairwise

import pytest

from hatch_sign.values.errors import MalformedError, UnsupportedError
from hatch_sign_authenticode.pe import (
    PEFile,
    compute_checksum,
    digest,
    is_pe,
    page_hashes,
    parse_pe,
    read_signatures,
    write_signatures,
)
from tests.unit.authenticode.images import AMD64, ARM64, I386, SEQUENCE, field, make_entry, make_image, places, with_table
from tests.unit.authenticode.streams import CountingStream

from .mutating import first_seed, mutation_count

COUNT = mutation_count()
ENTRY = make_entry(b"\x30\x81\x90" + bytes(range(1, 145)))
IMAGES = {
    "unsigned": make_image(machine=I386),
    "signed": with_table(make_image(machine=AMD64, appended=b"odd"), ENTRY),
    "twice": with_table(make_image(machine=ARM64, sections=(b"\xcc" * 600, b"", b"data")), ENTRY + make_entry(SEQUENCE)),
}
TELLING = [0, 1, 4, 5, 7, 8, 16, 40, 63, 64, 96, 97, 128, 511, 512, 513, 0x10B, 0x20B, 0x7FFF, 0xFFFF, 0x7FFFFFFF]
TELLING += [0x80000000, 0xFFFFFFF8, 0xFFFFFFFF, 0x05064B50]


def covered(image: bytes) -> bytes:
    """Return what a signature has to cover: all of a well-formed image but the three things that signing changes."""
    checksum, directory = places(image)["checksum"][0], places(image)["table-offset"][0]
    end = field(image, "table-offset") or len(image)
    return image[:checksum] + image[checksum + 4 : directory] + image[directory + 8 : end] + bytes(-end % 8)


def read(image: bytes) -> tuple[bytes, tuple[bytes, ...]] | None:
    """Return the digest and the signatures of an image; None where it is refused. All that is read has to be consistent."""
    stream = CountingStream(image)
    try:
        pe = parse_pe(stream)
        signatures = read_signatures(stream, pe)
    except (MalformedError, UnsupportedError):
        return None
    finally:
        assert stream.count <= 2 * len(image) + 4096
    assert is_pe(image)
    found = digest(stream, pe, "sha256")
    assert found == hashlib.sha256(covered(image)).digest()
    assert_layout(image, pe)
    assert all(each in image[pe.content_end :] for each in signatures)
    assert_page_hashes(stream, pe)
    assert_written(stream, pe, found)
    assert stream.count <= 20 * len(image)
    return found, signatures


def assert_layout(image: bytes, pe: PEFile) -> None:
    assert (pe.size, pe.machine) == (len(image), field(image, "machine"))
    assert pe.checksum == field(image, "checksum")
    assert (pe.checksum_at, pe.directory_at) == (places(image)["checksum"][0], places(image)["table-offset"][0])
    assert pe.table == ((field(image, "table-offset"), field(image, "table-size")) if pe.table else None)
    assert pe.table is None or sum(pe.table) == len(image)
    taken = sorted([(0, pe.headers_size), *((each.offset, each.end) for each in pe.sections)])
    assert all(end <= start for (_, end), (start, _) in pairwise(taken))
    assert pe.image_end == max(end for _, end in taken) <= pe.content_end <= len(image)


def assert_page_hashes(stream: io.BytesIO, pe: PEFile) -> None:
    try:
        found = page_hashes(stream, pe, "sha256")
    except UnsupportedError:
        return
    assert len(found) <= 36 * (pe.size // 4096 + len(pe.sections) + 2)


def assert_written(stream: io.BytesIO, pe: PEFile, expected: bytes) -> None:
    target = io.BytesIO()
    try:
        write_signatures(stream, target, pe, [SEQUENCE])
    except UnsupportedError:
        assert not target.getvalue()
        return
    written = parse_pe(target)
    assert read_signatures(target, written) == (SEQUENCE,)
    assert digest(target, written, "sha256") == expected
    assert written.checksum == compute_checksum(target, written)


@pytest.mark.parametrize("kind", IMAGES)
def test_the_images_themselves_are_read(kind: str) -> None:
    found = read(IMAGES[kind])
    assert found is not None
    assert len(found[1]) == {"unsigned": 0, "signed": 1, "twice": 2}[kind]


@pytest.mark.parametrize("kind", IMAGES)
def test_every_byte_of_the_headers_and_of_the_table(kind: str) -> None:
    original = IMAGES[kind]
    end = field(original, "table-offset") or len(original)
    for at in [*range(512), *range(end, len(original))]:
        for value in (0, 1, 0x7F, 0x80, 0xFF):
            assert_told_apart(original[:at] + bytes([value]) + original[at + 1 :], original, f"byte {at} as {value}:")


@pytest.mark.parametrize("kind", IMAGES)
def test_every_truncation_and_every_doubled_byte(kind: str) -> None:
    original = IMAGES[kind]
    for at in range(len(original)):
        assert read(original[:at]) is None, at
        assert_told_apart(original[:at] + original[at : at + 1] + original[at:], original, f"doubled byte {at}:")


@pytest.mark.parametrize("kind", IMAGES)
def test_random_mutations(kind: str) -> None:
    """The seed in a failure's message reproduces it alone."""
    first = first_seed()
    accepted = 0
    for seed in range(first, first + COUNT // len(IMAGES)):
        mutated = mutate(IMAGES[kind], random.Random(seed))  # noqa: S311 - to be repeated, not to be unguessable
        accepted += assert_told_apart(mutated, IMAGES[kind], f"seed {seed} of {kind}:")
    assert 0 < accepted < COUNT // len(IMAGES), "all or none were read: they test nothing"


def assert_told_apart(mutated: bytes, original: bytes, origin: str) -> bool:
    """Return whether the mutation is read; one with the digest of the original has the same contents."""
    try:
        found = read(mutated)
    except Exception as error:
        error.add_note(origin)
        raise
    expected = hashlib.sha256(covered(original)).digest()
    assert found is None or found[0] != expected or covered(mutated) == covered(original), origin
    return found is not None


def mutate(image: bytes, rng: random.Random) -> bytes:
    """Return a copy with one to three mutations."""
    for _ in range(rng.randint(1, 3)):
        image = rng.choice(MUTATIONS)(image, rng) or b"MZ"
    return image


def change_field(image: bytes, rng: random.Random) -> bytes:
    try:
        at, layout = rng.choice(list(places(image).values()))
        old = image[at : at + struct.calcsize(layout)]
    except struct.error:
        return image
    value = (
        rng.choice(TELLING) if rng.random() < 0.5 else int.from_bytes(old, "little") + rng.choice((-512, -8, -1, 1, 8, 512))
    )
    return image[:at] + (value % (1 << 8 * len(old))).to_bytes(len(old), "little") + image[at + len(old) :]


def change_word(image: bytes, rng: random.Random) -> bytes:
    """Change a number in the headers or in the certificate table."""
    at = rng.randrange(512) & ~1 if rng.random() < 0.6 else max(0, len(image) - rng.randrange(2, 200))
    size = rng.choice((1, 2, 4))
    return image[:at] + (rng.choice(TELLING) % (1 << 8 * size)).to_bytes(size, "little") + image[at + size :]


def change_bytes(image: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(image))
    return image[:at] + rng.randbytes(rng.randint(1, 8)) + image[at + rng.randint(0, 8) :]


def cut(image: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(image))
    return image[:at] + image[at + rng.choice((1, 8, 40, 512)) :]


def extend(image: bytes, rng: random.Random) -> bytes:
    return image + rng.choice((b"\0", bytes(8), ENTRY, b"PK\5\6" + bytes(18), b"UVSC"))


def copy_part(image: bytes, rng: random.Random) -> bytes:
    at, to, size = rng.randrange(len(image)), rng.randrange(len(image)), rng.choice((4, 8, 40))
    return image[:to] + image[at : at + size] + image[to + size :]


MUTATIONS: list[Callable[[bytes, random.Random], bytes]] = [
    change_field,
    change_field,
    change_word,
    change_bytes,
    cut,
    extend,
    copy_part,
]
