"""The binaries inside wheels and zip applications: chosen, signed once, and the archive written anew around them."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import stat
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate

from hatch_sign.configuration.model import SignatureSettings
from hatch_sign.signing.existing import Overwrite
from hatch_sign.signing.work import Inside
from hatch_sign.values.errors import HatchSignError, MalformedError, RejectedError
from hatch_sign.values.outcomes import Outcome, Verdict
from tests.authority import code_signing_chain

from ...contract.sketches.container_format import END, MAGIC
from ..archives.wheels import INFO, NAME, RECORD, contents_of, hashed, make_wheel
from ..authenticode.signing import check
from ..authenticode.signing import sign as authenticode
from .inside import BOXES, KEY, MEMBERS, OTHER_KEY, SIGNED, is_signed, sign

if TYPE_CHECKING:
    from pathlib import Path

    from hatch_sign.signing.run import SigningReport


def inside(report: SigningReport) -> dict[str, Outcome]:
    """Return what became of each member."""
    report.raise_failure()
    return {outcome.member: outcome for outcome in report.outcomes if outcome.member is not None}


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / NAME
    path.write_bytes(make_wheel(MEMBERS, stored=["app/deep/two.BOX"]))
    return path


def test_signs_what_matches_and_says_so_in_record(wheel: Path) -> None:
    report = sign(wheel.parent)
    details = {member: (outcome.verdict, outcome.detail) for member, outcome in inside(report).items()}
    assert details == dict.fromkeys(["app/one.box", "app/one_again.box", "app/deep/two.BOX"], (Verdict.CONSISTENT, "signed"))
    found = contents_of(wheel)
    assert [name for name in found if is_signed(found[name])] == list(SIGNED)
    unchanged = {"app/__init__.py", "app/not.box", f"{INFO}/METADATA", f"{INFO}/WHEEL"}
    assert {name: found[name] for name in unchanged & MEMBERS.keys()} == {n: MEMBERS[n] for n in unchanged & MEMBERS.keys()}
    rows = {row[0]: row[1:] for row in csv.reader(io.StringIO(found.pop(RECORD).decode()))}
    assert rows.pop(RECORD) == ["", ""]
    assert rows == {name: [hashed(data), str(len(data))] for name, data in found.items()}
    assert (wheel.parent / f"{NAME}.sigstore.json").exists(), "the wheel itself is signed afterwards"


def test_one_content_is_signed_once(wheel: Path) -> None:
    report = sign(wheel.parent)
    assert report.signing_calls == 2 + 1, "two contents, and the wheel"
    found = contents_of(wheel)
    assert found["app/one.box"] == found["app/one_again.box"]


def test_all_else_in_the_archive_stays(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as before:
        kept = {i.filename: (i.date_time, i.external_attr, i.compress_type, i.comment, i.extra) for i in before.infolist()}
        comment, order = before.comment, before.namelist()
        raw = {i.filename: _raw(wheel, i) for i in before.infolist()}
    sign(wheel.parent).raise_failure()
    with zipfile.ZipFile(wheel) as after:
        assert (after.comment, after.namelist()) == (comment, order)
        assert {
            i.filename: (i.date_time, i.external_attr, i.compress_type, i.comment, i.extra) for i in after.infolist()
        } == kept
        untouched = {"app/__init__.py", "app/not.box", f"{INFO}/METADATA"}
        assert {i.filename: _raw(wheel, i) for i in after.infolist() if i.filename in untouched} == {
            name: raw[name] for name in untouched
        }


def _raw(path: Path, member: zipfile.ZipInfo) -> bytes:
    size = 30 + len(member.filename) + len(member.extra) + member.compress_size
    return path.read_bytes()[member.header_offset : member.header_offset + size]


def test_a_second_run_changes_nothing(wheel: Path) -> None:
    sign(wheel.parent).raise_failure()
    before = {path.name: path.read_bytes() for path in wheel.parent.iterdir()}
    again = sign(wheel.parent, overwrite=Overwrite.REFUSE)
    assert {outcome.detail for outcome in inside(again).values()} == {"already signed by this key"}
    assert again.signing_calls == 0
    assert {path.name: path.read_bytes() for path in wheel.parent.iterdir()} == before


def test_what_somebody_else_signed_is_left_alone_unless_told(wheel: Path) -> None:
    sign(wheel.parent, replace(BOXES, key=OTHER_KEY)).raise_failure()
    before = contents_of(wheel)
    left = inside(sign(wheel.parent))
    assert {outcome.verdict for outcome in left.values()} == {Verdict.NOT_APPLICABLE}
    assert all(outcome.detail.startswith("left: signed by") for outcome in left.values())
    assert contents_of(wheel) == before
    told = inside(sign(wheel.parent, replace(BOXES, replace_signatures=True)))
    assert {outcome.detail for outcome in told.values()} == {"signed"}
    assert contents_of(wheel) != before


def test_what_is_excluded_stays(wheel: Path) -> None:
    signed = inside(sign(wheel.parent, replace(BOXES, exclude=("app/deep/*", "ONE_*"))))
    assert set(signed) == {"app/one.box"}
    found = contents_of(wheel)
    assert found["app/deep/two.BOX"] == MEMBERS["app/deep/two.BOX"]
    assert found["app/one_again.box"] == MEMBERS["app/one_again.box"]


def test_a_signature_that_does_not_hold_is_refused(wheel: Path) -> None:
    sign(wheel.parent).raise_failure()
    broken = {**contents_of(wheel)}
    broken["app/one.box"] = broken["app/one.box"].replace(b"first", b"worst", 1)
    damaged = make_wheel({name: data for name, data in broken.items() if not name.startswith(INFO)})
    wheel.write_bytes(damaged)
    report = sign(wheel.parent)
    with pytest.raises(HatchSignError, match=r"app/one.box: its hash-mismatch signature does not hold"):
        report.raise_failure()
    assert (wheel.read_bytes(), report.outcomes) == (damaged, ())


def test_a_damaged_file_is_not_called_a_signature(wheel: Path) -> None:
    damaged = MAGIC + b"content" + (1 << 30).to_bytes(4, "big") + END
    wheel.write_bytes(make_wheel({"app/damaged.box": damaged}))
    report = sign(wheel.parent)
    with pytest.raises(RejectedError, match=r"app/damaged.box is malformed: the block is longer than the file"):
        report.raise_failure()
    assert report.signing_calls == 0


def test_names_that_differ_in_case_alone_are_refused(wheel: Path) -> None:
    wheel.write_bytes(make_wheel({"app/one.box": MAGIC + b"one", "app/One.box": MAGIC + b"other"}))
    before = wheel.read_bytes()
    report = sign(wheel.parent)
    with pytest.raises(MalformedError, match=rf"{NAME}: the archive has app/one.box and app/One.box, which are one file"):
        report.raise_failure()
    assert (wheel.read_bytes(), report.signing_calls) == (before, 0)


@pytest.mark.parametrize("name", [NAME.upper(), "TOOL.PYZ", "Tool.Pyzw"])
def test_archives_are_opened_whatever_the_case_of_their_names(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(make_wheel(MEMBERS))
    assert set(inside(sign(tmp_path))) == set(SIGNED)
    assert is_signed(contents_of(tmp_path / name)["app/one.box"])


def test_a_vendor_whose_name_cannot_be_read_is_told_of_as_such() -> None:
    holder = code_signing_chain("rsa-3072")
    encoded = holder.certificate.public_bytes(Encoding.DER)
    subject = holder.certificate.subject.public_bytes()
    damaged = subject.replace(b"\x06\x03\x55\x04\x03\x0c", b"\x06\x03\x55\x04\x03\x0e")  # no type of text
    certificate = load_der_x509_certificate(encoded.replace(subject, damaged))
    found = check(authenticode(holder=replace(holder, certificates=(certificate, *holder.certificates[1:]))))
    assert found.problem is None
    assert Inside(found, is_ours=False, is_current=False).signers == "a name that is not well-formed"
    assert "CN=" in Inside(check(authenticode(holder=holder)), is_ours=False, is_current=False).signers


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (b"", "it leaves out"),
        (make_wheel({"x": b""}), "is wrong"),
        (b"app/__init__.py,sha256=AAAA,1\n", "its hash of app/__init__.py is none of"),
    ],
    ids=["empty", "binary", "short hash"],
)
def test_a_wheel_whose_record_is_wrong_is_refused_before_anything_is_signed(
    tmp_path: Path, record: bytes, reason: str
) -> None:
    data = make_wheel(MEMBERS, record=record)
    (tmp_path / NAME).write_bytes(data)
    report = sign(tmp_path)
    with pytest.raises(MalformedError, match=f"^{NAME}: .*{reason}"):
        report.raise_failure()
    assert report.signing_calls == 0
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {NAME: data}


def test_zip_applications_keep_what_stands_before_them(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("__main__.py", b"print(1)")
        archive.writestr("lib/a.box", MAGIC + b"a" * 1000)
    program = tmp_path / "tool.pyz"
    program.write_bytes(b"#!/usr/bin/env python3\n" + stream.getvalue())
    program.chmod(0o755)
    assert set(inside(sign(tmp_path))) == {"lib/a.box"}
    assert program.read_bytes().startswith(b"#!/usr/bin/env python3\nPK")
    assert is_signed(contents_of(program)["lib/a.box"])
    assert stat.S_IMODE(program.stat().st_mode) == 0o755, "a program stays one"


def test_plain_files_are_signed_in_place_and_sdists_left(tmp_path: Path) -> None:
    (tmp_path / "tool.box").write_bytes(MAGIC + b"tool")
    (tmp_path / "other.bin").write_bytes(MAGIC + b"other")
    sdist = tmp_path / "example_app-1.0.zip"
    sdist.write_bytes(make_wheel(MEMBERS))
    before = sdist.read_bytes()
    report = sign(tmp_path)
    report.raise_failure()
    assert is_signed((tmp_path / "tool.box").read_bytes())
    assert (tmp_path / "other.bin").read_bytes() == MAGIC + b"other"
    assert sdist.read_bytes() == before
    assert [o.detail for o in report.outcomes if o.format == "toy-container"] == ["signed"]


def test_signatures_of_record_inside_are_refused(tmp_path: Path) -> None:
    members: dict[str, Any] = {**MEMBERS}
    everything = make_wheel({**members, f"{RECORD}.p7s": b"signature"}, record=_record_without_signature())
    (tmp_path / NAME).write_bytes(everything)
    with pytest.raises(HatchSignError, match=r"RECORD.p7s signs its RECORD, which would change; remove it"):
        sign(tmp_path).raise_failure()
    assert (tmp_path / NAME).read_bytes() == everything


def _record_without_signature() -> bytes:
    with zipfile.ZipFile(io.BytesIO(make_wheel(MEMBERS))) as archive:
        return archive.read(RECORD)


def test_two_keys_of_one_format_do_not_stand_in_for_each_other(tmp_path: Path) -> None:
    """The file itself is signed by one key, what is inside the wheel by another, both in the one embedded format."""
    (tmp_path / NAME).write_bytes(make_wheel(MEMBERS))
    (tmp_path / "tool.bin").write_bytes(MAGIC + b"tool")
    top = SignatureSettings(None, KEY, formats=("toy-container",), include=("*.bin",))
    report = sign(tmp_path, replace(BOXES, key=OTHER_KEY), top)
    report.raise_failure()
    signers = {outcome.place: str(outcome.signer) for outcome in report.outcomes}
    assert {place for place, signer in signers.items() if "rsa-3072" in signer} == {f"{NAME}/{name}" for name in SIGNED}
    assert {place for place, signer in signers.items() if "ecdsa-p256" in signer} == {"tool.bin"}


def test_every_signature_inside_is_in_the_audit_file(wheel: Path) -> None:
    sign(wheel.parent, observers=("audit",)).raise_failure()
    lines = [json.loads(line) for line in (wheel.parent.parent / "audit.jsonl").read_text().splitlines()]
    inside_ = {line["member"]: line["digest"] for line in lines if "member" in line}
    assert [(line["artifact"], line["format"]) for line in lines] == [(NAME, "toy-container")] * 2 + [(NAME, "sigstore")]
    found = contents_of(wheel)
    assert inside_ == {name: "sha256:" + hashlib.sha256(found[name]).hexdigest() for name in inside_}


def test_the_same_input_gives_the_same_bytes_but_for_signatures(tmp_path: Path) -> None:
    """PKCS #1 v1.5 signs the same bytes alike, so that nothing may differ."""
    once, twice = tmp_path / "once", tmp_path / "twice"
    top = SignatureSettings(None, OTHER_KEY)
    for folder in (once, twice):
        folder.mkdir()
        (folder / NAME).write_bytes(make_wheel(MEMBERS))
        sign(folder, replace(BOXES, key=OTHER_KEY), top).raise_failure()
    first, second = contents_of(once / NAME), contents_of(twice / NAME)
    assert {name: len(data) for name, data in first.items()} == {name: len(data) for name, data in second.items()}


