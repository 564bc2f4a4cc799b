"""``hatch-sign-authenticode``, called as its script calls it."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from hatch_sign_authenticode import command
from hatch_sign_authenticode.command import main
from hatch_sign_authenticode.stamping import stamp_signatures
from hatch_sign_authenticode.structures import TIMESTAMP
from tests.formats.stamps import Stamp

from .images import make_image, patched
from .signing import IMAGE, Crafted, sign, signatures_in, with_sha1, with_signatures, without_certificate

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = {
    "authenticode-description": "Example \x1b[31m",
    "authenticode-url": "https://example.org/",
    "authenticode-page-hashes": True,
}


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


Runner = Callable[..., Said]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    def call(*arguments: object) -> Said:
        try:
            code = main([str(each) for each in arguments])
        except SystemExit as error:  # argparse's own way to say misuse
            code = int(error.code or 0)
        captured = capsys.readouterr()
        return Said(code, captured.out, captured.err)

    return call


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    return _write(tmp_path / "signed.exe", sign(options=OPTIONS))


@pytest.fixture
def unsigned(tmp_path: Path) -> Path:
    return _write(tmp_path / "unsigned.exe", IMAGE)


# --- show


def test_show_says_what_a_signature_says(run: Runner, signed: Path) -> None:
    said = run("show", signed)
    assert said.code == 0
    headings = [line.split(":")[0].strip() for line in said.out.splitlines()[1:]]
    assert said.out.splitlines()[0].endswith("signed.exe: 1 signature")
    assert headings == [
        "signature", "digest", "page hashes", "signer", "issuer", "serial", "valid", "scheme", "description", "more at",
    ]  # fmt: skip
    assert "over this file, and by the key of its certificate" in said.out
    assert "CN=Example Code Signer" in said.out


def test_show_escapes_what_the_file_says(run: Runner, signed: Path) -> None:
    assert "Example \\x1b[31m" in run("show", signed).out


def test_show_as_json(run: Runner, signed: Path) -> None:
    document = json.loads(run("show", "--json", signed).out)
    (signature,) = document["signatures"]
    assert (document["file"], signature["holds"]) == (str(signed), True)
    assert ["more at", "https://example.org/"] in signature["lines"]


def test_show_refuses_what_is_not_over_the_file(run: Runner, tmp_path: Path) -> None:
    other = make_image(sections=(b"another",))
    said = run("show", _write(tmp_path / "other.exe", with_signatures(*signatures_in(sign()), image=other)))
    assert said.code == 1
    assert "hash-mismatch: the signature is for a file with sha256" in said.out


def test_show_names_the_time_and_who_proves_it(run: Runner, tmp_path: Path) -> None:
    stamped = io.BytesIO()
    assert stamp_signatures(io.BytesIO(sign()), stamped, lambda signature, _: [Stamp().token(signature)])
    said = run("show", _write(tmp_path / "example.exe", stamped.getvalue())).out
    assert "timestamp:   2026-06-01 12:00:00 UTC by CN=Example Timestamp Authority" in said


def test_show_says_what_is_wrong_with_a_timestamp(run: Runner, tmp_path: Path) -> None:
    blob = Crafted(unsigned={TIMESTAMP: [Stamp().token(b"another signature"), b"\x30\x03\x02\x01\x07"]}).encode()
    said = run("show", _write(tmp_path / "example.exe", with_signatures(blob))).out
    assert "over another signature" in said
    assert "malformed: the timestamp" in said
    assert "UTC by" not in said


def test_show_says_that_a_hash_can_be_forged(run: Runner, tmp_path: Path) -> None:
    said = run("show", _write(tmp_path / "example.exe", with_signatures(with_sha1(Crafted().encode()))))
    assert said.code == 1
    assert "signature:   untrusted: it is signed with sha1 only, which can be forged" in said.out


def test_show_survives_a_name_that_is_none(run: Runner, tmp_path: Path) -> None:
    broken = Crafted().encode().replace(b"Example Code Signer", b"\xff" * 19)
    said = run("show", _write(tmp_path / "example.exe", with_signatures(broken)))
    assert "signer:      a name that is not well-formed" in said.out


def test_show_without_the_certificate_of_the_signer(run: Runner, tmp_path: Path) -> None:
    said = run("show", _write(tmp_path / "example.exe", with_signatures(without_certificate(Crafted().encode()))))
    assert said.code == 1
    assert "untrusted: the signature does not bring the certificate of its signer" in said.out
    assert "signer:" not in said.out


def test_show_of_an_unsigned_file(run: Runner, unsigned: Path) -> None:
    said = run("show", unsigned)
    assert (said.code, said.out) == (1, f"{unsigned}: unsigned\n")


@pytest.mark.parametrize(
    ("data", "code", "message"),
    [
        (b"no program", 2, "is no PE file; give an .exe, .dll, .pyd or .sys for Windows"),
        (patched(IMAGE, "first-offset", len(IMAGE)), 1, "not a well-formed PE file"),
        (patched(IMAGE, "directory-count", 4), 2, "a PE file that cannot be signed safely"),
        (with_signatures(b"\x30\x03\x02\x01\x07"), 1, "the signature is not well-formed"),
    ],
)
def test_what_cannot_be_shown_is_one_line(run: Runner, tmp_path: Path, data: bytes, code: int, message: str) -> None:
    said = run("show", _write(tmp_path / "x.exe", data))
    assert (said.code, said.out, said.err.count("\n")) == (code, "", 1)
    assert message in said.err


def test_a_file_that_is_not_there(run: Runner, tmp_path: Path) -> None:
    said = run("show", tmp_path / "none.exe")
    assert said.code == 2
    assert said.err.endswith("none.exe cannot be read: No such file or directory\n")


# --- extract, remove, attach


def test_what_is_taken_out_can_be_put_back(run: Runner, signed: Path, tmp_path: Path) -> None:
    before, signature = signed.read_bytes(), tmp_path / "signature.p7"
    assert run("extract", signed, signature).code == 0
    assert signature.read_bytes() == signatures_in(before)[0]
    assert run("remove", signed).code == 0
    assert run("show", signed).code == 1
    assert run("attach", signed, signature).code == 0
    assert signed.read_bytes() == before


def test_the_file_stays_where_another_output_is_named(run: Runner, signed: Path, tmp_path: Path) -> None:
    before, signature, output = signed.read_bytes(), tmp_path / "signature.p7", tmp_path / "output.exe"
    run("extract", signed, signature)
    assert run("remove", signed, "-o", output).code == 0
    assert signed.read_bytes() == before
    assert run("show", output).code == 1
    assert run("attach", output, signature, "--output", signed).code == 0
    assert run("show", output).code == 1


def test_a_signature_is_nested_beside_those_that_are_there(run: Runner, signed: Path, tmp_path: Path) -> None:
    signature = _write(tmp_path / "signature.p7", Crafted().encode())
    assert run("attach", "--nested", signed, signature).code == 0
    assert "2 signatures" in run("show", signed).out
    assert run("attach", signed, signature).code == 0
    assert "1 signature\n" in run("show", signed).out


@pytest.mark.parametrize(
    ("signature", "reason"),
    [
        (Crafted(digest=bytes(32)).encode(), "does not belong into .*unsigned.exe: hash-mismatch"),
        (signatures_in(sign(make_image(sections=(b"other",))))[0], "hash-mismatch: the signature is for a file with"),
        (b"\x30\x03\x02\x01\x07", "the signature is not well-formed"),
        (b"", "the signature is not DER"),
        (bytes(5 << 20), "signature.p7: the signatures have 4194305 bytes together, expected at most 4194304"),
    ],
)
def test_only_a_signature_over_the_file_is_attached(
    run: Runner, unsigned: Path, tmp_path: Path, signature: bytes, reason: str
) -> None:
    said = run("attach", unsigned, _write(tmp_path / "signature.p7", signature))
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert re.search(reason, said.err), said.err
    assert unsigned.read_bytes() == IMAGE
    assert {path.name for path in tmp_path.iterdir()} == {"unsigned.exe", "signature.p7"}


@pytest.mark.parametrize("command", ["extract", "remove"])
def test_nothing_is_taken_out_of_an_unsigned_file(run: Runner, unsigned: Path, tmp_path: Path, command: str) -> None:
    said = run(command, unsigned, *([tmp_path / "signature.p7"] if command == "extract" else []))
    assert (said.code, said.err) == (1, f"hatch-sign-authenticode: error: {unsigned} holds no signature\n")
    assert {path.name for path in tmp_path.iterdir()} == {"unsigned.exe"}


def test_an_interruption_is_no_trace(run: Runner, signed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "open_file", interrupt)
    assert run("show", signed) == Said(130, "", "")


def test_misuse(run: Runner) -> None:
    assert run().code == 2
    assert run("sign", "x.exe").code == 2


@pytest.mark.skipif(sys.platform == "win32", reason="modes and links are what they are on POSIX")
def test_the_mode_stays_and_a_link_stays_one(run: Runner, signed: Path, tmp_path: Path) -> None:
    signed.chmod(0o755)
    link = tmp_path / "link.exe"
    link.symlink_to(signed.name)
    assert run("remove", link).code == 0
    assert link.is_symlink()
    assert signed.stat().st_mode & 0o777 == 0o755
    assert run("show", signed).code == 1


def test_a_folder_that_is_not_there_is_one_line(run: Runner, signed: Path, tmp_path: Path) -> None:
    said = run("extract", signed, tmp_path / "none" / "signature.p7")
    assert said.code == 3
    assert "cannot be written: No such file or directory; free space" in said.err


def _write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path
