from __future__ import annotations

import hashlib
import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatch_sign.values.errors import MalformedError, UnsupportedError
from hatch_sign_authenticode.pe import digest, digests, page_hashes, parse_pe

from .images import AMD64, ARM64, CODE, DATA, I386, IA64, SEQUENCE, make_entry, make_image, patched, places, with_table
from .streams import TrickleStream

LONG = bytes(range(251)) * 40


def digest_of(image: bytes, hash_: str = "sha256") -> bytes:
    stream = io.BytesIO(image)
    return digest(stream, parse_pe(stream), hash_)


def covered(image: bytes) -> bytes:
    """Return what Authenticode covers of an image without a certificate table, cut out by the places of the fields."""
    checksum, directory = places(image)["checksum"][0], places(image)["table-offset"][0]
    padding = bytes(-len(image) % 8)
    return image[:checksum] + image[checksum + 4 : directory] + image[directory + 8 :] + padding


def pages_of(image: bytes, hash_: str = "sha256") -> bytes:
    stream = io.BytesIO(image)
    return page_hashes(stream, parse_pe(stream), hash_)


@pytest.mark.parametrize("machine", [I386, AMD64, ARM64], ids=hex)
@pytest.mark.parametrize("appended", [b"", b"odd", bytes(8), b"PK"])
@pytest.mark.parametrize("hash_", ["sha256", "sha384"])
def test_the_digest_is_over_all_but_what_signing_changes(machine: int, appended: bytes, hash_: str) -> None:
    image = make_image(machine=machine, appended=appended)
    assert digest_of(image, hash_) == hashlib.new(hash_, covered(image)).digest()


def test_checksum_directory_and_table_change_nothing() -> None:
    image = make_image(appended=b"odd")
    signed = with_table(image, make_entry(SEQUENCE))
    other = patched(with_table(image, make_entry(SEQUENCE) * 2), "checksum", 0xFFFFFFFF)
    assert digest_of(image) == digest_of(signed) == digest_of(other)


def test_everything_else_changes_it() -> None:
    image = make_image(sections=(CODE, DATA), appended=b"odd")
    known = {digest_of(image)}
    free = (range_of(image, "checksum", 4), range_of(image, "table-offset", 8))
    headers = set().union(*(range(*each) for each in places_that_matter(image)))
    for at in range(len(image)):
        if any(at in each for each in free) or at in headers:
            continue
        known.add(digest_of(image[:at] + bytes([image[at] ^ 1]) + image[at + 1 :]))
    assert len(known) == 1 + len(image) - 12 - len(headers)


def range_of(image: bytes, name: str, size: int) -> range:
    at = places(image)[name][0]
    return range(at, at + size)


def places_that_matter(image: bytes) -> list[tuple[int, int]]:
    """Return where a change makes the image malformed, or moves what is read; the mutations try these."""
    fields = {name: at for name, (at, _) in places(image).items()}
    kept = ("machine", "section-alignment", "checksum", "table-offset", "table-size")
    widths = {"section-count": 2, "optional-size": 2, "magic": 2}
    return [(0, 2), *((at, at + widths.get(name, 4)) for name, at in fields.items() if name not in kept)]


def test_several_digests_in_one_pass() -> None:
    image = make_image()
    stream = io.BytesIO(image)
    both = digests(stream, parse_pe(stream), ["sha256", "sha512"])
    assert both == {"sha256": digest_of(image), "sha512": hashlib.sha512(covered(image)).digest()}


@given(st.integers(1, 40), st.binary(max_size=20))
def test_a_stream_that_gives_little_at_a_time_gives_the_same(step: int, appended: bytes) -> None:
    image = make_image(appended=appended)
    stream = TrickleStream(image, step)
    assert digest(stream, parse_pe(stream), "sha256") == digest_of(image)


@pytest.mark.parametrize("left", [0, 200, 511, 2000, 2559])
def test_a_file_that_became_shorter_is_malformed(left: int) -> None:
    image = make_image()
    pe = parse_pe(io.BytesIO(image))
    with pytest.raises(MalformedError, match="bytes too early"):
        digest(io.BytesIO(image[:left]), pe, "sha256")


@pytest.mark.parametrize("hash_", ["sha1", "sha256"])
@pytest.mark.parametrize(("machine", "page"), [(I386, 4096), (AMD64, 4096), (ARM64, 4096), (IA64, 8192)])
def test_page_hashes(machine: int, page: int, hash_: str) -> None:
    image = make_image(machine=machine, sections=(LONG, b"", DATA), section_alignment=page, appended=b"not in any page")
    headers = image[:512] + bytes(page - 512)
    checksum, directory = places(image)["checksum"][0], places(image)["table-offset"][0]
    first = headers[:checksum] + headers[checksum + 4 : directory] + headers[directory + 8 :]
    expected = [(0, first)]
    ends = [512 + 10240, 512 + 10240 + 1024]
    expected += [(at, image[at : min(at + page, ends[0])].ljust(page, b"\0")) for at in range(512, ends[0], page)]
    expected.append((ends[0], image[ends[0] : ends[1]].ljust(page, b"\0")))
    entries = [struct.pack("<I", at) + hashlib.new(hash_, data).digest() for at, data in expected]
    entries.append(struct.pack("<I", ends[1]) + bytes(hashlib.new(hash_).digest_size))
    assert pages_of(image, hash_) == b"".join(entries)
    assert pages_of(with_table(image, make_entry(SEQUENCE)), hash_) == b"".join(entries)


def test_page_hashes_of_a_section_of_several_pieces() -> None:
    image = make_image(sections=(bytes((1 << 20) + 5000),))
    found = pages_of(image)
    offsets = [int.from_bytes(found[at : at + 4], "little") for at in range(0, len(found), 36)]
    assert offsets == [0, *range(512, len(image), 4096), len(image)]
    assert {found[at + 4 : at + 36] for at in range(36, len(found) - 72, 36)} == {hashlib.sha256(bytes(4096)).digest()}


def test_a_changed_page_changes_its_hash_alone() -> None:
    image = make_image(sections=(LONG, DATA))
    at = 512 + 4096
    before, after = (pages_of(each) for each in (image, image[:at] + b"\xff" + image[at + 1 :]))
    assert [
        number for number in range(0, len(before), 36) if before[number : number + 36] != after[number : number + 36]
    ] == [72]


@pytest.mark.parametrize(
    "image",
    [
        make_image(section_alignment=8192),
        make_image(section_alignment=512),
        make_image(machine=IA64, section_alignment=4096),
        make_image(stub=bytes(4096)),
        patched(
            patched(patched(make_image(sections=(CODE, CODE)), "first-offset", 1536), "second-offset", 512), "checksum", 1
        ),
    ],
    ids=["large sections", "small sections", "small pages", "long headers", "out of order"],
)
def test_a_file_that_is_not_laid_out_in_pages_has_no_page_hashes(image: bytes) -> None:
    assert digest_of(image)
    with pytest.raises(UnsupportedError, match="in their order, as page hashes need them; sign it without page hashes"):
        pages_of(image)
