"""Wheels and sdists whose metadata vouches for their names, and does not."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatch_sign.archives.distributions import check_name, declared_name, sdist_metadata, wheel_metadata
from hatch_sign.values.errors import MalformedError

from .named_archives import GOOD, INFO, METADATA, PKG_INFO, SDIST, WHEEL, problem_of, tarred, zipped

if TYPE_CHECKING:
    from pathlib import Path


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        (WHEEL, ("example-app", "1.0")),
        ("A.B-1.0.post0-1-py3-none-any.whl", ("a-b", "1.0.post0")),
        (SDIST, ("example-app", "1.0")),
        ("a-1.0.0rc1.zip", ("a", "1.0.0rc1")),
        ("a-1.0.whl", None),
        ("a.tar.gz", None),
        ("a-x.tar.gz", None),
        ("a-1.0.tar.bz2", None),
        ("tool.exe", None),
        ("", None),
    ],
)
def test_declared_name(filename: str, expected: tuple[str, str] | None) -> None:
    assert declared_name(filename) == expected


# --- what is inside ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_wheel_agrees_with_its_name(method: int) -> None:
    stream = zipped(("example_app/__init__.py", b"x" * 5000), (INFO, METADATA), method=method)
    assert wheel_metadata(stream) == ("example-app", "1.0")
    assert problem_of(WHEEL, stream) is None
    problem = problem_of("example_app-2.0-py3-none-any.whl", stream)
    assert problem == "its file name says example-app 2.0, its metadata example-app 1.0"
    assert not stream.closed


@pytest.mark.parametrize("style", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_an_sdist_agrees_with_its_name(style: int) -> None:
    long = "example_app-1.0/" + "d" * 90 + "/" + "f" * 90
    stream = tarred(
        (long, b"x" * 1000), (PKG_INFO, METADATA), ("example_app-1.0/src/a.egg-info/PKG-INFO", b"?"), style=style
    )
    assert problem_of(SDIST, stream) is None
    assert problem_of("another-1.0.tar.gz", stream) == ("its file name says another 1.0, its metadata example-app 1.0")
    assert not stream.closed


def test_a_zipped_sdist_agrees_with_its_name() -> None:
    stream = zipped((PKG_INFO, METADATA), ("example_app-1.0/a/PKG-INFO", b"?"))
    assert problem_of("example_app-1.0.zip", stream) is None
    assert problem_of("example_app-1.1.zip", stream) is not None


def test_long_names_in_extended_headers_count() -> None:
    stream = tarred(("short", METADATA), path=PKG_INFO)
    assert problem_of(SDIST, stream) is None
    assert problem_of("another-1.0.tar.gz", stream) is not None


def test_what_is_no_distribution_has_no_problem() -> None:
    assert not check_name("tool.bin", io.BytesIO(b"anything"))
    assert not check_name("tool-1.0.tar.gz", tarred(("tool-1.0/tool", b"x")))
    assert sdist_metadata(tarred(("PKG-INFO", METADATA))) is None


def test_a_wheel_must_be_called_like_one() -> None:
    assert problem_of("a-1.whl", zipped((INFO, METADATA))) == "a-1.whl is not a well-formed name of a wheel"


def test_reads_what_a_build_backend_writes(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "Example.App"\nversion = "1.0"\nrequires-python = ">=3.11"\n'
        "[tool.hatch.build.targets.wheel]\nbypass-selection = true\n"
    )
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-d", "dist"], cwd=tmp_path, check=True, capture_output=True)
    assert sorted(path.name for path in (tmp_path / "dist").iterdir()) == [WHEEL, SDIST]
    for filename in (WHEEL, SDIST):
        with (tmp_path / "dist" / filename).open("rb") as stream:
            assert problem_of(filename, stream) is None
            assert problem_of(filename.replace("1.0", "1.1"), stream) is not None


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        (b"", "the metadata has 0 times Name"),
        (b"Name: a\n\nVersion: 1\n", "the metadata has 0 times Version"),
        (b"Name: a\nno header\nVersion: 1\n", "the metadata has 0 times Version"),
        (b"Name: a\nname: b\nVersion: 1\n", "the metadata has 2 times Name"),
        (b"Name: a\rVersion: 1\rVersion: 2\n", "the metadata has 2 times Version"),
        (b"Name: a b\nVersion: 1\n", "the metadata is not well-formed: name is invalid"),
        (b"Name: a\nVersion: x\n", "the metadata is not well-formed: Invalid version"),
        (b"Name: \xff\nVersion: 1\n", "the metadata is not well-formed: 'utf-8' codec"),
    ],
)
def test_refuses_metadata(metadata: bytes, reason: str) -> None:
    for read, stream in (
        (wheel_metadata, zipped((INFO, metadata))),
        (sdist_metadata, tarred((PKG_INFO, metadata))),
        (sdist_metadata, zipped((PKG_INFO, metadata))),
    ):
        with pytest.raises(MalformedError, match=f"^{reason}"):
            read(stream)


# --- anything at all --------------------------------------------------------------------------------------------------


@given(st.data())
def test_raises_nothing_but_malformed(data: st.DataObject) -> None:
    good = data.draw(st.sampled_from([GOOD, tarred((PKG_INFO, METADATA)), zipped((PKG_INFO, METADATA))])).getvalue()
    at = data.draw(st.integers(0, len(good) - 1))
    mutated = good[:at] + data.draw(st.binary(max_size=4)) + good[at + data.draw(st.integers(0, 4)) :]
    for filename in (WHEEL, SDIST):
        problem = problem_of(filename, io.BytesIO(mutated))
        assert problem is None or "\n" not in problem
