"""When a build is signed, and when it is not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hatch_sign.building.guards import allowed_folders, reason_to_abstain

OUTPUT = Path("/work/project/dist/thing-1.0-py3-none-any.whl")


def reason(output: Path = OUTPUT, *, version: str = "standard", temporary: str = "/tmp", **environ: str) -> str | None:  # noqa: S108 - a name, never a file
    return reason_to_abstain(output, version=version, environ=environ, temporary=[Path(temporary)])


def test_a_release_build_is_signed() -> None:
    assert reason() is None


def test_an_editable_build_is_not() -> None:
    assert reason(version="editable") == "an editable build is no release"


def test_what_pip_builds_is_not() -> None:
    assert "pip" in str(reason(PIP_BUILD_TRACKER="/anywhere"))


def test_an_empty_pip_variable_counts_as_unset() -> None:
    assert reason(PIP_BUILD_TRACKER="") is None


@pytest.mark.parametrize(
    ("output", "environ", "found"),
    [
        ("/tmp/pip-wheel-x/thing.whl", {}, "temporary folder"),  # noqa: S108 - a name, never a file
        ("/work/project/.tox/.pkg/dist/thing.whl", {}, "tox"),
        ("/work/of-tox/.pkg/dist/thing.whl", {"TOX_WORK_DIR": "/work/of-tox"}, "tox"),
        ("/home/me/.cache/uv/builds/thing.whl", {"HOME": "/home/me"}, "cache of uv"),
        ("/caches/uv/x/thing.whl", {"UV_CACHE_DIR": "/caches/uv"}, "cache of uv"),
        ("/caches/uv/x/thing.whl", {"XDG_CACHE_HOME": "/caches"}, "cache of uv"),
        ("/caches/uv/cache/x/thing.whl", {"LOCALAPPDATA": "/caches"}, "cache of uv"),
        ("/anywhere/sdists-v9/editable/thing.whl", {}, "cache of uv"),
        ("/anywhere/builds-v0/.tmpX/thing.whl", {}, "cache of uv"),
    ],
)
def test_a_passing_place_is_named_with_the_remedy(output: str, environ: dict[str, str], found: str) -> None:
    said = str(reason(Path(output), **environ))
    assert found in said
    assert "HATCH_SIGN_ALLOW_DIRECTORY" in said


@pytest.mark.parametrize("output", ["/work/tox/dist/thing.whl", "/work/my-builds-v0/thing.whl"])
def test_a_name_that_only_looks_like_a_passing_place_is_none(output: str) -> None:
    assert reason(Path(output)) is None


@pytest.mark.parametrize("version", ["standard", "editable"])
def test_an_allowed_folder_overrides_places_only(version: str) -> None:
    allowed = os.pathsep.join(["/elsewhere", "/tmp/x"])  # noqa: S108 - as above
    said = reason(Path("/tmp/x/thing.whl"), version=version, HATCH_SIGN_ALLOW_DIRECTORY=allowed)  # noqa: S108 - as above
    assert (said is None) == (version == "standard")


@pytest.mark.parametrize("inner", [".tox/.pkg/dist", "cache/builds-v0/x"])
def test_an_allowed_folder_does_not_allow_a_passing_place_within_it(inner: str) -> None:
    output = Path("/tmp/x", inner, "thing.whl")  # noqa: S108 - as above
    said = reason(output, HATCH_SIGN_ALLOW_DIRECTORY="/tmp/x")  # noqa: S108 - as above
    assert str(said).startswith("it was built in ")
    assert reason(output, HATCH_SIGN_ALLOW_DIRECTORY=str(output.parent)) is None


def test_an_allowed_folder_does_not_override_pip() -> None:
    said = reason(Path("/tmp/x/thing.whl"), HATCH_SIGN_ALLOW_DIRECTORY="/tmp/x", PIP_BUILD_TRACKER="/y")  # noqa: S108 - as above
    assert "pip" in str(said)


def test_an_allowed_folder_does_not_allow_the_one_beside_it() -> None:
    said = reason(Path("/tmp/xy/thing.whl"), HATCH_SIGN_ALLOW_DIRECTORY="/tmp/x")  # noqa: S108 - as above
    assert "temporary folder" in str(said)


def test_relative_and_empty_allowed_folders_are_passed_over() -> None:
    assert allowed_folders({"HATCH_SIGN_ALLOW_DIRECTORY": os.pathsep.join(["", ".", "dist"])}) == ()


def test_a_symbolic_link_does_not_hide_a_passing_place(tmp_path: Path) -> None:
    (tmp_path / "passing").mkdir()
    (tmp_path / "dist").symlink_to(tmp_path / "passing")
    assert reason(tmp_path / "dist" / "thing.whl", temporary=str(tmp_path / "passing")) is not None
    assert reason(tmp_path / "other" / "thing.whl", temporary=str(tmp_path / "passing")) is None
