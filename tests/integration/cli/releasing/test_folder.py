"""What is in the folder: what may leave does, and each reason to stay is told, with all the others."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate

from ..cli_project import make_wheel
from ..test_corners import CERTIFIED, certify
from .gate import check, expected_of, git, make_sdist, only_failure, told

if TYPE_CHECKING:
    from ..cli_project import Project


def test_a_release_that_is_all_that_it_should_be_may_leave(release: Project) -> None:
    document = check(release)
    assert document["passed"]
    assert [each["status"] for each in document["checks"]] == ["ok"] * 11
    assert (document["name"], document["version"], document["tag"]) == ("demo", "1.0", "v1.0")
    assert document["commit"] == git(release, "rev-parse", "HEAD")
    assert check(release, "dist", "--tag", "refs/tags/v1.0")["passed"]


def test_people_read_a_line_for_each_check(release: Project) -> None:
    ran = release.succeed("release", "check")
    lines = ran.out.splitlines()
    assert len(lines) == 11
    assert json.loads(release.succeed("release", "check", "--json").out) == check(release)
    assert all(line.startswith("ok  ") for line in lines)
    assert "demo 1.0 may be released" in ran.err
    (release.dist / "notes.txt").write_text("")
    ran = release.run("release", "check")
    assert ran.code == 1
    assert "failure  nothing else  notes.txt  expected artifacts of this release" in ran.out
    assert "1 of 11 checks failed" in ran.err


def test_an_unsigned_wheel_stops_it(release: Project) -> None:
    (release.dist / "demo-1.0-py3-none-any.whl.sigstore.json").unlink()
    assert "sigstore is unsigned" in only_failure(check(release), "signatures")


def test_a_tampered_sdist_stops_it(release: Project) -> None:
    path = release.dist / "demo-1.0.tar.gz"
    path.write_bytes(path.read_bytes() + b"\0")
    found = told(check(release))
    assert [subject for subject, _ in found if subject == "signatures"]
    assert "hash-mismatch" in dict(found)["signatures"]


def test_a_key_that_nobody_trusts_stops_it(release: Project) -> None:
    release.succeed("key", "generate", "emulated:test/stranger", "--algorithm", "ecdsa-p256")
    release.fail(1, "sign", "dist", "--key", "emulated:test/stranger", "--overwrite")
    found = told(check(release))
    assert [subject for subject, _ in found] == ["signatures", "signatures"]
    assert all("untrusted" in text for _, text in found)


def test_a_policy_that_is_kept_elsewhere_takes_the_place_of_the_projects(release: Project) -> None:
    release.succeed("key", "generate", "emulated:test/stranger", "--algorithm", "ecdsa-p256")
    elsewhere = release.folder / "home" / "policy"
    elsewhere.mkdir()
    release.succeed("key", "export-public", "emulated:test/stranger", "-o", str(elsewhere / "release.pub"))
    policy = elsewhere / "hatch-sign.toml"
    policy.write_text('[[verify.trust]]\npublic-key = "release.pub"\n')
    document = check(release, "--policy", str(policy))
    assert document["policy"] == str(policy)
    assert {subject for subject, _ in told(document)} == {"signatures"}
    shutil.copy(release.folder / "release.pub", elsewhere)
    assert check(release, "--policy", str(policy))["passed"]


@pytest.mark.parametrize(("missing", "expected"), [("*.whl*", "at least one wheel"), ("*.tar.gz*", "one sdist")])
def test_a_missing_file_stops_it(missing: str, expected: str, release: Project) -> None:
    for path in release.dist.glob(missing):
        path.unlink()
    document = check(release)
    only_failure(document, "complete")
    assert expected_of(document, "complete") == [expected]


def test_each_pattern_that_is_expected_is_matched(release: Project) -> None:
    configuration = release.folder / "hatch-sign.toml"
    before = configuration.read_text()
    configuration.write_text(f'{before}[release]\nexpect = ["*.tar.gz", "*-any.whl", "*-win_amd64.whl", "*.exe"]\n')
    git(release, "commit", "--quiet", "--all", "--message=expect")
    git(release, "tag", "--force", "v1.0")
    document = check(release)
    failed = [each["expected"] for each in document["checks"] if each["status"] == "failure"]
    assert failed == ["*-win_amd64.whl", "*.exe"]
    release.add("tool.exe", b"MZ")
    release.add("demo-1.0-cp311-cp311-win_amd64.whl", (release.dist / "demo-1.0-py3-none-any.whl").read_bytes())
    release.succeed("sign", "dist")
    assert check(release)["passed"]


def test_a_provenance_of_another_commit_stops_it(release: Project) -> None:
    arguments = ("sign", "dist", "--format", "sigstore", "--format", "statement", "--overwrite")
    text = (release.folder / "hatch-sign.toml").read_text()
    (release.folder / "hatch-sign.toml").write_text(
        f'provenance = "always"\n{text}'.replace('["sigstore"]', '["statement"]')
    )
    git(release, "commit", "--quiet", "--all", "--message=statement")
    git(release, "tag", "--force", "v1.0")
    release.succeed(*arguments)
    document = check(release)
    assert document["passed"], document["checks"]
    assert "1 of the signatures" in dict(told(document, "ok"))["provenance"]
    git(release, "commit", "--quiet", "--allow-empty", "--message=later")
    git(release, "tag", "--force", "v1.0")
    assert "claims commit" in only_failure(check(release), "provenance")


def test_what_ends_soon_is_warned_of_and_what_has_ended_stops_it(release: Project) -> None:
    with (release.folder / "hatch-sign.toml").open("a") as configuration:
        configuration.write("not-after = 2030-06-30\n")
    git(release, "commit", "--quiet", "--all", "--message=end")
    git(release, "tag", "--force", "v1.0")
    assert told(check(release, at=datetime(2030, 5, 1, tzinfo=UTC)), "warning") == []
    document = check(release, at=datetime(2030, 6, 10, tzinfo=UTC))
    assert document["passed"]
    ((subject, found),) = told(document, "warning")
    assert subject == "lasting"
    assert "ends at 2030-06-30" in found
    ended = told(check(release, at=datetime(2030, 7, 1, tzinfo=UTC)))
    assert [subject for subject, _ in ended] == ["signatures", "signatures"]
    assert all("sigstore is expired" in text for _, text in ended)


def test_a_certificate_that_has_ended_stops_what_has_no_timestamp(release: Project) -> None:
    certify(release)
    (release.folder / "hatch-sign.toml").write_text(CERTIFIED)
    git(release, "add", ".")
    git(release, "commit", "--quiet", "--message=certified")
    git(release, "tag", "--force", "v1.0")
    release.succeed("sign", "dist", "--overwrite")
    end = load_pem_x509_certificate((release.folder / "chain.pem").read_bytes()).not_valid_after_utc
    assert check(release, at=end - timedelta(seconds=1))["passed"]
    ended = told(check(release, at=end + timedelta(seconds=1)))
    assert [subject for subject, _ in ended] == ["signatures", "signatures"]
    assert all("sigstore is expired" in text for _, text in ended)


def test_a_signature_that_is_a_link_stops_it(release: Project) -> None:
    path = release.dist / "demo-1.0.tar.gz.sigstore.json"
    path.rename(release.folder / "home" / "kept")
    path.symlink_to(release.folder / "home" / "kept")
    assert {subject for subject, _ in told(check(release))} == {"signatures"}


def test_a_timestamp_that_is_configured_and_missing_stops_it(release: Project) -> None:
    text = (release.folder / "hatch-sign.toml").read_text()
    (release.folder / "hatch-sign.toml").write_text(f'timestamp = ["https://tsa.example/"]\n{text}')
    git(release, "commit", "--quiet", "--all", "--message=timestamp")
    git(release, "tag", "--force", "v1.0")
    found = told(check(release))
    assert [subject for subject, _ in found] == ["timestamps", "timestamps"]
    (release.folder / "hatch-sign.toml").write_text(
        f'timestamp = ["https://tsa.example/"]\ntimestamp-optional = true\n{text}'
    )
    git(release, "commit", "--quiet", "--all", "--message=optional")
    git(release, "tag", "--force", "v1.0")
    document = check(release)
    assert document["passed"]
    assert [subject for subject, _ in told(document, "warning")] == ["timestamps", "timestamps"]


@pytest.mark.parametrize(
    "name",
    ["notes.txt", "sub/notes.txt", "demo-0.9-py3-none-any.whl.sigstore.json", "SHA256SUMS"],
)
def test_anything_else_in_the_folder_stops_it(name: str, release: Project) -> None:
    release.add(name, b"%064d  other\n" % 0)
    assert ("nothing else", name) in told(check(release))


def test_another_release_in_the_folder_stops_it(release: Project) -> None:
    make_wheel(release, version="0.9")
    document = check(release)
    assert [subject for subject, _ in told(document)][:1] == ["release"]
    assert document["version"] is None
    assert only_failure(check(release, "--tag", "v1.0"), "nothing else") == "demo-0.9-py3-none-any.whl"


def test_a_hidden_file_is_warned_of(release: Project) -> None:
    release.add(".DS_Store", b"")
    release.add(".gitignore", b"*")
    document = check(release)
    assert document["passed"]
    assert told(document, "warning") == [("nothing else", ".DS_Store")]


def test_a_wheel_that_says_something_else_inside_stops_it(release: Project) -> None:
    wheel = make_wheel(release, version="2.0")
    wheel.replace(release.dist / "demo-1.0-py3-none-any.whl")
    assert "name is malformed" in release.fail(1, "sign", "dist", "--overwrite")
    assert ("names", "demo-1.0-py3-none-any.whl: its file name says demo 1.0, its metadata demo 2.0") in told(check(release))


def test_many_strays_are_counted(release: Project) -> None:
    for number in range(30):
        release.add(f"stray-{number}", b"")
    strays = [found for subject, found in told(check(release)) if subject == "nothing else"]
    assert len(strays) == 21
    assert strays[-1] == "and 10 more"


@pytest.mark.parametrize(("arguments", "problem"), [(["missing"], "is no folder"), (["empty"], "no artifact found")])
def test_a_folder_without_a_release_is_misuse(arguments: list[str], problem: str, release: Project) -> None:
    (release.folder / "empty").mkdir()
    assert problem in release.fail(2, "release", "check", *arguments)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('tag = "v"', "expected `{version}` in it once"),
        ('tag = "{version}{version}"', "expected `{version}` in it once"),
        ('tag = "$(id){version}"', "holds what no tag may hold"),
        ('tag = "-{version}"', "holds what no tag may hold"),
        ("expect = []", "is empty"),
        ('expects = ["*.whl"]', "did you mean `expect`?"),
    ],
)
def test_mistakes_in_the_table_are_told(line: str, problem: str, release: Project) -> None:
    with (release.folder / "hatch-sign.toml").open("a") as configuration:
        configuration.write(f"[release]\n{line}\n")
    assert problem in release.fail(2, "release", "check")


TOGETHER = '[release]\nprojects = ["Demo", "demo_kms"]\n'


@pytest.fixture
def together(release: Project) -> Project:
    """Return a release of two projects under one tag."""
    with (release.folder / "hatch-sign.toml").open("a") as configuration:
        configuration.write(TOGETHER)
    git(release, "commit", "--quiet", "--all", "--message=together")
    git(release, "tag", "--force", "v1.0")
    make_wheel(release, name="demo_kms")
    make_sdist(release, name="demo_kms")
    release.succeed("sign", "dist")
    return release


def test_projects_that_are_released_together_may_leave_together(together: Project) -> None:
    document = check(together)
    assert document["passed"], document["checks"]
    assert (document["name"], document["names"], document["version"]) == (None, ["demo", "demo-kms"], "1.0")
    assert told(document, "ok")[:2] == [("release", "demo 1.0, demo-kms 1.0"), ("complete", "2 sdists and 2 wheels")]
    assert "demo, demo-kms 1.0 may be released" in together.succeed("release", "check").err


def test_of_projects_that_are_released_together_none_may_be_missing(together: Project) -> None:
    for path in together.dist.glob("demo_kms-1.0.tar.gz*"):
        path.unlink()
    document = check(together)
    only_failure(document, "complete")
    assert [each["expected"] for each in document["checks"] if each["subject"] == "complete"] == [
        "one sdist of demo-kms 1.0"
    ]
    for path in together.dist.glob("demo_kms*"):
        path.unlink()
    document = check(together)
    assert only_failure(document, "release") == "demo 1.0"
    assert expected_of(document, "release") == ["demo-kms 1.0"]


def test_projects_that_are_released_together_have_one_version(together: Project) -> None:
    for path in together.dist.glob("demo_kms*"):
        path.unlink()
    make_wheel(together, name="demo_kms", version="1.1")
    document = check(together)
    assert told(document)[0] == ("release", "demo 1.0, demo-kms 1.1")
    assert document["names"] == []
    found = told(check(together, "--tag", "v1.0"))
    assert found == [("release", "demo 1.0"), ("nothing else", "demo_kms-1.1-py3-none-any.whl")]


@pytest.mark.parametrize("configured", [True, False])
def test_a_project_that_is_not_named_is_none_of_the_release(configured: bool, together: Project) -> None:  # noqa: FBT001 - a parameter
    if configured:
        make_wheel(together, name="stranger")
        assert only_failure(check(together), "nothing else") == "stranger-1.0-py3-none-any.whl"
        return
    (together.folder / "hatch-sign.toml").write_text((together.folder / "hatch-sign.toml").read_text().replace(TOGETHER, ""))
    git(together, "commit", "--quiet", "--all", "--message=alone")
    git(together, "tag", "--force", "v1.0")
    found = told(check(together, "--tag", "v1.0"))
    assert ("release", "demo 1.0, demo-kms 1.0") in found


# --- the six reasons for which no release may leave, by the command that people run -----------------------------------


def unsign(release: Project) -> None:
    (release.dist / "demo-1.0-py3-none-any.whl.sigstore.json").unlink()


def lose_the_wheel(release: Project) -> None:
    for path in release.dist.glob("*.whl*"):
        path.unlink()


def tag_another_version(release: Project) -> None:
    git(release, "tag", "--delete", "v1.0")
    git(release, "tag", "v1.1")


def leave_a_file_about(release: Project) -> None:
    (release.folder / "new.py").write_text("")


def sign_as_a_stranger(release: Project) -> None:
    release.succeed("key", "generate", "emulated:test/stranger", "--algorithm", "ecdsa-p256")
    release.fail(1, "sign", "dist", "--key", "emulated:test/stranger", "--overwrite")


def let_the_certificate_expire(release: Project) -> None:
    (release.folder / "hatch-sign.toml").write_text(CERTIFIED)
    certify(release)
    release.succeed("sign", "dist", "--overwrite")
    certify(release, days=-1)
    leaf = load_pem_x509_certificate((release.folder / "chain.pem").read_bytes()).public_bytes(Encoding.DER)
    for path in release.dist.glob("*.sigstore.json"):
        bundle = json.loads(path.read_text())
        bundle["verificationMaterial"]["certificate"]["rawBytes"] = base64.b64encode(leaf).decode()
        path.write_text(json.dumps(bundle))
    git(release, "add", "--all")
    git(release, "commit", "--quiet", "--message=certified")
    git(release, "tag", "--force", "v1.0")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (unsign, "failure  signatures  demo-1.0-py3-none-any.whl: sigstore is unsigned"),
        (lose_the_wheel, "failure  complete  1 sdist and 0 wheels  expected at least one wheel"),
        (tag_another_version, "failure  tag  the commit has no tag of this version  expected tag v1.0 or 1.0"),
        (leave_a_file_about, "failure  tree  changed or not tracked: new.py"),
        (sign_as_a_stranger, "failure  signatures  demo-1.0-py3-none-any.whl: sigstore is untrusted"),
        (let_the_certificate_expire, "failure  signatures  demo-1.0-py3-none-any.whl: sigstore is expired"),
    ],
)
def test_each_of_the_six_reasons_to_stay_ends_it(spoil: Callable[[Project], None], told: str, release: Project) -> None:
    assert "may be released" in release.succeed("release", "check").err
    spoil(release)
    ran = release.run("release", "check")
    assert ran.code == 1
    assert told in ran.out
    assert "is not to be released" in ran.err
