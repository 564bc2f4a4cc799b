"""Finding artifacts: what is meant, and what is refused with its reason."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hatch_sign.artifacts import discovery
from hatch_sign.artifacts.discovery import find_artifacts
from hatch_sign.registry import Registry
from hatch_sign.values.errors import UsageError

FORMATS = tuple(Registry().formats().values())


def found(*paths: str | Path) -> list[str]:
    return [artifact.path.name for artifact in find_artifacts(paths, FORMATS)]


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    for name in (
        "a-1.0.tar.gz",
        "a-1.0-py3-none-any.whl",
        "a-1.0-py3-none-any.whl.sigstore.json",
        "a-1.0-py3-none-any.whl.team.sigstore.json",
        "a-1.0.intoto.sigstore.json",
        "SHA256SUMS",
        "SHA256SUMS.sigstore.json",
        ".hidden",
    ):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "binary").mkdir()
    (tmp_path / "binary" / "app").write_bytes(b"x")
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache" / "scratch").write_bytes(b"x")
    return tmp_path


def test_a_folder_means_its_artifacts_and_never_its_signatures(dist: Path) -> None:
    assert found(dist) == ["a-1.0-py3-none-any.whl", "a-1.0.tar.gz", "app"]


def test_an_artifact_is_named_below_the_folder_that_the_user_gave(dist: Path) -> None:
    names = [artifact.name_below(dist) for artifact in find_artifacts([dist], FORMATS)]
    assert names == ["a-1.0-py3-none-any.whl", "a-1.0.tar.gz", "binary/app"]


def test_a_pattern_means_the_artifacts_that_it_matches(dist: Path) -> None:
    assert found(str(dist / "a-1.0*")) == ["a-1.0-py3-none-any.whl", "a-1.0.tar.gz"]


def test_a_file_named_twice_is_found_once(dist: Path) -> None:
    wheel = dist / "a-1.0-py3-none-any.whl"
    assert found(wheel, dist, str(dist / "*.whl")).count(wheel.name) == 1


def test_every_name_in_a_folder_as_a_shell_spells_them_means_the_artifacts(dist: Path) -> None:
    assert found(*sorted(path for path in dist.iterdir() if not path.name.startswith("."))) == found(dist)


@pytest.mark.parametrize(
    "signature",
    [
        "a-1.0-py3-none-any.whl.sigstore.json",
        "a-1.0-py3-none-any.whl.team.sigstore.json",
        "a-1.0.intoto.sigstore.json",
        "SHA256SUMS",
        "SHA256SUMS.sigstore.json",
    ],
)
def test_a_signature_goes_with_its_artifact_alone(dist: Path, signature: str) -> None:
    elsewhere = dist / "binary" / "app"
    with pytest.raises(UsageError, match="is a signature; name the artifact that it belongs to, or the folder of both"):
        found(dist / signature, elsewhere)
    assert found(dist / signature, dist / "a-1.0-py3-none-any.whl") == ["a-1.0-py3-none-any.whl"]


def test_a_sidecar_is_not_passed_over_for_the_sake_of_another_artifact(dist: Path) -> None:
    with pytest.raises(UsageError, match=r"whl\.sigstore\.json is a signature"):
        found(dist / "a-1.0.tar.gz", dist / "a-1.0-py3-none-any.whl.sigstore.json")


@pytest.mark.parametrize("name", [".sigstore.json", ".p7s"])
def test_a_suffix_alone_belongs_to_nothing(dist: Path, name: str) -> None:
    (dist / name).write_bytes(b"x")
    with pytest.raises(UsageError, match="is a signature"):
        found(dist / "a-1.0.tar.gz", dist / name)


def test_a_name_that_looks_like_a_pattern_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a[1].bin").write_bytes(b"x")
    assert found(tmp_path / "a[1].bin") == ["a[1].bin"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing.whl", "does not exist"),
        ("*.nothing", "does not exist"),
        ("a-1.0-py3-none-any.whl.sigstore.json", "is a signature; name the artifact"),
        (".cache", "no artifact found"),
    ],
)
def test_what_names_no_artifact_is_refused(dist: Path, name: str, reason: str) -> None:
    (dist / ".cache" / "scratch").unlink()
    with pytest.raises(UsageError, match=reason):
        found(dist / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_named_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="not a regular file"):
        found(tmp_path)


def test_a_symbolic_link_is_refused(dist: Path) -> None:
    (dist / "link.whl").symlink_to(dist / "a-1.0-py3-none-any.whl")
    with pytest.raises(UsageError, match="is a symbolic link; expected a regular file; name the file itself"):
        found(dist)


def test_a_link_to_a_folder_that_the_user_named_is_followed(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    link = tmp_path_factory.mktemp("elsewhere") / "dist"
    link.symlink_to(dist)
    assert found(link) == found(dist)


def test_control_characters_in_a_name_are_escaped_in_the_message(tmp_path: Path) -> None:
    (tmp_path / "evil\x1b[2J.whl").symlink_to(tmp_path)
    with pytest.raises(UsageError, match=r"evil\\x1b\[2J") as caught:
        found(tmp_path / "evil\x1b[2J.whl", tmp_path)
    assert "\x1b" not in str(caught.value)


def test_a_folder_that_is_no_release_is_refused(dist: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "MOST_FILES", 3)
    with pytest.raises(UsageError, match="holds more than 3 files"):
        found(dist)
