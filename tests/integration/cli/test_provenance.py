"""A statement over a release says how it was built: signed on the command line, verified, and read as others read it."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from ...build_services import COMMIT, GITHUB, GITLAB, SECRET, SECRETS, make_checkout
from ...slsa_rules import require_provenance
from .cli_project import CONFIGURATION, Project, make_wheel

STATEMENT = "demo-1.0.intoto.sigstore.json"
BUILDER = "https://github.com/actions/runner/github-hosted"


@pytest.fixture
def release(project: Project) -> Project:
    """Return a project with a wheel and an sdist to be signed by one statement."""
    make_wheel(project)
    project.add("demo-1.0.tar.gz", b"stands for an sdist")
    (project.folder / "hatch-sign.toml").write_text(CONFIGURATION.replace('"sigstore"', '"statement"'))
    return project


def configure(project: Project, choice: str) -> None:
    path = project.folder / "hatch-sign.toml"
    path.write_text(path.read_text().replace("[verify]", f'provenance = "{choice}"\n\n[verify]', 1))


def said(project: Project) -> dict[str, Any]:
    document = json.loads((project.dist / STATEMENT).read_text())
    statement: dict[str, Any] = json.loads(base64.b64decode(document["dsseEnvelope"]["payload"]))
    return statement


def verify(project: Project, *, code: int = 0) -> list[dict[str, Any]]:
    ran = project.run("verify", "dist", "--json")
    assert ran.code == code, ran.output
    return [signature for artifact in json.loads(ran.out)["artifacts"] for signature in artifact["signatures"]]


def test_a_workflow_signs_its_provenance(release: Project) -> None:
    ran = release.succeed("sign", "dist", **SECRETS, **GITHUB)
    statement = said(release)
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    require_provenance(statement["predicate"])
    assert statement["predicate"]["runDetails"]["builder"]["id"] == BUILDER
    assert [subject["name"] for subject in statement["subject"]] == ["demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz"]
    assert SECRET not in json.dumps(statement) + ran.output


def test_whoever_verifies_is_told_the_claim(release: Project) -> None:
    release.succeed("sign", "dist", **GITHUB)
    claim = f"claims to be built by {BUILDER} from git+https://github.com/example/demo@refs/tags/v1.0, commit {COMMIT}"
    found = verify(release)
    assert [(signature["verdict"], signature["detail"]) for signature in found] == [("trusted", claim)] * 2
    assert f"by {BUILDER}" in release.succeed("verify", "dist").out


def test_a_claim_of_somebody_who_is_not_trusted_is_not_told(release: Project) -> None:
    release.succeed("sign", "dist", **GITHUB)
    release.succeed("key", "generate", "emulated:test/other")
    release.succeed("key", "export-public", "emulated:test/other", "-o", "release.pub", "--overwrite")
    found = verify(release, code=1)
    assert {signature["verdict"] for signature in found} == {"untrusted"}
    assert "claims" not in json.dumps(found)


def test_a_changed_claim_is_refused(release: Project) -> None:
    release.succeed("sign", "dist", **GITHUB)
    path = release.dist / STATEMENT
    document = json.loads(path.read_text())
    payload = base64.b64decode(document["dsseEnvelope"]["payload"]).replace(COMMIT.encode(), COMMIT[::-1].encode())
    document["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()
    path.write_text(json.dumps(document))
    found = verify(release, code=1)
    assert {signature["verdict"] for signature in found} == {"untrusted"}
    assert COMMIT[::-1] not in json.dumps(found)


def test_a_job_of_gitlab_signs_its_provenance(release: Project) -> None:
    release.succeed("sign", "dist", **SECRETS, **GITLAB)
    predicate = said(release)["predicate"]
    require_provenance(predicate)
    assert predicate["runDetails"]["builder"]["id"] == "https://gitlab.example/group/sub/demo/-/runners/12270857"
    assert SECRET not in json.dumps(predicate)


def test_a_plain_machine_claims_a_release_and_no_more(release: Project) -> None:
    make_checkout(release.folder)
    release.succeed("sign", "dist")
    assert said(release)["predicateType"] == "https://in-toto.io/attestation/release/v0.1"
    assert {signature["detail"] for signature in verify(release)} == {""}


def test_a_plain_machine_that_is_asked_to_says_that_it_is_plain(release: Project) -> None:
    commit = make_checkout(release.folder)
    configure(release, "always")
    release.succeed("sign", "dist")
    predicate = said(release)["predicate"]
    require_provenance(predicate)
    assert predicate["buildDefinition"]["buildType"] == "hatch-sign:build/plain/v1"
    claim = f"claims to be built by hatch-sign:builder/plain from commit {commit}, changed since"
    assert {signature["detail"] for signature in verify(release)} == {claim}


def test_a_workflow_can_be_told_to_claim_no_more_than_a_release(release: Project) -> None:
    configure(release, "never")
    release.succeed("sign", "dist", **{**GITHUB, "GITHUB_SHA": "not asked for"})
    assert said(release)["predicateType"] == "https://in-toto.io/attestation/release/v0.1"


def test_an_environment_that_no_workflow_has_signs_nothing(release: Project) -> None:
    error = release.fail(2, "sign", "dist", **{**GITHUB, "GITHUB_SHA": "HEAD\nof nothing"})
    assert "the environment variable GITHUB_SHA is not of the form that the build service gives it" in error
    assert not (release.dist / STATEMENT).exists()


def test_no_other_choice_is_taken(release: Project) -> None:
    configure(release, "sometimes")
    error = release.fail(2, "sign", "dist", **GITHUB)
    assert "`provenance` is 'sometimes', expected one of auto, always, never" in error
    assert not (release.dist / STATEMENT).exists()


def test_sidecars_ask_nothing_of_the_environment(project: Project) -> None:
    make_wheel(project)
    project.succeed("sign", "dist", **{**GITHUB, "GITHUB_SHA": "not asked for"})
