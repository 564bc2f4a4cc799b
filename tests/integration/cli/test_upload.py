"""``hatch-sign upload``: what a user types, sees and gets, with a folder for a place to publish to."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.unit.registry.distributions import write_distribution

from .cli_project import CONFIGURATION, Project, make_wheel
from .schemas import validate

PLACE = '[[publish]]\nto = "folder"\npath = "public"\n'
MIRROR = '[[publish]]\nto = "folder"\nname = "mirror"\npath = "mirror"\n'


@pytest.fixture(scope="module")
def signed(prepared: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project with a signed wheel and a signed file, which publishes to `public` below it; nobody may change it."""
    project = prepared.copy(tmp_path_factory.mktemp("signed") / "project")
    configure(project, PLACE)
    make_wheel(project)
    project.add("tool.bin", b"a tool")
    project.succeed("sign", "dist")
    return project


@pytest.fixture
def release(signed: Project, tmp_path: Path) -> Project:
    """Return a copy of it for each test."""
    return signed.copy(tmp_path / "release")


def configure(project: Project, *places: str, before: str = "") -> None:
    (project.folder / "hatch-sign.toml").write_text("\n".join([before + CONFIGURATION, *places]))


def sign_by_another(project: Project) -> None:
    """Sign everything again, by a key that the project does not trust."""
    if "another" not in project.succeed("key", "list", "emulated:test").out:
        project.succeed("key", "generate", "emulated:test/another")
    (project.folder / "another.toml").write_text('key = "emulated:test/another"\nformats = ["sigstore"]\n')
    project.succeed("sign", "dist", "--overwrite", "--config", "another.toml")


def published(project: Project, folder: str = "public") -> dict[str, bytes]:
    place = project.folder / folder
    return {path.name: path.read_bytes() for path in place.iterdir()} if place.exists() else {}


def in_dist(project: Project) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in project.dist.iterdir()}


def test_a_verified_release_is_published_with_its_signatures(release: Project) -> None:
    ran = release.succeed("upload", "dist")
    assert published(release) == in_dist(release)
    assert len(published(release)) == 4
    assert f"hatch-sign: trust from {release.folder / 'hatch-sign.toml'}" in ran.err
    assert "hatch-sign: 2 artifacts are trusted" in ran.err
    assert f"hatch-sign: to folder ({release.folder / 'public'}): 4 of 4 files" in ran.err
    assert "folder  uploaded  tool.bin.sigstore.json" in ran.out
    assert "hatch-sign: folder: 4 read back, the same bytes" in ran.err
    again = release.succeed("upload", "dist/*.whl", "dist/tool.bin")
    assert again.out.count("folder  present  ") == 4
    assert "uploaded" not in again.out


def test_artifacts_that_are_named_take_their_signatures_and_no_others(release: Project) -> None:
    release.succeed("upload", "dist/tool.bin")
    assert sorted(published(release)) == ["tool.bin", "tool.bin.sigstore.json"]


@pytest.mark.parametrize(
    ("name", "data", "verdict"),
    [
        ("tool.bin", b"tampered", "hash-mismatch"),
        ("tool.bin.sigstore.json", b"{}", "malformed"),
        ("new.bin", b"new", "unsigned"),
    ],
)
def test_nothing_is_published_where_one_artifact_is_rejected(release: Project, name: str, data: bytes, verdict: str) -> None:
    release.add(name, data)
    ran = release.run("upload", "dist")
    assert ran.code == 1
    artifact = release.dist / name.removesuffix(".sigstore.json")
    assert f"hatch-sign: error: {artifact} is rejected: sigstore is {verdict}" in ran.err
    assert "; nothing was published" in ran.err
    assert not (release.folder / "public").exists()


def test_a_half_signed_release_is_rejected(release: Project) -> None:
    (release.dist / "tool.bin.sigstore.json").unlink()
    assert "tool.bin is rejected" in release.fail(1, "upload", "dist")
    assert not (release.folder / "public").exists()


def test_a_release_signed_by_somebody_else_is_rejected(release: Project) -> None:
    sign_by_another(release)
    ran = release.run("upload", "dist")
    assert (ran.code, ran.out.count("untrusted")) == (1, 2)
    assert not (release.folder / "public").exists()


