from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from hatch_sign.values.errors import HatchSignError, MalformedError, UnsupportedError
from hatch_sign_authenticode.pe import HEAD_SIZE, Section, is_pe, parse_pe

from .images import (
    AMD64,
    ARM64,
    CODE,
    I386,
    SEQUENCE,
    WIDTHS,
    field,
    make_entry,
    make_image,
    patched,
    places,
    with_table,
)

IMAGE = make_image()
SIGNED = with_table(IMAGE, make_entry(SEQUENCE))
Change = Callable[[bytes], bytes]


def put(name: str, value: int | bytes) -> Change:
    return lambda image: patched(image, name, value)


def add(name: str, value: int) -> Change:
    return lambda image: patched(image, name, field(image, name) + value)


@pytest.mark.parametrize("machine", WIDTHS, ids=hex)
def test_the_layout_of_every_machine(machine: int) -> None:
    image = patched(make_image(machine=machine, sections=(CODE, b"", b"x")), "checksum", 0x1234567)
    pe = parse_pe(io.BytesIO(image))
    assert (pe.size, pe.machine, pe.checksum, pe.table) == (len(image), machine, 0x1234567, None)
    assert (pe.checksum_at, pe.directory_at) == (places(image)["checksum"][0], places(image)["table-offset"][0])
    assert pe.sections == (Section(512, 1024), Section(1536, 512))
    assert (pe.headers_size, pe.section_alignment, pe.content_end, pe.padding) == (512, 4096, 2048, 0)


def test_the_certificate_table_and_what_is_appended() -> None:
    image = with_table(make_image(appended=b"abc"), make_entry(SEQUENCE))
    pe = parse_pe(io.BytesIO(image))
    assert pe.table == (2568, 16)
    assert (pe.image_end, pe.content_end, pe.padding, pe.size) == (2560, 2568, 0, 2584)
    assert parse_pe(io.BytesIO(make_image(appended=b"abc"))).padding == 5


def test_no_sections_with_data() -> None:
    pe = parse_pe(io.BytesIO(make_image(sections=(b"",))))
    assert (pe.sections, pe.image_end) == ((), pe.headers_size)


def test_a_section_without_a_place_in_the_file_has_no_data_there() -> None:
    pe = parse_pe(io.BytesIO(patched(IMAGE, "first-offset", 0)))
    assert pe.sections == (Section(1536, 1024),)


BROKEN: list[tuple[bytes, Change, str]] = [
    (IMAGE, lambda _: b"", "its headers go up to 64, past the end of the file at 0"),
    (IMAGE, lambda image: image[:63], "its headers go up to 64, past the end of the file at 63"),
    (IMAGE, lambda image: b"ZM" + image[2:], "it does not begin with MZ"),
    (IMAGE, put("header-offset", 130), "its PE header is at 130, expected a multiple of 4"),
    (IMAGE, put("header-offset", 0xFFFFFFFC), "its PE header is at 4294967292, behind the end of the file at 2560"),
    (IMAGE, put("header-offset", 2560 - 20), "its PE header is at 2540, behind the end of the file at 2560"),
    (IMAGE, put("mark", b"PE\0\1"), "it has no PE header where the DOS header says"),
    (IMAGE, put("magic", 0x10C), "its optional header begins with 0x10c, expected 0x10b or 0x20b"),
    (IMAGE, put("optional-size", 0), "its optional header begins with 0x0, expected"),
    (IMAGE, put("optional-size", 111), "its optional header has 111 bytes, expected at least 112"),
    (IMAGE, put("optional-size", 0xFFFF), "its headers go up to 65687, past the end of the file at 2560"),
    (IMAGE, put("optional-size", 2392), "its headers go up to 2624, past the end of the file at 2560"),
    (
        IMAGE,
        put("directory-count", 17),
        "it counts 17 data directories, which do not fit into an optional header of 240 bytes",
    ),
    (IMAGE, put("directory-count", 0xFFFFFFFF), "it counts 4294967295 data directories, which do not fit"),
    (IMAGE, put("headers-size", 471), "its headers are said to have 471 bytes, expected 472 to 2560"),
    (IMAGE, put("headers-size", 0), "its headers are said to have 0 bytes"),
    (IMAGE, put("headers-size", 0xFFFFFFFF), "its headers are said to have 4294967295 bytes"),
    (IMAGE, put("first-size", 1025), "two of its sections overlap at 1536"),
    (IMAGE, put("second-offset", 512), "two of its sections overlap at 512"),
    (IMAGE, put("second-size", 1025), "a section goes up to 2561, past the end of what is signed at 2560"),
    (IMAGE, put("second-offset", 0xFFFFFFFF), "a section goes up to 4294968319, past the end"),
    (IMAGE, put("second-size", 0xFFFFFFFF), "past the end of what is signed"),
    (IMAGE, lambda image: image[:-1], "a section goes up to 2560, past the end of what is signed at 2559"),
    (IMAGE, put("first-offset", 471), "a section begins at 471, inside the section table, which ends at 472"),
    (IMAGE, put("table-offset", 2560), "its certificate table is said to have 0 bytes at 2560, expected two multiples of 8"),
    (IMAGE, put("table-size", 16), "its certificate table is said to have 16 bytes at 0"),
    (SIGNED, add("table-offset", -4), "its certificate table is said to have 16 bytes at 2556"),
    (SIGNED, add("table-size", -1), "its certificate table is said to have 15 bytes at 2560"),
    (SIGNED, add("table-size", 8), "its certificate table of 24 bytes at 2560 goes past the end of the file at 2576"),
    (SIGNED, put("table-size", 0xFFFFFFF8), "its certificate table of 4294967288 bytes at 2560 goes past the end"),
    (SIGNED, put("table-offset", 0xFFFFFFF8), "its certificate table of 16 bytes at 4294967288 goes past the end"),
    (SIGNED, add("table-size", -8), "8 bytes follow its certificate table, where no signature covers them"),
    (SIGNED, lambda image: image + b"\0", "1 bytes follow its certificate table"),
    (SIGNED, add("table-offset", -16), "16 bytes follow its certificate table"),
    (
        SIGNED,
        lambda image: patched(add("table-offset", -8)(image), "table-size", 24),
        "past the end of what is signed at 2552",
    ),
    (SIGNED, lambda image: patched(put("table-offset", 8)(image), "table-size", 2568), "expected 472 to 8"),
]

