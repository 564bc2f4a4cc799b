"""What verifying says of the binaries inside wheels: each judged, all of the archive held against RECORD."""

from __future__ import annotations

import tempfile
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hatch_sign.artifacts.discovery import find_artifacts
from hatch_sign.artifacts.reading import NO_READINGS, read_digests
from hatch_sign.trust.key import KeyRule
from hatch_sign.trust.policy import Policy, ScopedRule
from hatch_sign.values.errors import HatchSignError
from hatch_sign.values.outcomes import Outcome, Verdict
from hatch_sign.verification.reports import ArtifactReport, conclude
from hatch_sign.verification.verifying import verify_release

from ...contract.sketch_plugins import sketch_registry
from ...contract.sketches.container_format import MAGIC
from ...contract.sketches.software_keys import software_key
from ..archives.wheels import NAME, RECORD, contents_of, make_wheel
from ..signing.inside import BOXES, MEMBERS, NOW, OTHER_KEY, SIGNED, TOP, sign

if TYPE_CHECKING:
    from pathlib import Path

    from hatch_sign.artifacts.reading import Readings
    from hatch_sign.configuration.model import ContentsSettings

from hatch_sign.values.algorithms import KeyAlgorithm

BOTH = ("sigstore", "toy-container")


def verify(
    folder: Path,
    *,
    contents: ContentsSettings | None = BOXES,
    require: tuple[str, ...] = BOTH,
    readings: Readings = NO_READINGS,
) -> tuple[ArtifactReport, ...]:
    """Verify all that lies in the folder, trusting the key of the tests alone."""
    registry = sketch_registry()
    key = software_key(KeyAlgorithm.ECDSA_P256).public_key()
    policy = Policy((ScopedRule(KeyRule(key, 3072), "the key of the tests"),), require, NOW)
    formats = registry.formats()
    artifacts = find_artifacts([folder], formats.values())
    return verify_release(artifacts, policy=policy, formats=formats, contents=contents, readings=readings)


def verdicts(report: ArtifactReport) -> dict[str, Verdict]:
    return {outcome.member or outcome.signature: outcome.verdict for outcome in report.outcomes}


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    (tmp_path / NAME).write_bytes(make_wheel(MEMBERS))
    sign(tmp_path).raise_failure()
    return tmp_path


def test_every_binary_is_judged(signed: Path) -> None:
    (report,) = verify(signed)
    assert verdicts(report) == {"sigstore": Verdict.TRUSTED, **dict.fromkeys(SIGNED, Verdict.TRUSTED)}
    assert report.passed
    assert [outcome.member for outcome in report.outcomes][1:] == list(SIGNED), "in the order of the archive"


def test_a_format_that_is_required_is_looked_for_without_a_table_of_contents(signed: Path) -> None:
    with zipfile.ZipFile(signed / NAME) as archive:
        assert archive.namelist()
    (report,) = verify(signed, contents=None)
    assert verdicts(report)["toy-container"] is Verdict.NOT_APPLICABLE, "a box is none of the files that are PE by default"
    assert report.passed


def test_nothing_is_looked_into_where_nothing_asks_for_it(signed: Path) -> None:
    (report,) = verify(signed, contents=None, require=("sigstore",))
    assert verdicts(report) == {"sigstore": Verdict.TRUSTED}


def test_one_binary_that_is_not_signed_rejects_the_wheel(signed: Path) -> None:
    sign_again(signed, {"app/new.box": MAGIC + b"not signed"})
    (report,) = verify(signed)
    assert verdicts(report)["app/new.box"] is Verdict.UNSIGNED
    assert not report.passed
    (lenient,) = verify(signed, require=("sigstore",))
    assert lenient.passed, "what is not required is told of only"


def test_one_binary_of_somebody_else_rejects_the_wheel_unless_it_is_excluded(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(make_wheel(MEMBERS))
    sign(tmp_path, replace(BOXES, key=OTHER_KEY, include=("two.box",))).raise_failure()
    sign(tmp_path, replace(BOXES, exclude=("two.box",))).raise_failure()
    (report,) = verify(tmp_path)
    assert verdicts(report)["app/deep/two.BOX"] is Verdict.UNTRUSTED
    assert not report.passed
    (excluding,) = verify(tmp_path, contents=replace(BOXES, exclude=("two.box",)))
    assert excluding.passed


def test_a_binary_that_was_changed_rejects_the_wheel_though_record_was_changed_with_it(signed: Path) -> None:
    found = contents_of(signed / NAME)
    sign_again(signed, {"app/one.box": found["app/one.box"].replace(b"first", b"worst", 1)})
    (report,) = verify(signed)
    assert verdicts(report)["app/one.box"] is Verdict.HASH_MISMATCH
    assert not report.passed


def test_a_wrong_record_rejects_the_wheel(signed: Path) -> None:
    found = contents_of(signed / NAME)
    members = {name: data for name, data in found.items() if ".dist-info" not in name}
    record = next(data for name, data in found.items() if name.endswith("RECORD"))
    (signed / NAME).write_bytes(make_wheel({**members, "app/__init__.py": b"evil()"}, record=record))
    sign(signed, None, TOP).raise_failure()
    (report,) = verify(signed)
    assert verdicts(report) == {
        "sigstore": Verdict.TRUSTED,
        "contents": Verdict.MALFORMED,
        "toy-container": Verdict.NOT_APPLICABLE,
    }
    assert not report.passed
    (outcome,) = (outcome for outcome in report.outcomes if outcome.signature == "contents")
    assert outcome.detail == "the RECORD of the wheel is wrong: app/__init__.py has another digest or size"


def test_a_folder_for_temporary_files_that_fails_is_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / NAME).write_bytes(make_wheel({"app/large.box": MAGIC + bytes(5 << 20)}, stored=["app/large.box"]))
    sign(tmp_path).raise_failure()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(
        HatchSignError, match=rf"{NAME}: what is inside cannot be read or unpacked: .*; free space"
    ) as caught:
        verify(tmp_path)
    assert caught.value.exit_code == 3


