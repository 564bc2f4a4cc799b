from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatch_sign.values.errors import MalformedError, UnsupportedError
from hatch_sign_authenticode.pe import compute_checksum, digest, parse_pe, read_signatures, write_signatures

from .images import ARM64, I386, SEQUENCE, WIDTHS, make_entry, make_image, patched, with_table
from .streams import TrickleStream

IMAGE = make_image()


def written(image: bytes, *signatures: bytes) -> bytes:
    source, target = io.BytesIO(image), io.BytesIO()
    write_signatures(source, target, parse_pe(source), signatures)
    assert target.tell() == len(target.getvalue())
    return target.getvalue()


def signatures_of(image: bytes) -> tuple[bytes, ...]:
    stream = io.BytesIO(image)
    return read_signatures(stream, parse_pe(stream))


def digest_of(image: bytes) -> bytes:
    stream = io.BytesIO(image)
    return digest(stream, parse_pe(stream), "sha256")


def plain_checksum(image: bytes) -> int:
    """Return the checksum as its definition has it: words, each carry added at once, and the size."""
    total = 0
    cleared = patched(image, "checksum", 0)
    for (word,) in struct.iter_unpack("<H", cleared + bytes(len(cleared) % 2)):
        total += word
        total = (total & 0xFFFF) + (total >> 16)
    return total + len(image)


def der(contents: bytes) -> bytes:
    """Return a SEQUENCE, which stands for a PKCS #7 structure."""
    size = len(contents).to_bytes(3, "big")
    return (bytes([0x30, len(contents)]) if len(contents) < 128 else b"\x30\x83" + size) + contents


def is_ordinary(data: bytes) -> bool:
    """Return whether no launcher would look for it at the end of its file, which test_pe_trailers.py is about."""
    return b"PK\5\6" not in data and b"UV" not in data


blobs = st.binary(max_size=300).filter(is_ordinary).map(der)
images = st.builds(
    make_image,
    machine=st.sampled_from(sorted(WIDTHS)),
    sections=st.lists(st.binary(max_size=1500), min_size=1, max_size=4).map(tuple),
    appended=st.binary(max_size=40).filter(is_ordinary),
)


@given(images, st.lists(blobs, min_size=1, max_size=3), st.lists(blobs, min_size=1, max_size=3))
def test_what_is_written_is_read(image: bytes, first: list[bytes], second: list[bytes]) -> None:
    signed = written(image, *first)
    assert signatures_of(signed) == tuple(first)
    assert digest_of(signed) == digest_of(image)
    assert len(signed) % 8 == 0
    assert parse_pe(io.BytesIO(signed)).checksum == plain_checksum(signed)
    assert written(signed, *second) == written(image, *second)
    assert written(signed, *first) == signed


@given(images, blobs)
def test_removing_leaves_the_file_as_it_was_but_for_zeros_at_its_end(image: bytes, blob: bytes) -> None:
    bare = written(written(image, blob))
    padded = image + bytes(-len(image) % 8)
    assert bare == patched(padded, "checksum", plain_checksum(padded))
    assert signatures_of(bare) == ()
    assert digest_of(bare) == digest_of(image)


@given(images)
def test_checksums_are_those_of_the_definition(image: bytes) -> None:
    stream = io.BytesIO(image)
    assert compute_checksum(stream, parse_pe(stream)) == plain_checksum(image)


def test_a_checksum_of_nothing_but_carries() -> None:
    """A sum that is 0 modulo 65535 is 65535: it came from carries."""
    sum_ = (plain_checksum(IMAGE) - len(IMAGE)) % 0xFFFF
    image = make_image(appended=struct.pack("<H", 0xFFFF - sum_) + bytes(2))
    stream = io.BytesIO(image)
    assert compute_checksum(stream, parse_pe(stream)) == plain_checksum(image) == 0xFFFF + len(image)


def test_a_wrong_checksum_is_seen_and_written_right() -> None:
    image = patched(IMAGE, "checksum", 0xDEADBEEF)
    stream = io.BytesIO(image)
    pe = parse_pe(stream)
    assert pe.checksum == 0xDEADBEEF
    assert compute_checksum(stream, pe) == plain_checksum(IMAGE)
    assert written(image, SEQUENCE) == written(IMAGE, SEQUENCE)


@given(st.integers(1, 50))
def test_a_stream_that_gives_little_at_a_time_is_copied_whole(step: int) -> None:
    image = make_image(appended=b"odd")
    source, target = TrickleStream(image, step), io.BytesIO()
    write_signatures(source, target, parse_pe(source), [SEQUENCE])
    assert target.getvalue() == written(image, SEQUENCE)


@pytest.mark.parametrize("size", [(1 << 20) - 3, 1 << 20, (2 << 20) + 1])
def test_files_of_several_pieces(size: int) -> None:
    image = make_image(sections=(b"\xa5" * 700_001,), appended=b"\x5a" * size)
    signed = written(image, SEQUENCE)
    assert parse_pe(io.BytesIO(signed)).checksum == plain_checksum(signed)
    assert digest_of(signed) == digest_of(image)


