"""``hatch-sign upload`` to a release on GitHub: verified before it hears anything, resumed where it failed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import pytest

from tests.github_releases import REPOSITORY, TOKEN, FakeGitHub, serving_github
from tests.indexes import Index, index_serving
from tests.unit.services.https_server import Answer, Request

from .cli_project import CONFIGURATION, Project, Ran
from .interrupting import InterruptedRun
from .wheels import FIRST, SECOND, SPOILS

if TYPE_CHECKING:
    from pathlib import Path

NAMES = sorted([FIRST, f"{FIRST}.sigstore.json", SECOND, f"{SECOND}.sigstore.json"])
INDEX_TOKEN = "pypi-AgEIcHlwaS5vcmcCJDAwMDAwMDAw"  # noqa: S105 - of the index in these tests


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with serving_github(FakeGitHub()) as fake:
        yield fake


def as_in_actions(github: FakeGitHub) -> Mapping[str, str]:
    """Return what GitHub Actions sets in a run for a tag, and the token that a workflow adds."""
    return {
        "GITHUB_API_URL": github.api,
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_REF_TYPE": "tag",
        "GITHUB_REF_NAME": "v1.0",
        "GITHUB_TOKEN": TOKEN,
    }


def upload(project: Project, github: FakeGitHub, *arguments: str, **environ: str) -> Ran:
    """Upload as a workflow does, and hold what is said to saying nothing of the token."""
    ran = project.run("upload", "dist", *arguments, **{**as_in_actions(github), **environ})
    assert TOKEN not in ran.output
    return ran


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_release_gets_every_signature_beside_its_artifact(release: Project, github: FakeGitHub) -> None:
    ran = upload(release, github, "--to", "github")
    assert ran.code == 0, ran.output
    (made,) = github.releases
    assert made.contents() == contents(release.dist)
    assert made.draft
    assert "4 read back, the same bytes" in ran.err
    assert "the release is a draft" in ran.err
    again = upload(release, github, "--to", "github", "--json")
    assert again.code == 0, again.output
    (destination,) = json.loads(again.out)["destinations"]
    assert {each["deed"] for each in destination["published"]} == {"present"}
    assert github.calls.count("upload") == len(NAMES)


def test_a_configured_release_is_published_once_all_is_there(release: Project, github: FakeGitHub) -> None:
    place = f'[[publish]]\nto = "github"\nrepository = "{REPOSITORY}"\ntag = "v1.0"\ndraft = false\nrelease-name = "One"\n'
    (release.folder / "hatch-sign.toml").write_text(f'{CONFIGURATION}\n{place}api-url = "{github.api}"\n')
    ran = release.succeed("upload", "dist", GH_ENTERPRISE_TOKEN=TOKEN)
    assert TOKEN not in ran.output
    (made,) = github.releases
    assert (made.draft, made.fields["name"], sorted(made.contents())) == (False, "One", NAMES)


@pytest.mark.parametrize("spoil", SPOILS)
def test_neither_github_nor_a_folder_hears_of_a_release_that_is_rejected(
    release: Project, github: FakeGitHub, spoil: Callable[[Project], None]
) -> None:
    spoil(release)
    ran = upload(release, github, "--to", "github", "--to", "folder", "--option", "folder.path=public")
    assert ran.code == 1, ran.output
    assert github.requests == 0
    assert not (release.folder / "public").exists()


def test_what_is_swapped_after_it_was_verified_is_not_what_arrives(release: Project, github: FakeGitHub) -> None:
    wanted = contents(release.dist)
    respond = github.service.respond

    def swap(request: Request) -> Answer:
        for path in release.dist.iterdir():
            path.write_bytes(b"swapped")
        return respond(request)

    github.service.respond = swap
    ran = upload(release, github, "--to", "github")
    assert ran.code == 0, ran.output
    assert github.releases[0].contents() == wanted
    assert (release.dist / FIRST).read_bytes() == b"swapped"


def test_other_bytes_in_the_release_are_not_replaced(release: Project, github: FakeGitHub) -> None:
    there = github.add_release()
    github.add_asset(there, FIRST, b"other")
    ran = upload(release, github, "--to", "github")
    assert ran.code == 1, ran.output
    assert f"{FIRST} is there already, with other bytes; nothing was replaced" in ran.err
    assert there.contents() == {FIRST: b"other"}


def test_an_upload_that_fails_is_told_and_running_it_again_does_the_rest(release: Project, github: FakeGitHub) -> None:
    github.add_release()
    github.fail("upload", Answer(503, headers={"Retry-After": "4000"}))
    ran = upload(release, github, "--to", "github")
    assert ran.code == 3, ran.output
    assert "GitHub failed, and wants 4000 s of patience beyond the limit" in ran.err
    github.service.cut_after.append(10)
    ran = upload(release, github, "--to", "github")
    assert ran.code == 0, ran.output
    assert sorted(github.releases[0].contents()) == NAMES
    assert len(github.releases[0].assets) == len(NAMES)


@pytest.mark.parametrize(
    ("call", "answer", "expected"),
    [
        ("tag", Answer.of(401, {"message": f"Bad credentials: {TOKEN}"}), "did not accept the token"),
        ("create", Answer.of(403, {"message": f"Resource not accessible by {TOKEN}"}), "permission contents: write"),
        ("list", Answer.of(404, {"message": "Not Found"}), "has no such repository, or does not show it to the token"),
        (
            "upload",
            Answer.of(422, {"message": TOKEN, "errors": [{"field": TOKEN, "code": "x"}]}),
            "does not take the request",
        ),
        ("assets", Answer(200, TOKEN.encode()), "gave an answer that is not one of its API"),
    ],
)
def test_what_github_refuses_is_one_line_without_the_token(
    release: Project, github: FakeGitHub, call: str, answer: Answer, expected: str
) -> None:
    github.fail(call, answer)
    ran = upload(release, github, "--to", "github")
    assert ran.code == 3, ran.output
    (line,) = [line for line in ran.err.splitlines() if line.startswith("hatch-sign: error: ")]
    assert expected in line
    assert all(not each.contents() for each in github.releases)


def test_one_place_fails_the_other_is_done_and_the_next_run_does_what_is_left(release: Project, github: FakeGitHub) -> None:
    with index_serving(Index(login=("__token__", INDEX_TOKEN))) as index:
        both = ("--to", "index", "--to", "github", "--repository-url", index.url)
        login = {"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": INDEX_TOKEN}
        index.fail(Answer(400, b"400 not today"))
        ran = upload(release, github, *both, **login)
        assert ran.code == 3, ran.output
        assert index.stored == {}
        assert sorted(github.releases[0].contents()) == NAMES
        sent = github.calls.count("upload")
        again = upload(release, github, *both, **login)
        assert again.code == 0, again.output
        assert sorted(index.stored) == [FIRST, SECOND]
        assert github.calls.count("upload") == sent == len(NAMES)


def test_a_dry_run_asks_nobody_and_names_the_release(release: Project, github: FakeGitHub) -> None:
    ran = upload(release, github, "--to", "github", "--dry-run")
    assert ran.code == 0, ran.output
    assert f"{github.api}/repos/{REPOSITORY}/releases/tags/v1.0" in ran.output
    assert github.requests == 0


def test_a_dry_run_says_all_that_is_wrong_with_the_settings(release: Project, github: FakeGitHub) -> None:
    nowhere = {"GITHUB_REPOSITORY": "", "GITHUB_REF_NAME": ""}
    ran = upload(release, github, "--to", "github", "--dry-run", **nowhere)
    assert ran.code == 2, ran.output
    told = ran.err.splitlines()[-2:]
    assert [line.strip().partition(" is ")[0] for line in told] == ["`repository`", "`tag`"]
    ran = upload(release, github, "--to", "github", "--dry-run", "--json", **nowhere)
    document = json.loads(ran.out)
    assert [line.partition(" is ")[0] for line in document["errors"][1:]] == ["`repository`", "`tag`"]
    assert all(name in document["destinations"][0]["error"] for name in ("`repository`", "`tag`"))
    assert github.requests == 0


@pytest.mark.skipif(sys.platform == "win32", reason="signals of this kind are POSIX's")
def test_an_interruption_while_nobody_answers_says_what_was_done(release: Project, github: FakeGitHub) -> None:
    run = InterruptedRun()
    respond = github.service.respond

    def interrupt(request: Request) -> Answer:
        answer = respond(request)
        if github.calls.count("upload") != 2:
            return answer
        run.interrupt()
        return Answer(201, b"never sent", fault="stall")

    github.service.respond = interrupt
    ran = run.of(release, "upload", "dist", "--to", "github", **as_in_actions(github))
    assert TOKEN not in ran.output
    assert "1 file is published" in ran.output
    assert "run again for the rest" in ran.output
    github.service.respond = respond
    again = upload(release, github, "--to", "github")
    assert again.code == 0, again.output
    assert github.calls.count("upload") == len(NAMES)