OBSERVER = """\
from pathlib import Path

def hatch_sign_after_verify(outcome):
    Path("dist", outcome.artifact).write_bytes(b"swapped after it was verified")

from hatch_sign.contract import hookimpl
hatch_sign_after_verify = hookimpl(hatch_sign_after_verify)
"""


def test_what_is_swapped_after_it_was_verified_is_not_what_is_published(release: Project, tmp_path: Path) -> None:
    site = tmp_path / "site"
    write_distribution(site, "swapping-observer", entry_points={"observer.swap": "{module}"}, source=OBSERVER)
    configure(release, PLACE, before='observers = ["swap"]\n')
    before = in_dist(release)
    release.succeed("upload", "dist", PYTHONPATH=str(site))
    assert in_dist(release)["tool.bin"] == b"swapped after it was verified"
    assert published(release) == before


def test_an_observer_that_objects_keeps_everything_here(release: Project, tmp_path: Path) -> None:
    site = tmp_path / "site"
    veto = OBSERVER.replace(
        'Path("dist", outcome.artifact).write_bytes(b"swapped after it was verified")', "raise ValueError"
    )
    write_distribution(site, "vetoing-observer", entry_points={"observer.veto": "{module}"}, source=veto)
    configure(release, PLACE, before='observers = ["veto"]\n')
    assert "an observer failed in hatch_sign_after_verify" in release.fail(2, "upload", "dist", PYTHONPATH=str(site))
    assert not (release.folder / "public").exists()


def test_one_place_fails_and_the_other_is_published_to(release: Project) -> None:
    configure(release, PLACE, MIRROR)
    (release.folder / "public").mkdir()
    (release.folder / "public" / "tool.bin").write_bytes(b"another tool")
    ran = release.run("upload", "dist")
    assert ran.code == 1
    assert "public/tool.bin is there already, with other bytes" in ran.err
    assert published(release) == {"tool.bin": b"another tool"}
    assert published(release, "mirror") == in_dist(release)
    assert ran.out.count("mirror  uploaded  ") == 4
    (release.folder / "public" / "tool.bin").unlink()
    again = release.succeed("upload", "dist")
    assert (again.out.count("folder  uploaded  "), again.out.count("mirror  present  ")) == (4, 4)


def test_places_are_chosen_and_set_on_the_command_line(release: Project) -> None:
    configure(release, PLACE, MIRROR)
    release.succeed("upload", "dist", "--to", "mirror", "-o", "mirror.path=elsewhere")
    assert published(release, "elsewhere") == in_dist(release)
    assert not (release.folder / "mirror").exists()
    assert not (release.folder / "public").exists()
    error = release.fail(2, "upload", "dist", "--to", "mirorr")
    assert "'mirorr' is neither a configured place to publish to nor an installed publisher" in error
    assert "did you mean `path`" in release.fail(2, "upload", "dist", "--to", "folder", "-o", "folder.pth=x")


def test_a_dry_run_publishes_nothing_and_says_what_it_would(release: Project) -> None:
    ran = release.succeed("upload", "dist", "--dry-run")
    assert f"would publish tool.bin to folder ({release.folder / 'public'})" in ran.out
    assert ran.out.count("would publish") == 4
    assert not (release.folder / "public").exists()
    release.add("tool.bin", b"tampered")
    assert release.run("upload", "dist", "--dry-run").code == 1


