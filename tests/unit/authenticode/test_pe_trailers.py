"""Launchers read what is appended to them from the end of the file, where signing puts the certificate table."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from hatch_sign.values.errors import MalformedError, UnsupportedError
from hatch_sign_authenticode.pe import parse_pe, read_signatures, write_signatures

from .images import SEQUENCE, make_entry, make_image, with_table

REACH = 65_557
"""How far from the end of a file the end record of an archive may begin: 22 bytes, and a comment of 65,535."""


def launcher(comment: bytes = b"") -> bytes:
    """Return a launcher as installers of wheels write them: a program, a line that names Python, and an archive."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("__main__.py", "print('started')")
        zipped.comment = comment
    return make_image(appended=b"#!python.exe\r\n" + archive.getvalue())


def written(image: bytes, signature: bytes) -> bytes:
    source, target = io.BytesIO(image), io.BytesIO()
    write_signatures(source, target, parse_pe(source), [signature])
    return target.getvalue()


def signature_of(size: int) -> bytes:
    """Return a structure that makes an entry of `size` bytes."""
    return b"\x30\x83" + (size - 13).to_bytes(3, "big") + bytes(size - 13)


def room(image: bytes) -> int:
    """Return the largest table with which the end record of the appended archive is still in reach."""
    padded = len(image) + -len(image) % 8
    return (REACH - (padded - image.rindex(b"PK\5\6"))) // 8 * 8


def started(folder: Path, image: bytes) -> bool:
    """Return whether Python runs the archive in the image, as the launcher has it do."""
    path = folder / "launcher.exe"
    path.write_bytes(image)
    run = subprocess.run([sys.executable, "-I", path], capture_output=True, text=True, check=False)
    assert (run.returncode == 0) == (run.stdout == "started\n")
    return run.returncode == 0


def test_a_signed_launcher_still_starts(tmp_path: Path) -> None:
    signed = written(launcher(), signature_of(8000))
    assert started(tmp_path, signed)
    with zipfile.ZipFile(io.BytesIO(signed)) as archive:
        assert archive.testzip() is None
    assert not started(tmp_path, make_image())


@pytest.mark.parametrize("length", range(8))
def test_the_largest_table_with_which_the_archive_is_found(length: int) -> None:
    image = launcher(bytes(length))
    largest = room(image)
    assert zipfile.is_zipfile(io.BytesIO(written(image, signature_of(largest))))
    with pytest.raises(
        UnsupportedError, match=r"would be \d+ bytes from the end of the file, and Python looks for it in the"
    ):
        written(image, signature_of(largest + 8))
    assert not zipfile.is_zipfile(io.BytesIO(with_table(image, make_entry(signature_of(largest + 8)))))


def test_a_launcher_starts_with_the_largest_table_and_with_no_larger_one(tmp_path: Path) -> None:
    """From Python 3.13 on, zipimport looks 76 bytes further, for the records of Zip64; zipfile does not."""
    image = launcher()
    largest = room(image)
    assert started(tmp_path, written(image, signature_of(largest)))
    assert not started(tmp_path, with_table(image, make_entry(signature_of(largest + 88))))


def test_without_an_archive_the_table_may_be_larger() -> None:
    signed = written(make_image(appended=b"something else"), signature_of(1 << 17))
    assert parse_pe(io.BytesIO(signed)).table == (2576, 1 << 17)


def test_what_looks_like_an_archive_inside_of_a_section_is_none() -> None:
    image = make_image(sections=(b"PK\5\6" + bytes(18),))
    assert parse_pe(io.BytesIO(written(image, signature_of(1 << 17)))).table


def test_a_refused_launcher_is_not_written() -> None:
    image, target = launcher(), io.BytesIO()
    with pytest.raises(UnsupportedError):
        write_signatures(io.BytesIO(image), target, parse_pe(io.BytesIO(image)), [signature_of(1 << 17)])
    assert target.getvalue() == b""


def test_an_archive_in_the_table_would_be_run_and_is_malformed(tmp_path: Path) -> None:
    """No signature covers the table, so whoever puts an archive there runs what they like under the signer's name."""
    signed = written(launcher(), SEQUENCE)
    archive = launcher()[parse_pe(io.BytesIO(launcher())).image_end :].replace(b"started", b"hostile")
    hidden = with_table(launcher(), make_entry(b"\x30\x82" + len(archive).to_bytes(2, "big") + archive))
    run = subprocess.run([sys.executable, "-I", save(tmp_path, hidden)], capture_output=True, text=True, check=False)
    assert run.stdout != "started\n"
    with pytest.raises(MalformedError, match="what readers of zip archives take for the end of an archive"):
        read_signatures(io.BytesIO(hidden), parse_pe(io.BytesIO(hidden)))
    assert read_signatures(io.BytesIO(signed), parse_pe(io.BytesIO(signed))) == (SEQUENCE,)


def save(folder: Path, image: bytes) -> Path:
    path = folder / "hidden.exe"
    path.write_bytes(image)
    return path


def test_a_signature_that_would_be_taken_for_an_archive_is_not_written() -> None:
    with pytest.raises(UnsupportedError, match="the signature happens to hold what readers of zip archives look for"):
        written(make_image(), b"\x30\x04PK\5\6")


@pytest.mark.parametrize("mark", [b"UVSC", b"UVPY", b"UVUV"])
def test_launchers_that_end_in_a_mark_are_refused(mark: bytes) -> None:
    image = make_image(appended=b"C:\\python.exe\x0d\0\0\0" + mark)
    for each in (image, image + bytes(5)):
        with pytest.raises(UnsupportedError, match="would not start once it is signed; make the launcher with a newer uv"):
            written(each, SEQUENCE)
    assert written(image + b".", SEQUENCE)