def test_one_bad_wheel_does_not_keep_the_others_from_being_signed(tmp_path: Path) -> None:
    good, bad = tmp_path / NAME, tmp_path / NAME.replace("1.0", "2.0")
    good.write_bytes(make_wheel(MEMBERS))
    bad.write_bytes(b"no archive")
    report = sign(tmp_path)
    with pytest.raises(MalformedError, match="it has no end record; 1 artifact is signed, run again for the rest"):
        report.raise_failure()
    assert is_signed(contents_of(good)["app/one.box"])
    assert sorted(path.name for path in tmp_path.iterdir()) == [NAME, f"{NAME}.sigstore.json", bad.name]


def test_nothing_is_left_behind_in_the_folder(wheel: Path) -> None:
    sign(wheel.parent).raise_failure()
    assert sorted(path.name for path in wheel.parent.iterdir()) == [NAME, f"{NAME}.sigstore.json"]


# --- what is there already


@pytest.fixture
def signed_before(wheel: Path) -> list[Path]:
    """Return the signatures over the wheel as it is, and before anything inside is signed."""
    everything = SignatureSettings(None, KEY, formats=("sigstore", "checksums", "toy-release"))
    sign(wheel.parent, None, everything).raise_failure()
    return [wheel.with_name(name) for name in (f"{NAME}.sigstore.json", "SHA256SUMS", "example-app-1.0.toyrelease")]


