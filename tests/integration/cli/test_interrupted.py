"""Killed, interrupted, out of space or rights: every file is its old or new complete self, and a second run completes."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hatch_sign.registry import Registry
from hatch_sign.values.artifacts import Subject
from hatch_sign.values.public_keys import parse_public_key

from .cli_project import Project, Ran, make_project

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of this kind are POSIX's")

INJECTOR = str(Path(__file__).with_name("fault_injection.py"))
FORMATS = ("--format", "sigstore", "--format", "checksums")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = make_project(tmp_path_factory.mktemp("prepared"))
    project.add("a.bin", b"first")
    project.add("b.bin", b"second")
    return project


@pytest.fixture
def project(prepared: Project, tmp_path: Path) -> Project:
    return prepared.copy(tmp_path / "project").unmeasured()


def strike(project: Project, number: int, kind: str) -> Ran:
    return project.run("sign", "dist", "--overwrite", *FORMATS, program=(INJECTOR, str(number), kind, str(project.dist)))


@pytest.fixture
def signed_before(project: Project) -> Project:
    """Everything in `dist` is signed for older bytes, and the artifacts have changed since."""
    project.add("a.bin", b"older")
    project.add("b.bin", b"older still")
    project.succeed("sign", "dist", *FORMATS)
    project.add("a.bin", b"first")
    project.add("b.bin", b"second")
    shutil.copytree(project.dist, project.folder / "as-it-was")
    return project


def instants(project: Project, kind: str) -> Iterator[tuple[int, Ran]]:
    """Strike at each instant in turn, from the same state each time, until one is never reached."""
    for number in range(1, 200):
        shutil.rmtree(project.dist)
        shutil.copytree(project.folder / "as-it-was", project.dist)
        ran = strike(project, number, kind)
        if ran.code == 0:
            assert number > 10, "the injector never struck"
            return
        yield number, ran
    pytest.fail("the run never completed")


def signs(project: Project, name: str, data: bytes) -> bool:
    """Whether the sidecar that is there is a complete signature over `data` by the project's key."""
    verifier = Registry().format("sigstore").verifier()
    key = parse_public_key((project.folder / "release.pub").read_bytes(), subject="release.pub")
    parsed = verifier.parse((project.dist / f"{name}.sigstore.json").read_bytes())
    subject = Subject(name, len(data), {"sha256": hashlib.sha256(data).digest()})
    finding = verifier.check(parsed, [subject], [key])[name]
    return finding.problem is None and len(finding.facts) == 1


@pytest.mark.parametrize("kind", ["SIGKILL", "SIGINT"])
def test_struck_at_any_instant_every_file_is_old_or_new(signed_before: Project, kind: str) -> None:
    project = signed_before
    for number, ran in instants(project, kind):
        assert ran.code == (-signal.SIGKILL if kind == "SIGKILL" else 130), (number, ran.output)
        assert (project.dist / "a.bin").read_bytes() == b"first"
        assert (project.dist / "b.bin").read_bytes() == b"second"
        for name, old, new in (("a.bin", b"older", b"first"), ("b.bin", b"older still", b"second")):
            assert signs(project, name, new) or signs(project, name, old), number
        if kind == "SIGINT":
            assert not [name for name in project.names() if name.endswith("hatch-sign-tmp")], number
    project.succeed("sign", "dist", "--overwrite", *FORMATS)
    project.succeed("verify", "dist")
    assert not [name for name in project.names() if name.endswith("hatch-sign-tmp")]


def test_a_full_disk_leaves_nothing_half_written(project: Project) -> None:
    limited = (
        "import resource, sys; from hatch_sign.cli import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))\n"
        "sys.exit(main(sys.argv[2:]))"
    )
    before = project.names()
    home = project.folder / "home"
    for limit in (100, 500):
        ran = project.run(str(limit), "sign", "dist", program=("-c", limited))
        assert ran.code == 3, ran.output
        assert "hatch-sign: error: " in ran.err
        assert project.names() == before
    assert home.exists()
    project.succeed("sign", "dist")
    project.succeed("verify", "dist")


def test_a_folder_that_cannot_be_written_is_one_clear_error(project: Project) -> None:
    # Root may write into any ordinary folder, so for root it is one of the kernel's.
    folder = Path("/sys/kernel") if os.geteuid() == 0 else project.folder / "locked"
    if os.geteuid() != 0:
        folder.mkdir(mode=0o500)
    before = project.names()
    assert "cannot be written" in project.fail(3, "sign", "dist", "--output-directory", str(folder))
    assert project.names() == before


def test_an_artifact_that_vanishes_or_changes_during_signing_is_never_signed(project: Project) -> None:
    program = (
        "import sys; from pathlib import Path; from hatch_sign.cli import main; from hatch_sign.signing import detached\n"
        "make = detached.make_sidecar\n"
        "def disturbed(bench, subject):\n"
        "    if subject.name == 'a.bin':\n"
        "        path = Path('dist/a.bin')\n"
        "        path.unlink() if sys.argv[1] == 'vanish' else path.write_bytes(b'evil!')\n"
        "    return make(bench, subject)\n"
        "detached.make_sidecar = disturbed\n"
        "sys.exit(main(sys.argv[2:]))"
    )
    for how in ("change", "vanish"):
        ran = project.run(how, "sign", "dist", program=("-c", program))
        assert ran.code == 3, ran.output
        assert "a.bin changed while it was being signed" in ran.err
        assert "a.bin.sigstore.json" not in project.names()
        assert "b.bin.sigstore.json" in project.names()
        project.succeed("verify", str(project.dist / "b.bin"))
