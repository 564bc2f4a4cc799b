"""Wheels for Windows, signed inside by the command line: others accept every binary, RECORD, and the wheel as a whole."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.integration.cli.cli_project import Project, make_project
from tests.integration.cli.code_signing import configure
from tests.peers import rigs
from tests.peers.codesigning import corpus, programs

_EXCLUDED = re.compile(r"/(msvcp140|mfc|vcruntime)[^/]*\.dll")
WHEELS = ("numpy-2.3.5-cp312-cp312-win_amd64", "numpy-2.3.5-cp312-cp312-win_arm64", "setuptools-", "distlib-", "pywin32-")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project whose wheels have been signed inside and outside by one command."""
    project = make_project(tmp_path_factory.mktemp("wheels"))
    configure(project, exclude=["msvcp140*.dll", "mfc*.dll", "vcruntime*.dll"])
    for wheel in chosen():
        project.add(wheel.name, wheel.read_bytes())
    project.succeed("sign", "dist")
    return project


def chosen() -> list[Path]:
    return [wheel for wheel in corpus.wheels() if wheel.name.startswith(WHEELS)]


def signed_wheels(project: Project) -> list[Path]:
    return sorted(project.dist.glob("*.whl"))


def binaries(wheel: Path, *, everything: bool = False) -> dict[str, bytes]:
    """Return the members of a wheel that are to be signed, or all that would be if nothing were excluded."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if re.search(r"\.(pyd|dll|exe)$", name, re.IGNORECASE)]
        return {name: archive.read(name) for name in names if everything or not _EXCLUDED.search(name)}


def test_everything_is_trusted(project: Project) -> None:
    verified = project.succeed("verify", "dist")
    assert verified.out.count(" trusted ") == len(signed_wheels(project)) + sum(
        len(binaries(wheel)) for wheel in signed_wheels(project)
    )


def test_others_accept_every_binary(project: Project, tmp_path: Path) -> None:
    count = 0
    for wheel in signed_wheels(project):
        for content in set(binaries(wheel).values()):
            count += 1
            path = tmp_path / "member.dll"
            path.write_bytes(content)
            programs.demand(programs.osslsigncode_verify(path, project.folder / "root.pem"))
            programs.demand(programs.lief_verify(content))
    assert count > 60


def test_installers_accept_record(project: Project) -> None:
    sources = rigs.require_module("installer.sources")
    for wheel in signed_wheels(project):
        with sources.WheelFile.open(wheel) as source:
            source.validate_record()


def test_check_wheel_contents_finds_what_it_found_before(project: Project) -> None:
    rigs.require_module("check_wheel_contents")
    for before in chosen():
        assert complaints(project.dist / before.name) == complaints(before)


def complaints(wheel: Path) -> str:
    command = [sys.executable, "-m", "check_wheel_contents", "--no-config", str(wheel)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=wheel.parent)
    assert not done.stderr, done.stderr
    return done.stdout.replace(str(wheel), wheel.name)


def test_pip_installs_it(project: Project, tmp_path: Path) -> None:
    (wheel,) = project.dist.glob("numpy-*win_amd64.whl")
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--target", str(tmp_path), "--quiet"]
    platform = ["--platform", "win_amd64", "--python-version", "3.12", "--only-binary", ":all:", str(wheel)]
    subprocess.run([*command, *platform], check=True, capture_output=True)
    for name, content in binaries(wheel).items():
        assert (tmp_path / name).read_bytes() == content


def test_a_second_run_changes_nothing(project: Project) -> None:
    before = {path.name: path.read_bytes() for path in project.dist.iterdir()}
    assert "already signed by this key" in project.succeed("sign", "dist").out
    assert {path.name: path.read_bytes() for path in project.dist.iterdir()} == before


def test_what_microsoft_signed_is_left_alone(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    configure(project)
    wheel = next(wheel for wheel in corpus.wheels() if wheel.name.startswith("msvc_runtime") and "amd64" in wheel.name)
    project.add(wheel.name, wheel.read_bytes())
    signed = project.run("sign", "dist", "--json")
    assert signed.code == 1, "nobody has said that Microsoft is trusted"
    document = json.loads(signed.out)
    left = {each["member"]: each["detail"] for each in document["signatures"] if each["verdict"] == "not-applicable"}
    assert len(left) > 5
    assert all(detail.startswith("left: signed by CN=Microsoft") for detail in left.values())
    before, after = binaries(wheel, everything=True), binaries(project.dist / wheel.name, everything=True)
    assert {name for name in before if before[name] == after[name]} == left.keys()
    assert "is rejected" in project.fail(1, "verify", "dist")