OTHERWISE = SignatureSettings("again", KEY)


def test_signatures_that_it_would_break_are_refused(wheel: Path, signed_before: list[Path]) -> None:
    before = {path: path.read_bytes() for path in wheel.parent.iterdir()}
    with pytest.raises(HatchSignError, match="there already, and not a signature of these bytes") as caught:
        sign(wheel.parent, BOXES, OTHERWISE, overwrite=Overwrite.REFUSE)
    assert all(str(path) in str(caught.value) for path in signed_before)
    assert {path: path.read_bytes() for path in wheel.parent.iterdir()} == before
    assert all(path in before for path in signed_before)


@pytest.mark.parametrize("overwrite", [Overwrite.OTHER, Overwrite.ALWAYS])
def test_signatures_that_it_breaks_are_told_of_and_kept(
    wheel: Path, signed_before: list[Path], overwrite: Overwrite
) -> None:
    warnings: list[str] = []
    sign(wheel.parent, BOXES, OTHERWISE, overwrite=overwrite, warnings=warnings).raise_failure()
    assert is_signed(contents_of(wheel)["app/one.box"])
    told = "is over what was there before something was signed inside: remove or renew it"
    assert sorted(warnings) == sorted(f"{path} {told}" for path in signed_before)
    assert all(path.exists() for path in signed_before)