def test_a_policy_kept_elsewhere_is_what_judges(release: Project, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    release.succeed("key", "generate", "emulated:test/another")
    release.succeed("key", "export-public", "emulated:test/another", "-o", str(elsewhere / "another.pub"))
    policy = elsewhere / "hatch-sign.toml"
    policy.write_text('[verify]\nrequire = ["sigstore"]\n[[verify.trust]]\npublic-key = "another.pub"\n')
    ran = release.run("upload", "dist", "--policy", str(policy))
    assert (ran.code, ran.out.count("untrusted")) == (1, 2)
    assert f"hatch-sign: trust from {policy}" in ran.err
    sign_by_another(release)
    assert release.run("upload", "dist").code == 1
    assert not (release.folder / "public").exists()
    release.succeed("upload", "dist", "--policy", str(policy))
    assert len(published(release)) == 4
    assert "missing.toml" in release.fail(2, "upload", "dist", "--policy", "missing.toml")


def test_a_configuration_that_came_with_the_artifacts_is_refused(release: Project) -> None:
    shutil.copy(release.folder / "hatch-sign.toml", release.dist)
    shutil.copy(release.folder / "release.pub", release.dist)
    inside = Project(release.dist, release.environ)
    assert "lies in the folder of an artifact" in inside.fail(2, "upload", "tool.bin")
    assert not (release.dist / "public").exists()


@pytest.mark.parametrize("flags", [["-p", "s3cret"], ["-ps3cret"], ["--password", "s3cret"], ["--password=s3cret"]])
def test_a_password_on_the_command_line_is_refused_and_not_repeated(release: Project, flags: list[str]) -> None:
    ran = release.run("upload", *flags, "dist")
    assert ran.code == 2
    assert "s3cret" not in ran.output
    assert "TWINE_PASSWORD, .pypirc or keyring" in ran.err


@pytest.mark.parametrize("flags", [["-s"], ["--sign"], ["-i", "me"], ["--sign-with", "gpg"]])
def test_signatures_by_gpg_are_refused_with_what_takes_their_place(release: Project, flags: list[str]) -> None:
    ran = release.run("upload", "dist", *flags)
    assert ran.code == 2
    assert "`hatch-sign sign` makes those that this command verifies and publishes" in ran.err


def test_documents_keep_their_published_schema(release: Project) -> None:
    configure(release, PLACE, MIRROR)
    dry = json.loads(release.succeed("upload", "dist", "--dry-run", "--json").out)
    done = json.loads(release.succeed("upload", "dist", "--json").out)
    (release.folder / "mirror" / "tool.bin").write_bytes(b"another")
    failed = json.loads(release.run("upload", "dist", "--json").out)
    release.add("tool.bin", b"tampered")
    rejected = json.loads(release.run("upload", "dist", "--json").out)
    for document in (dry, done, failed, rejected):
        validate(document, "publishing")
    assert (dry["dry-run"], [place["done"] for place in dry["destinations"]]) == (True, [False, False])
    assert [place["done"] for place in done["destinations"]] == [True, True]
    assert {each["state"] for each in done["destinations"][0]["read-back"]} == {"same"}
    assert [place["error"] is None for place in failed["destinations"]] == [True, False]
    assert len(failed["errors"]) == 1
    assert (rejected["passed"], rejected["destinations"], rejected["files"]) == (False, [], [])
    error = json.loads(release.run("upload", "nothing-here", "--json").out)
    validate(error, "error")


def test_config_check_says_where_releases_go(release: Project) -> None:
    configure(release, PLACE, MIRROR, '[[publish]]\nto = "nowhere"\n')
    ran = release.succeed("config", "check")
    assert "publishes to folder\npublishes to mirror by folder\npublishes to nowhere\n" in ran.out
    assert "warning: no publisher named 'nowhere' is installed" in ran.err
    assert "'nowhere' is neither" in release.fail(2, "upload", "dist")


def test_a_statement_goes_along_with_what_it_speaks_of(release: Project) -> None:
    (release.dist / "tool.bin").unlink()
    (release.dist / "tool.bin.sigstore.json").unlink()
    release.succeed("sign", "dist", "--format", "statement")
    make_wheel(release, version="2.0")
    release.succeed("sign", "dist/demo-2.0-py3-none-any.whl")
    ran = release.succeed("upload", "dist/demo-1*.whl")
    assert "demo-1.0.intoto.sigstore.json" in published(release)
    assert "warning" not in ran.err
    shutil.rmtree(release.folder / "public")
    ran = release.succeed("upload", "dist/demo-2*.whl")
    assert sorted(published(release)) == ["demo-2.0-py3-none-any.whl", "demo-2.0-py3-none-any.whl.sigstore.json"]
    assert "demo-1.0.intoto.sigstore.json is not published: it speaks of none of these artifacts" in ran.err
