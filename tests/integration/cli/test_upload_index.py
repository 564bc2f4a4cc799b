"""``hatch-sign upload`` to an index: verified before it hears anything, and no token in what is said."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.indexes import Index, index_serving
from tests.unit.services.https_server import Answer

from .cli_project import Project, Ran, make_wheel
from .test_sign_verify import validate

if TYPE_CHECKING:
    from pathlib import Path

    from tests.index_forms import Upload

TOKEN = "pypi-AgEIcHlwaS5vcmcCJDAwMDAwMDAw"  # noqa: S105 - of the index in these tests
LOGIN = {"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": TOKEN}
FIRST, SECOND = "alpha-1.0-py3-none-any.whl", "beta-1.0-py3-none-any.whl"


@pytest.fixture
def index() -> Iterator[Index]:
    with index_serving(Index(login=("__token__", TOKEN))) as index:
        yield index


@pytest.fixture(scope="module")
def signed(prepared: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project with two signed wheels; nobody may change it."""
    project = prepared.copy(tmp_path_factory.mktemp("signed") / "project")
    for name in ("alpha", "beta"):
        make_wheel(project, name)
    project.succeed("sign", "dist")
    return project


@pytest.fixture
def release(signed: Project, tmp_path: Path) -> Project:
    """Return a copy of it for each test."""
    return signed.copy(tmp_path / "release")


def upload(project: Project, index: Index, *arguments: str, **environ: str) -> Ran:
    """Upload with the token in the environment, and hold what is said to saying nothing of it."""
    given = {**LOGIN, **environ}
    ran = project.run("upload", "dist", "--repository-url", index.url, *arguments, **given)
    assert TOKEN not in ran.output
    return ran


def unsigned(project: Project) -> None:
    for path in project.dist.glob("*.sigstore.json"):
        path.unlink()


def half_signed(project: Project) -> None:
    (project.dist / f"{SECOND}.sigstore.json").unlink()


def tampered(project: Project) -> None:
    with (project.dist / SECOND).open("ab") as stream:
        stream.write(b"\0")


def signed_by_a_stranger(project: Project) -> None:
    project.succeed("key", "generate", "emulated:test/another")
    (project.folder / "another.toml").write_text('key = "emulated:test/another"\nformats = ["sigstore"]\n')
    project.succeed("sign", f"dist/{SECOND}", "--overwrite", "--config", "another.toml")


@pytest.mark.parametrize("spoil", [unsigned, half_signed, tampered, signed_by_a_stranger])
def test_an_index_hears_nothing_of_a_release_that_is_rejected(release: Project, index: Index, spoil: object) -> None:
    assert callable(spoil)
    spoil(release)
    ran = upload(release, index)
    assert ran.code == 1
    assert f"{SECOND} is rejected: sigstore is " in ran.err
    assert ran.err.endswith("; nothing was published\n")
    assert index.requests == []


def test_wheels_arrive_and_what_the_index_drops_is_said_before(release: Project, index: Index) -> None:
    ran = upload(release, index)
    assert ran.code == 0, ran.output
    assert index.stored.keys() == {FIRST, SECOND}
    assert index.stored[FIRST].content == (release.dist / FIRST).read_bytes()
    assert f"index does not keep {FIRST}.sigstore.json, {SECOND}.sigstore.json: " in ran.err
    assert ran.out.count("index  uploaded  ") == 2
    assert "index: 2 read back, the same bytes" in ran.err


def test_what_is_swapped_while_it_is_uploaded_is_not_what_arrives(release: Project, index: Index) -> None:
    before = {name: (release.dist / name).read_bytes() for name in (FIRST, SECOND)}

    def swap(_: Upload) -> None:
        for name in before:
            (release.dist / name).write_bytes(b"swapped after it was verified")

    index.before_upload = swap
    ran = upload(release, index)
    assert ran.code == 0, ran.output
    assert {name: each.content for name, each in index.stored.items()} == before


def test_an_index_that_stores_other_bytes_is_told_of(release: Project, index: Index) -> None:
    index.alters = True
    ran = upload(release, index, "--json")
    assert ran.code == 1
    document = json.loads(ran.out)
    validate(document, "publishing")
    (place,) = document["destinations"]
    assert {each["state"] for each in place["read-back"]} == {"differs"}
    assert "is not what was verified" in place["error"]