def test_signatures_that_are_made_anew_or_are_of_others_are_not_told_of(wheel: Path, signed_before: list[Path]) -> None:
    bundle, *shared = signed_before
    for path in shared:
        path.unlink()
    wheel.with_name("SHA256SUMS").write_text(f"{'0' * 64}  another-1.0.tar.gz\n")
    wheel.with_name("broken.toyrelease").write_text("no release")
    warnings: list[str] = []
    sign(wheel.parent, warnings=warnings).raise_failure()
    assert warnings == []
    assert bundle.exists()


def test_where_nothing_inside_changes_no_signature_is_broken(wheel: Path) -> None:
    sign(wheel.parent).raise_failure()
    warnings: list[str] = []
    sign(wheel.parent, BOXES, OTHERWISE, overwrite=Overwrite.REFUSE, warnings=warnings).raise_failure()
    assert warnings == []


def test_what_a_killed_run_left_beside_the_wheel_is_removed(wheel: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path.parent / f"{tmp_path.name}-signatures"
    left = wheel.with_name(f".{NAME[:40]}.4194305-deadbeef.hatch-sign-tmp")
    left.write_bytes(b"a copy of the wheel")
    sign(wheel.parent, output_directory=elsewhere).raise_failure()
    assert not left.exists()
    assert [path.name for path in elsewhere.iterdir()] == [f"{NAME}.sigstore.json"]