def test_a_wheel_is_one_whatever_the_case_of_its_name(signed: Path) -> None:
    sign_again(signed, {"app/new.box": MAGIC + b"not signed"})
    (signed / f"{NAME}.sigstore.json").unlink()
    (signed / NAME).rename(signed / NAME.upper())
    sign(signed, None, TOP).raise_failure()
    (report,) = verify(signed)
    assert verdicts(report)["app/new.box"] is Verdict.UNSIGNED
    assert not report.passed


def test_names_that_differ_in_case_alone_reject_the_wheel(signed: Path) -> None:
    found = contents_of(signed / NAME)
    sign_again(signed, {"app/ONE.box": found["app/one.box"]})
    (report,) = verify(signed)
    (outcome,) = (outcome for outcome in report.outcomes if outcome.signature == "contents")
    assert (outcome.verdict, report.passed) == (Verdict.MALFORMED, False)
    assert outcome.detail.startswith("the archive has app/one.box and app/ONE.box, which are one file on Windows")


def test_a_wheel_without_binaries_is_not_applicable_and_passes(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(make_wheel({"app/__init__.py": b""}))
    sign(tmp_path).raise_failure()
    (report,) = verify(tmp_path)
    assert verdicts(report) == {"sigstore": Verdict.TRUSTED, "toy-container": Verdict.NOT_APPLICABLE}
    assert report.passed


def test_members_do_not_vouch_for_the_rest_of_the_wheel(signed: Path) -> None:
    (signed / f"{NAME}.sigstore.json").unlink()
    (report,) = verify(signed, require=("toy-container",))
    assert [outcome.detail for outcome in report.outcomes][-1].startswith("nothing trusted covers the whole file")
    assert not report.passed


def test_what_a_format_has_no_say_in_is_not_vouched_for(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_bytes(b"notes")
    (report,) = verify(tmp_path, require=("toy-container",))
    assert not report.passed
    assert report.outcomes[-1].verdict is Verdict.UNSIGNED


def test_a_plain_file_that_is_excluded_is_vouched_for_from_outside_alone(tmp_path: Path) -> None:
    (tmp_path / "vendor.box").write_bytes(MAGIC + b"not ours")
    excluding = replace(BOXES, exclude=("vendor.*",))
    sign(tmp_path, excluding).raise_failure()
    (report,) = verify(tmp_path, contents=excluding)
    assert verdicts(report) == {"sigstore": Verdict.TRUSTED, "toy-container": Verdict.NOT_APPLICABLE}
    assert report.passed
    (strict,) = verify(tmp_path)
    assert verdicts(strict)["toy-container"] is Verdict.UNSIGNED
    assert not strict.passed


def test_concluding_takes_no_rejected_member_for_a_trusted_one(signed: Path) -> None:
    (artifact,) = find_artifacts([signed / NAME], ())
    good = Outcome(NAME, "sigstore", "sigstore", Verdict.TRUSTED)
    members = [Outcome(NAME, "toy", "toy", verdict, member=verdict.value) for verdict in Verdict]
    for member in members:
        report = conclude(artifact, [good, member], ("sigstore", "toy"), {"toy"})
        assert report.passed == (member.verdict in {Verdict.TRUSTED, Verdict.NOT_APPLICABLE}), member.verdict


def sign_again(folder: Path, changed: dict[str, bytes]) -> None:
    """Make the wheel anew with a RECORD that is right, and sign it from outside alone, as a thief of the build would."""
    members = {name: data for name, data in contents_of(folder / NAME).items() if ".dist-info" not in name}
    (folder / NAME).write_bytes(make_wheel({**members, **changed}))
    sign(folder, None, TOP).raise_failure()


@pytest.mark.parametrize("checked", [True, False])
def test_files_that_nobody_signs_are_not_checked_again_where_the_run_that_signed_has_checked_them(
    tmp_path: Path, *, checked: bool
) -> None:
    wheel = tmp_path / NAME
    wheel.write_bytes(make_wheel(MEMBERS))
    signed = sign(tmp_path).readings
    assert [reading.members_checked for reading in signed.values()] == [True]
    with zipfile.ZipFile(wheel) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    wheel.write_bytes(make_wheel({**contents, "app/__init__.py": b"damaged"}, record=contents[RECORD]))
    sign(tmp_path, None).raise_failure()
    reading = replace(read_digests(wheel, {"sha256"}), members_checked=checked)
    (report,) = verify(tmp_path, readings={wheel: reading})
    assert report.passed == checked
    if not checked:
        assert any("another digest or size" in outcome.detail for outcome in report.outcomes)


def test_what_was_not_looked_into_is_not_handed_on_as_checked(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(make_wheel(MEMBERS))
    assert [reading.members_checked for reading in sign(tmp_path, None).readings.values()] == [False]
