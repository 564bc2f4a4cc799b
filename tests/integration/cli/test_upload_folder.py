"""``hatch-sign upload`` to a folder, killed at any instant: nobody sees an artifact that does not verify."""

from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .cli_project import Project, Ran, make_project

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of this kind are POSIX's")

INJECTOR = str(Path(__file__).with_name("fault_injection.py"))
TO_PUBLIC = ("--to", "folder", "--option", "folder.path=public")


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = make_project(tmp_path_factory.mktemp("release"))
    project.add("a.bin", b"first")
    project.succeed("sign", "dist", "--format", "sigstore", "--format", "checksums")
    return project.unmeasured()


def struck(project: Project, public: Path) -> Iterator[Ran]:
    """Strike at each instant in turn, from an empty folder each time, until one is never reached."""
    for number in range(1, 100):
        shutil.rmtree(public, ignore_errors=True)
        ran = project.run("upload", "dist", *TO_PUBLIC, program=(INJECTOR, str(number), "SIGKILL", str(public)))
        if ran.code == 0:
            assert number > 10, "the injector never struck"
            return
        yield ran
    pytest.fail("the run never completed")


def test_killed_at_any_instant_what_is_seen_verifies_and_the_next_run_completes(release: Project) -> None:
    public = release.folder / "public"
    wanted = {path.name: path.read_bytes() for path in release.dist.iterdir()}
    signatures = set(wanted) - {"a.bin"}
    for ran in struck(release, public):
        assert ran.code == -signal.SIGKILL, ran.output
        seen = {path.name: path.read_bytes() for path in public.glob("[!.]*")} if public.exists() else {}
        assert seen.items() <= wanted.items()
        assert "a.bin" not in seen or signatures <= seen.keys()
        assert "SHA256SUMS" not in seen or "SHA256SUMS.sigstore.json" in seen
    assert {path.name: path.read_bytes() for path in public.iterdir()} == wanted


def test_what_a_killed_run_left_does_not_stay(release: Project) -> None:
    public = release.folder / "public"
    shutil.rmtree(public, ignore_errors=True)
    killed = release.run("upload", "dist", *TO_PUBLIC, program=(INJECTOR, "3", "SIGKILL", str(public)))
    assert killed.code == -signal.SIGKILL
    assert list(public.glob(".*.hatch-sign-tmp"))
    release.succeed("upload", "dist", *TO_PUBLIC)
    assert sorted(path.name for path in public.iterdir()) == release.names()
