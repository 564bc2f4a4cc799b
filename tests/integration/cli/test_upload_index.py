"""``hatch-sign upload`` to an index: verified before it hears anything, and no token in what is said."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.indexes import Index, index_serving
from tests.unit.services.https_server import Answer

from .cli_project import Project, Ran, make_wheel
from .interrupting import InterruptedRun
from .schemas import validate
from .wheels import FIRST, SECOND, SPOILS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.index_forms import Upload

TOKEN = "pypi-AgEIcHlwaS5vcmcCJDAwMDAwMDAw"  # noqa: S105 - of the index in these tests
LOGIN = {"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": TOKEN}


@pytest.fixture
def index() -> Iterator[Index]:
    with index_serving(Index(login=("__token__", TOKEN))) as index:
        yield index


def upload(project: Project, index: Index, *arguments: str, **environ: str) -> Ran:
    """Upload with the token in the environment, and hold what is said to saying nothing of it."""
    given = {**LOGIN, **environ}
    ran = project.run("upload", "dist", "--repository-url", index.url, *arguments, **given)
    assert TOKEN not in ran.output
    return ran


@pytest.mark.parametrize("spoil", SPOILS)
def test_an_index_hears_nothing_of_a_release_that_is_rejected(
    release: Project, index: Index, spoil: Callable[[Project], None]
) -> None:
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


@pytest.mark.skipif(sys.platform == "win32", reason="signals of this kind are POSIX's")
@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_an_interruption_between_files_says_what_was_done(
    release: Project, index: Index, tmp_path: Path, flags: tuple[str, ...]
) -> None:
    run = InterruptedRun()
    index.before_upload = lambda _: run.interrupt() if index.stored else None
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    ran = run.of(release, "upload", "dist", "--repository-url", index.url, *flags, **LOGIN, TMPDIR=str(temporary))
    assert TOKEN not in ran.output
    assert list(temporary.iterdir()) == []
    done = next(iter(index.stored))
    if flags:
        document = json.loads(ran.out)
        validate(document, "publishing")
        assert (document["interrupted"], document["destinations"][0]["published"][0]["name"]) == (True, done)
    else:
        assert f"index  uploaded  {done}" in ran.output
        assert "published, and stay" in ran.output
        assert "run again for the rest" in ran.output
    index.before_upload = lambda _: None
    assert upload(release, index).code == 0
    assert len(index.stored) == 2