def test_a_release_that_is_there_with_other_bytes_is_not_replaced(release: Project, index: Index) -> None:
    assert upload(release, index).code == 0
    stored = dict(index.stored)
    (release.dist / FIRST).unlink()
    wheel = make_wheel(release, "alpha")
    wheel.write_bytes(wheel.read_bytes().replace(b"alpha/__init__.py", b"alpha/__main__.py"))
    release.succeed("sign", "dist", "--overwrite")
    ran = upload(release, index)
    assert ran.code == 1, ran.output
    assert index.stored == stored


@pytest.mark.parametrize(("status", "flags"), [(401, ()), (403, ("--json",)), (403, ("--verbose",))])
def test_no_token_is_shown_though_the_index_repeats_it(
    release: Project, index: Index, status: int, flags: tuple[str, ...]
) -> None:
    index.fail(*[Answer(status, f"you sent {TOKEN}".encode())] * 4)
    ran = upload(release, index, *flags)
    assert ran.code == 3
    assert f"({status})" in ran.err
    assert index.stored == {}


def test_a_token_in_pypirc_or_in_an_address_is_used_and_not_shown(release: Project, index: Index) -> None:
    settings = f"[distutils]\nindex-servers = loopback\n[loopback]\nrepository = {index.url}\n"
    (release.folder / "pypirc").write_text(f"{settings}username = __token__\npassword = {TOKEN}\n")
    flags = ("--config-file", "pypirc", "-r", "loopback", "--non-interactive", "--verbose")
    index.fail(Answer(500, TOKEN.encode()))
    ran = release.run("upload", "dist", *flags)
    assert (ran.code, TOKEN in ran.output) == (0, False), ran.output
    assert len(index.stored) == 2
    address = index.url.replace("http://", f"http://__token__:{TOKEN}@")
    for more in ([], ["--json"], ["--dry-run"]):
        again = release.run("upload", "dist", "--repository-url", address, "--non-interactive", *more)
        assert (again.code, TOKEN in again.output) == (0, False), again.output
    with (release.folder / "hatch-sign.toml").open("a") as stream:
        stream.write(f'[[publish]]\nto = "index"\nrepository-url = "{address}"\nrepo = 1\n')
    wrong = release.run("upload", "dist")
    assert (wrong.code, TOKEN in wrong.output) == (2, False)


def test_a_cut_connection_is_told_and_running_it_again_does_the_rest(release: Project, index: Index) -> None:
    taken: list[str] = []

    def refuse_the_second(upload: Upload) -> None:
        taken.append(upload.filename)
        index.fail(*[Answer(403, b"not now")] * 4)

    index.before_upload = refuse_the_second
    ran = upload(release, index, "--json")
    assert ran.code == 3
    (place,) = json.loads(ran.out)["destinations"]
    first = place["published"][0]["name"]
    assert (place["published"][0]["deed"], place["done"], list(index.stored)) == ("uploaded", False, [first])
    index.before_upload = lambda upload: taken.append(upload.filename)
    index._failing.clear()
    again = upload(release, index)
    assert again.code == 0, again.output
    assert f"index  present  {first}" in again.out
    assert sorted(taken) == [FIRST, SECOND]


INTERRUPTIBLE = """\
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from hatch_sign.cli import main
sys.exit(main(sys.argv[1:]))
"""
"""Whoever runs the tests in the background has SIGINT ignored, and the program would inherit that."""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of this kind are POSIX's")
@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_an_interruption_between_files_says_what_was_done(
    release: Project, index: Index, tmp_path: Path, flags: tuple[str, ...]
) -> None:
    running: list[subprocess.Popen[bytes]] = []
    index.before_upload = lambda _: os.kill(running[0].pid, signal.SIGINT) if index.stored else None
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    command = [sys.executable, "-c", INTERRUPTIBLE, "upload", "dist", "--repository-url", index.url, *flags]
    environ = {**release.unmeasured().environ, **LOGIN, "TMPDIR": str(temporary)}
    index.service.delay = 0.2  # so that there is a process to interrupt before the first answer is given
    with subprocess.Popen(
        command, cwd=release.folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        running.append(process)
        out, err = process.communicate(timeout=300)
    output = (out + err).decode()
    assert process.returncode == 130, output
    assert "Traceback" not in output
    assert TOKEN not in output
    assert list(temporary.iterdir()) == []
    done = next(iter(index.stored))
    if flags:
        document = json.loads(out)
        validate(document, "publishing")
        assert (document["interrupted"], document["destinations"][0]["published"][0]["name"]) == (True, done)
    else:
        assert f"index  uploaded  {done}" in output
        assert "published, and stay" in output
        assert "run again for the rest" in output
    index.before_upload = lambda _: None
    assert upload(release, index).code == 0
    assert len(index.stored) == 2