UNSAFE: list[tuple[bytes, str]] = [
    (make_image(directories=4), "it has 4 data directories, and the fifth is for signatures"),
    (make_image(machine=I386, directories=0), "it has 0 data directories"),
    (make_image(sections=()), "it has 0 sections, expected 1 to 96"),
    (make_image(sections=(b"",) * 97), "it has 97 sections, expected 1 to 96"),
    (patched(IMAGE, "headers-size", 1024), "a section begins at 512, inside the headers, which are said to have 1024 bytes"),
    (patched(IMAGE, "header-offset", 60), "its PE header is at 60, inside the DOS header"),
    (make_image(stub=bytes(1 << 19)), "its PE header is at 524352, expected at most 524288"),
    (patched(IMAGE, "magic", 0x107), "it is a ROM image, which has no place for a signature"),
    (patched(IMAGE, "mark", b"NE\x05\x01"), "it is a program for 16-bit Windows, which has no place for a signature"),
    (patched(IMAGE, "mark", b"LE\0\0"), "it is a program for OS/2 or VxD"),
    (patched(IMAGE, "mark", b"LX\0\0"), "it is a program for OS/2"),
]


@pytest.mark.parametrize(("image", "change", "reason"), BROKEN, ids=[reason[:60] for _, _, reason in BROKEN])
def test_broken_structures_are_malformed(image: bytes, change: Change, reason: str) -> None:
    parse_pe(io.BytesIO(image))
    assert_refused(change(image), MalformedError, reason)


@pytest.mark.parametrize(("image", "reason"), UNSAFE, ids=[reason[:60] for _, reason in UNSAFE])
def test_structures_that_cannot_be_signed_safely_are_unsupported(image: bytes, reason: str) -> None:
    assert_refused(image, UnsupportedError, reason)


def test_the_bounds_themselves_are_inside() -> None:
    assert len(parse_pe(io.BytesIO(make_image(sections=(b"x",) * 96))).sections) == 96
    assert parse_pe(io.BytesIO(make_image(directories=5))).table is None
    assert parse_pe(io.BytesIO(make_image(directories=20))).table is None
    assert parse_pe(io.BytesIO(make_image(stub=bytes((1 << 19) - 64)))).headers_size == (1 << 19) + 512


def test_a_file_of_four_gibibytes_is_unsupported(tmp_path: Path) -> None:
    path = tmp_path / "large.exe"
    path.write_bytes(IMAGE)
    with path.open("r+b") as stream:
        stream.truncate((1 << 32) - 1)
        assert parse_pe(stream).size == (1 << 32) - 1
        stream.truncate(1 << 32)
        with pytest.raises(UnsupportedError, match="it has 4294967296 bytes, and a PE file has at most 4294967295"):
            parse_pe(stream)


@pytest.mark.parametrize("machine", [AMD64, ARM64, I386], ids=hex)
def test_what_claims_to_be_pe(machine: int) -> None:
    image = make_image(machine=machine)
    assert is_pe(image)
    assert is_pe(image[:HEAD_SIZE])
    assert is_pe(image[:64])  # Too few bytes to tell, so parsing has to.
    assert is_pe(patched(image, "header-offset", 0xFFFFFFFF))


@pytest.mark.parametrize("head", [b"", b"MZ", IMAGE[:63], b"ZM" + IMAGE[2:], b"\x7fELF".ljust(200, b"\0"), b"PK\3\4" * 99])
def test_what_does_not(head: bytes) -> None:
    assert not is_pe(head)


def test_a_program_for_dos_does_not() -> None:
    assert not is_pe(patched(IMAGE, "mark", b"\0\0\0\0"))


def assert_refused(image: bytes, error: type[HatchSignError], reason: str) -> None:
    with pytest.raises(error) as caught:
        parse_pe(io.BytesIO(image))
    assert reason in caught.value.message
    assert "\n" not in caught.value.message
