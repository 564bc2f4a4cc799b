"""Verified first, all of it, in a private copy; then the very bytes that were verified are sent."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hatch_sign.publishing.run import publish_release
from hatch_sign.values.errors import ConfigurationError, PublishError, RejectedError, UsageError

from .releases import STRANGER, TRUSTING, Place, Project, bundle_over, listening, public_key

if TYPE_CHECKING:
    from hatch_sign.contract import ReleaseFile


def test_artifacts_and_their_signatures_arrive_as_they_were_verified(project: Project) -> None:
    project.add("a.bin", b"first")
    project.add("b.bin", b"second")
    place = Place()
    report = project.publish(place)
    assert (report.exit_code, report.failures) == (0, ())
    assert sorted(place.kept) == ["a.bin", "a.bin.sigstore.json", "b.bin", "b.bin.sigstore.json"]
    assert place.kept["a.bin"] == b"first"
    by_name = {file.name: file for file in place.files}
    assert by_name["a.bin"].sha256 == hashlib.sha256(b"first").digest()
    assert (by_name["a.bin"].size, by_name["a.bin"].format, by_name["a.bin"].artifact) == (5, None, None)
    sidecar = by_name["a.bin.sigstore.json"]
    assert (sidecar.format, sidecar.artifact) == ("sigstore", "a.bin")
    assert place.calls == ["enter", "publish", "read back", "leave"]
    assert report.destinations[0].title == "https://place.example/"
    assert report.destinations[0].done


def unsigned(project: Project) -> None:
    project.add("b.bin", signed_by=None)


def tampered(project: Project) -> None:
    project.add("b.bin").write_bytes(b"tampered")


def signed_by_a_stranger(project: Project) -> None:
    project.add("b.bin", signed_by=STRANGER)


def signed_for_another(project: Project) -> None:
    project.add("b.bin", signed_by=None).with_name("b.bin.sigstore.json").write_bytes(bundle_over("b.bin", b"another"))


def malformed(project: Project) -> None:
    project.add("b.bin").with_name("b.bin.sigstore.json").write_bytes(b"{}")


BAD = [(unsigned, "unsigned"), (tampered, "hash-mismatch"), (signed_by_a_stranger, "untrusted")]
BAD += [(signed_for_another, "hash-mismatch"), (malformed, "malformed")]


@pytest.mark.parametrize(("spoil", "verdict"), BAD, ids=[spoil.__name__ for spoil, _ in BAD])
def test_one_bad_artifact_keeps_the_whole_release_here(project: Project, spoil: object, verdict: str) -> None:
    project.add("a.bin")
    assert callable(spoil)
    spoil(project)
    first, second = Place("first"), Place("second")
    report = project.publish(first, second)
    assert (first.calls, second.calls, report.destinations, report.files) == ([], [], [], ())
    assert report.exit_code == 1
    (failure,) = report.failures
    assert str(failure).startswith(f"{project.dist / 'b.bin'} is rejected: sigstore is {verdict}")
    assert str(failure).endswith("; nothing was published")
    rejected = next(each for each in report.artifacts if not each.passed)
    assert verdict in {outcome.verdict.value for outcome in rejected.outcomes}
    with pytest.raises(RejectedError, match="nothing was published"):
        report.raise_failure()


@pytest.mark.parametrize("when", ["verified", "begins"])
def test_a_swap_after_the_verification_changes_nothing(project: Project, when: str) -> None:
    path = project.add("a.bin", b"verified")

    def swap(*_: object) -> None:
        path.write_bytes(b"swapped!")
        path.with_name("a.bin.sigstore.json").unlink(missing_ok=True)

    place = Place(during=lambda _: path.write_bytes(b"again"))
    report = project.publish(place, listener=listening(when, swap))
    assert report.exit_code == 0
    assert place.kept["a.bin"] == b"verified"
    assert "a.bin.sigstore.json" in place.kept


def test_a_hard_link_or_open_file_of_the_original_reaches_no_copy(project: Project) -> None:
    path = project.add("a.bin", b"verified")
    os.link(path, project.folder / "link")
    with path.open("r+b", buffering=0) as held:
        place = Place(during=lambda _: (held.seek(0), held.write(b"tampered")))
        assert project.publish(place).exit_code == 0
    assert place.kept["a.bin"] == b"verified"


def test_the_copy_is_private_and_gone_at_the_end(project: Project, temporary: Path) -> None:
    project.add("a.bin")
    seen: list[tuple[int, int]] = []

    def look(file: ReleaseFile) -> None:
        (folder,) = temporary.iterdir()
        assert folder in file.path.parents
        seen.append((folder.stat().st_mode & 0o777, len(list(temporary.iterdir()))))

    project.publish(Place(during=look))
    assert seen == [(0o700, 1)] * 2
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, PublishError("down")])
def test_the_copy_is_gone_after_a_failure_and_an_interruption(
    project: Project, temporary: Path, error: BaseException | type[BaseException]
) -> None:
    project.add("a.bin")

    def fail(_: ReleaseFile) -> None:
        raise error

    if error is KeyboardInterrupt:
        with pytest.raises(KeyboardInterrupt):
            project.publish(Place(during=fail))
    else:
        assert project.publish(Place(during=fail)).exit_code == 3
    assert list(temporary.iterdir()) == []


def test_a_signature_that_nobody_trusts_is_not_published(project: Project) -> None:
    path = project.add("a.bin")
    path.with_name("a.bin.second.sigstore.json").write_bytes(bundle_over("a.bin", path.read_bytes(), which=STRANGER))
    place = Place()
    report = project.publish(place)
    assert report.exit_code == 0
    assert "a.bin.second.sigstore.json" not in place.kept
    (withheld,) = report.withheld
    assert withheld.name == "a.bin.second.sigstore.json"
    assert withheld.reason.startswith("it is untrusted")


def test_a_list_and_its_signature_go_along_where_they_speak_of_the_artifacts(project: Project) -> None:
    path = project.add("a.bin", b"listed")
    lines = f"{hashlib.sha256(b'listed').hexdigest()}  a.bin\n".encode()
    (project.dist / "SHA256SUMS").write_bytes(lines)
    (project.dist / "SHA256SUMS.sigstore.json").write_bytes(bundle_over("SHA256SUMS", lines))
    place = Place()
    assert project.publish(place).exit_code == 0
    assert {"SHA256SUMS", "SHA256SUMS.sigstore.json"} <= place.kept.keys()
    covering = {file.name: (file.format, file.artifact) for file in place.files if file.name.startswith("SHA")}
    assert covering == {"SHA256SUMS": ("checksums", None), "SHA256SUMS.sigstore.json": ("sigstore", None)}
    path.rename(project.dist / "b.bin")
    path.with_name("a.bin.sigstore.json").rename(project.dist / "b.bin.sigstore.json")
    other = Place()
    report = project.publish(other)
    assert sorted(other.kept) == ["b.bin", "b.bin.sigstore.json"]
    assert {each.reason for each in report.withheld} == {"it speaks of none of these artifacts"}


def test_a_release_that_a_required_list_names_by_half_is_rejected(project: Project) -> None:
    project.add("a.bin", b"listed")
    project.add("b.bin", b"left out")
    lines = f"{hashlib.sha256(b'listed').hexdigest()}  a.bin\n".encode()
    (project.dist / "SHA256SUMS").write_bytes(lines)
    (project.dist / "SHA256SUMS.sigstore.json").write_bytes(bundle_over("SHA256SUMS", lines))
    configuration = project.configure(TRUSTING.replace('["sigstore"]', '["sigstore", "checksums"]'))
    place = Place()
    report = project.publish(place, configuration=configuration)
    assert (report.exit_code, place.calls) == (1, [])
    assert [each.artifact.name for each in report.artifacts if not each.passed] == ["b.bin"]


def test_signatures_in_a_folder_of_their_own_are_found(project: Project) -> None:
    path = project.add("a.bin")
    aside = project.folder / "signatures"
    aside.mkdir()
    path.with_name("a.bin.sigstore.json").rename(aside / "a.bin.sigstore.json")
    place = Place()
    configuration = project.configure('output-directory = "signatures"\n' + TRUSTING)
    assert project.publish(place, configuration=configuration).exit_code == 0
    assert sorted(place.kept) == ["a.bin", "a.bin.sigstore.json"]
    inside = project.dist / "signatures"
    aside.rename(inside)
    configuration = project.configure('output-directory = "dist/signatures"\n' + TRUSTING)
    assert project.publish(Place(), configuration=configuration).exit_code == 0


def test_two_different_files_of_one_name_are_refused_before_anything_is_sent(project: Project) -> None:
    project.add("linux/tool.bin", b"for linux")
    project.add("mac/tool.bin", b"for mac")
    place = Place()
    with pytest.raises(UsageError, match=r"are different files of one name; publish one of them"):
        project.publish(place)
    assert place.calls == []


def test_the_same_file_twice_is_published_once(project: Project) -> None:
    for folder in ("linux", "mac"):
        project.add(f"{folder}/tool.bin", b"for both")
        (project.dist / folder / "tool.bin.sigstore.json").write_bytes(_BUNDLE)
    place = Place()
    assert project.publish(place).exit_code == 0
    assert [file.name for file in place.files] == ["tool.bin", "tool.bin.sigstore.json"]


_BUNDLE = bundle_over("tool.bin", b"for both")


def test_a_trust_file_kept_elsewhere_takes_the_place_of_the_projects(project: Project) -> None:
    project.add("a.bin", signed_by=STRANGER)
    place = Place()
    lenient = project.configure(TRUSTING.replace("release.pub", "stranger.pub"))
    (project.folder / "stranger.pub").write_bytes(public_key(STRANGER))
    assert project.publish(Place(), configuration=lenient).exit_code == 0
    strict = project.configure(name="elsewhere/hatch-sign.toml")
    report = project.publish(place, configuration=lenient, trust=strict)
    assert (report.exit_code, place.calls) == (1, [])
    project.add("a.bin")
    assert project.publish(place, configuration=lenient, trust=strict).exit_code == 0


def test_nobody_trusted_is_an_error_and_publishes_nothing(project: Project) -> None:
    project.add("a.bin")
    place = Place()
    with pytest.raises(ConfigurationError, match="nobody is trusted"):
        project.publish(place, configuration=project.configure('key = "emulated:test"\n'))
    assert place.calls == []


def test_a_configuration_that_came_with_an_artifact_is_refused_unless_it_is_named(project: Project) -> None:
    project.add("a.bin")
    foreign = project.configure(name="dist/hatch-sign.toml")
    place = Place()
    publishing = project.publishing(place, configuration=foreign)
    with pytest.raises(UsageError, match="lies in the folder of an artifact"):
        publish_release([project.dist / "a.bin"], publishing)
    assert place.calls == []
    named = project.publishing(place, configuration=foreign, named=True)
    assert publish_release([project.dist / "a.bin"], named).exit_code == 0
