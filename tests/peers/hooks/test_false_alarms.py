"""The secrets hook over the sources of large real projects: what it finds outside of their tests is a false alarm."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hatch_sign_pre_commit.looking import find_secrets
from tests.peers.rigs import cache_folder

if TYPE_CHECKING:
    from hatch_sign_pre_commit.found import Found

PROJECTS = ("django==5.2", "setuptools==80.9.0", "sphinx==8.2.3", "twisted==25.5.0", "pip==25.2")
TESTS = {"test", "tests"}
PUBLISHED = {
    "twisted-25.5.0/docs/conch/howto/conch_client.rst:290: a private key in PEM (RSA PRIVATE KEY)",
    "twisted-25.5.0/docs/core/examples/server.pem:17: a private key in PEM (RSA PRIVATE KEY)",
}
"""What is a private key, and no false alarm: Twisted shows two in its documentation."""


@pytest.fixture(scope="session")
def sources() -> Path:
    """Return the folder that keeps the sdists, outside of the checkout."""
    folder = cache_folder() / "sdists"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.mark.parametrize("project", PROJECTS)
def test_nothing_is_found_outside_of_tests(project: str, sources: Path, tmp_path: Path) -> None:
    name, _, version = project.partition("==")
    if not downloaded(sources, name, version):
        command = [
            sys.executable,
            "-m",
            "pip",
            "--quiet",
            "download",
            "--no-deps",
            "--no-binary=:all:",
            "--dest",
            str(sources),
        ]
        subprocess.run([*command, project], check=True)
    (sdist,) = downloaded(sources, name, version)
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    files = [path for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink()]
    assert len(files) > 100
    alarms = {f"{path.relative_to(tmp_path)}:{line}: {found.what}" for path in files for line, found in look(path)}
    outside = {alarm for alarm in alarms if not TESTS & set(Path(alarm).parts)}
    assert outside == {alarm for alarm in PUBLISHED if alarm.startswith(f"{name}-")}


def look(path: Path) -> list[tuple[int, Found]]:
    with path.open("rb") as stream:
        return list(find_secrets(stream, path.as_posix()))


def downloaded(folder: Path, name: str, version: str) -> list[Path]:
    """Return the sdist; some are named as their project was spelled before names were normalised."""
    return [path for path in folder.iterdir() if path.name.lower() == f"{name}-{version}.tar.gz"]