@pytest.mark.parametrize("machine", [I386, ARM64], ids=hex)
def test_where_the_table_is_written(machine: int) -> None:
    image = make_image(machine=machine, appended=b"odd")
    signed = written(image, SEQUENCE)
    assert signed == patched(with_table(image, make_entry(SEQUENCE + bytes(3))), "checksum", plain_checksum(signed))


def test_a_file_without_signatures_has_none() -> None:
    assert signatures_of(IMAGE) == ()


@pytest.mark.parametrize(("revision", "kind"), [(0x100, 2), (0x200, 1), (0x200, 3), (0x200, 4), (0x200, 0xEF1)])
def test_entries_of_other_kinds_could_hold_anything_and_are_refused(revision: int, kind: int) -> None:
    other = make_entry(b"a payload that nobody signed", revision=revision, kind=kind)
    for table in (other, make_entry(SEQUENCE) + other, other + make_entry(SEQUENCE)):
        image = with_table(IMAGE, table)
        with pytest.raises(MalformedError, match=f"an entry of revision {revision:#x} and type {kind:#x}, expected PKCS #7"):
            signatures_of(image)
        assert written(image, SEQUENCE) == written(IMAGE, SEQUENCE), "signing anew leaves it out"


@pytest.mark.parametrize("length", [13, 14, 16])
def test_padding_counts_as_part_of_the_entry_or_not(length: int) -> None:
    assert signatures_of(with_table(IMAGE, make_entry(SEQUENCE, length=length))) == (SEQUENCE,)


ZEROS = "the certificate table holds bytes outside of any signature, expected zeros"


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (make_entry(SEQUENCE, length=0), "the certificate table has an entry of 0 bytes at 0, and 16 bytes from there on"),
        (make_entry(SEQUENCE, length=8), "the certificate table has an entry of 8 bytes at 0"),
        (make_entry(SEQUENCE, length=17), "the certificate table has an entry of 17 bytes at 0, and 16 bytes from there on"),
        (make_entry(SEQUENCE, length=0xFFFFFFFF), "the certificate table has an entry of 4294967295 bytes at 0"),
        (make_entry(SEQUENCE) + bytes(8), "the certificate table has an entry of 0 bytes at 16, and 8 bytes from there on"),
        (make_entry(SEQUENCE) * 33, "the certificate table has more than 32 entries"),
        (make_entry(b"\x04\x03abc"), "the certificate table has an entry that is no PKCS #7 structure"),
        (make_entry(b"\x30"), "the certificate table has an entry that is no PKCS #7 structure"),
        (make_entry(b"\x30\x06" + bytes(5)), "a PKCS #7 structure of 6 bytes is longer than its entry of 7"),
        (make_entry(b"\x30\x84\xff\xff\xff\xff", length=14), "a PKCS #7 structure of 4294967295 bytes is longer than"),
        (make_entry(b"\x30\x84\xff"), "is longer than its entry of 3 in the certificate table"),
        (make_entry(SEQUENCE + b"\0\0\1"), ZEROS),
        (make_entry(SEQUENCE)[:-1] + b"\1", ZEROS),
        (make_entry(SEQUENCE + bytes(90) + b"smuggled"), ZEROS),
        (make_entry(b"", length=13, kind=1) + SEQUENCE + b"\0\0\1", ZEROS),
    ],
)
def test_a_table_whose_entries_do_not_fill_it_is_malformed(table: bytes, reason: str) -> None:
    with pytest.raises(MalformedError) as caught:
        signatures_of(with_table(IMAGE, table))
    assert reason in str(caught.value)


def test_a_table_of_the_most_entries() -> None:
    signed = written(IMAGE, *[SEQUENCE] * 32)
    assert signatures_of(signed) == (SEQUENCE,) * 32
    with pytest.raises(UnsupportedError, match="33 signatures of 528 bytes do not fit"):
        written(IMAGE, *[SEQUENCE] * 33)


def test_a_table_above_the_largest_size_is_malformed() -> None:
    contents = der(bytes((16 << 20) - 5))
    image = with_table(IMAGE, make_entry(contents))
    with pytest.raises(MalformedError, match="the certificate table has 16777224 bytes, expected at most 16777216"):
        signatures_of(image)
    with pytest.raises(UnsupportedError, match="1 signatures of 16777224 bytes do not fit"):
        written(IMAGE, contents)


def test_a_file_that_signing_would_grow_past_four_gibibytes_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "large.exe"
    path.write_bytes(IMAGE)
    target = io.BytesIO()
    with path.open("r+b") as source:
        source.truncate((1 << 32) - 16)
        with pytest.raises(UnsupportedError, match="1 signatures of 16 bytes do not fit into a PE file of 4294967280"):
            write_signatures(source, target, parse_pe(source), [SEQUENCE])
    assert target.getvalue() == b""


def test_a_source_that_became_shorter_is_malformed() -> None:
    pe = parse_pe(io.BytesIO(IMAGE))
    with pytest.raises(MalformedError, match="the file ends 1 bytes too early"):
        write_signatures(io.BytesIO(IMAGE[:-1]), io.BytesIO(), pe, [SEQUENCE])
    signed = with_table(IMAGE, make_entry(SEQUENCE))
    with pytest.raises(MalformedError, match="the file ends 1 bytes too early"):
        read_signatures(io.BytesIO(signed[:-1]), parse_pe(io.BytesIO(signed)))
