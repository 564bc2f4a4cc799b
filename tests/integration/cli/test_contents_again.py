"""Binaries that are signed by our key already: kept where nothing is asked for that they lack, else signed anew."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from hatch_sign.formats.rfc3161 import parse_timestamp
from tests.authority import chain_pem
from tests.unit.services.https_server import Answer
from tests.unit.witnesses.stamping_server import StampingServer, stamping

from ...unit.archives.wheels import NAME, contents_of, make_wheel
from ...unit.authenticode.images import make_image
from ...unit.authenticode.signing import check
from .cli_project import Project, make_project
from .code_signing import KEY, certify, configure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IMAGE = make_image()
ALREADY = "already signed by this key"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = make_project(tmp_path_factory.mktemp("contents"))
    configure(project)
    project.add(NAME, make_wheel({"app/a.pyd": IMAGE}))
    return project


@pytest.fixture
def project(prepared: Project, tmp_path: Path) -> Project:
    return prepared.copy(tmp_path / "project").unmeasured()


@pytest.fixture
def server(project: Project) -> Iterator[StampingServer]:
    with stamping() as running:
        (project.folder / "tsa.pem").write_bytes(chain_pem(running.holder.root))
        roots = '[verify]\ntimestamp-roots = "tsa.pem"\n'
        reconfigure(project, "[[verify.trust]]\npublic", f"{roots}[[verify.trust]]\npublic")
        yield running


def reconfigure(project: Project, old: str, new: str) -> None:
    path = project.folder / "hatch-sign.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def sign(project: Project, *arguments: str) -> list[dict[str, Any]]:
    """Sign, without what an earlier run put beside the artifacts, and return what became of each file under authenticode."""
    for sidecar in project.dist.glob("*.sigstore.json"):
        sidecar.unlink()
    document = json.loads(project.succeed("sign", "dist", "--json", *arguments).out)
    return [each for each in document["signatures"] if each["format"] == "authenticode"]


def assert_stamped(image: bytes) -> None:
    (facts,) = check(image).facts
    assert [parse_timestamp(each).vouches_for(facts.signature) for each in facts.timestamps] == [True]


def test_what_lacks_the_timestamp_that_is_asked_for_is_signed_anew(project: Project, server: StampingServer) -> None:
    project.add("tool.exe", IMAGE)
    assert [(each["detail"], each["time"]) for each in sign(project)] == [("signed", None)] * 2
    assert [each["detail"] for each in sign(project)] == [ALREADY] * 2
    stamped = sign(project, "--timestamp", server.url)
    assert [each["detail"] for each in stamped] == ["signed"] * 2
    assert all(each["time"] for each in stamped)
    assert_stamped(contents_of(project.dist / NAME)["app/a.pyd"])
    assert_stamped((project.dist / "tool.exe").read_bytes())
    assert [each["detail"] for each in sign(project, "--timestamp", server.url)] == [ALREADY] * 2


def test_what_may_lack_a_timestamp_says_so_and_is_kept(project: Project, server: StampingServer) -> None:
    server.script(*[Answer(403)] * 100)
    optional = ("--timestamp", server.url, "--timestamp-optional")
    assert [(each["detail"], each["time"]) for each in sign(project, *optional)] == [("signed, without a timestamp", None)]
    assert [each["detail"] for each in sign(project, *optional)] == [ALREADY]
    server.service.scripted.clear()
    assert [each["detail"] for each in sign(project, "--timestamp", server.url)] == ["signed"]


def test_a_renewed_certificate_of_the_same_key_is_put_inside(project: Project) -> None:
    first = sign(project)
    subject = certify(project.folder / "codesign.pub", project.folder)
    again = sign(project)
    assert [each["detail"] for each in (*first, *again)] == ["signed", "signed"]
    (facts,) = check(contents_of(project.dist / NAME)["app/a.pyd"]).facts
    assert facts.certificates[0].subject.rfc4514_string() == subject
    project.succeed("verify", "dist")
    assert [each["detail"] for each in sign(project)] == [ALREADY]


def test_an_older_signature_of_ours_may_stand_beside_the_new_one(project: Project, server: StampingServer) -> None:
    reconfigure(project, "[contents]", "[contents]\nauthenticode-nested = true")
    sign(project)
    (stamped,) = sign(project, "--timestamp", server.url)
    assert stamped["detail"] == "signed"
    facts = check(contents_of(project.dist / NAME)["app/a.pyd"]).facts
    assert sorted(len(each.timestamps) for each in facts) == [0, 1]
    assert [each["detail"] for each in sign(project, "--timestamp", server.url)] == [ALREADY]


def test_programs_that_are_signed_as_artifacts_are_held_to_the_same(project: Project, server: StampingServer) -> None:
    (project.dist / NAME).unlink()
    program = project.add("tool.exe", IMAGE)
    top = f'key = "{KEY}"\ncertificates = "chain.pem"\nformats = ["authenticode"]\n[verify]\ntimestamp-roots = "tsa.pem"\n'
    (project.folder / "hatch-sign.toml").write_text(top)
    assert [each["detail"] for each in sign(project)] == ["signed"]
    assert [each["detail"] for each in sign(project)] == [ALREADY]
    (stamped,) = sign(project, "--timestamp", server.url)
    assert stamped["detail"] == "signed"
    assert stamped["time"]
    assert_stamped(program.read_bytes())
    certify(project.folder / "codesign.pub", project.folder)
    server.script(*[Answer(403)] * 100)
    (renewed,) = sign(project, "--timestamp", server.url, "--timestamp-optional")
    assert (renewed["detail"], renewed["time"]) == ("signed, without a timestamp", None)
