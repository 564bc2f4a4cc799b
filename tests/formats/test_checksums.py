"""``SHA256SUMS``: what sha256sum takes, and nothing that it would read otherwise."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from hatch_sign.formats.checksums import ChecksumsProducer, ChecksumsVerifier
from hatch_sign.values.artifacts import Subject
from hatch_sign.values.errors import MalformedError, UnsupportedError
from tests.peers.rigs import skip_or_fail

if TYPE_CHECKING:
    from pathlib import Path

PRODUCER, VERIFIER = ChecksumsProducer(), ChecksumsVerifier()
DIGEST = hashlib.sha256(b"a").digest()
LINE = b"%s  a\n" % DIGEST.hex().encode()
NAMES = ["a", "-b", "*c", " d", "e f", "ü.whl", "#g", "sub/h"]


def subject(name: str, data: bytes = b"a") -> Subject:
    return Subject(name, len(data), {"sha256": hashlib.sha256(data).digest()})


def test_writes_what_sha256sum_writes(tmp_path: Path) -> None:
    program = shutil.which("sha256sum")
    if program is None:
        skip_or_fail("sha256sum is not installed: it comes with coreutils")
    (tmp_path / "sub").mkdir()
    for name in NAMES:
        (tmp_path / name).write_bytes(name.encode())
    written = PRODUCER.list([subject(name, name.encode()) for name in NAMES])
    (tmp_path / PRODUCER.filename(None)).write_bytes(written)
    checked = subprocess.run([program, "--check", "--strict", "SHA256SUMS"], cwd=tmp_path, capture_output=True, check=False)
    assert checked.returncode == 0, checked.stdout
    assert checked.stdout.count(b": OK\n") == len(NAMES)
    made = subprocess.run([program, "--", *sorted(NAMES)], cwd=tmp_path, capture_output=True, check=True)
    assert made.stdout == written
    (tmp_path / "a").write_bytes(b"changed")
    checked = subprocess.run([program, "--check", "--strict", "SHA256SUMS"], cwd=tmp_path, capture_output=True, check=False)
    assert checked.returncode == 1


def test_reads_text_and_binary_mode() -> None:
    assert VERIFIER.parse(LINE) == VERIFIER.parse(LINE.replace(b"  ", b" *")) == {"a": DIGEST}


def test_an_escaped_name_is_refused_on_both_sides() -> None:
    with pytest.raises(UnsupportedError, match=r"^a\\x0ab cannot be listed in SHA256SUMS; rename it"):
        PRODUCER.list([subject("a\nb")])
    with pytest.raises(MalformedError, match="SHA256SUMS line 1 is not 64 lower-case"):
        VERIFIER.parse(b"\\" + LINE.replace(b"a\n", b"a\\nb\n"))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "does not end with a complete line"),
        (b"\n", "line 1 is not 64 lower-case hexadecimal digits"),
        (LINE[:-1], "does not end with a complete line"),
        (LINE + LINE, "line 2 lists a again"),
        (LINE + LINE.replace(b"  ", b" *"), "line 2 lists a again"),
        (LINE + b"\n", "line 2 is not"),
        (b"# comment\n" + LINE, "line 1 is not"),
        (LINE.replace(b"\n", b"\r\n"), "line 1 is not"),
        (LINE.replace(b"  ", b" "), "line 1 is not"),
        (LINE.upper(), "line 1 is not"),
        (LINE[1:], "line 1 is not"),
        (LINE.replace(b"a\n", b"\n"), "line 1 is not"),
        (b"SHA256 (a) = " + LINE, "line 1 is not"),
        (LINE.replace(b"a\n", b"\xff\n"), "is not UTF-8 at byte 66"),
        (LINE.replace(b"a\n", b"a\0b\n"), "line 1 is not"),
        (b"\n" * ((16 << 20) + 1), "has 16777217 bytes, expected at most 16777216"),
    ],
)
def test_refuses(data: bytes, reason: str) -> None:
    with pytest.raises(MalformedError, match=f"^SHA256SUMS {reason}"):
        VERIFIER.parse(data)
