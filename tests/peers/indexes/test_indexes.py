"""Real indexes: what was verified arrives, pip gets the same bytes, and what they drop in silence is said."""

from __future__ import annotations

import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from hatch_sign.publishers.index.publisher import IndexPublisher
from hatch_sign.values.errors import RejectedError
from tests.integration.cli.cli_project import Project, Ran, make_project
from tests.unit.publishers.index.releases import METADATA, SDIST, WHEEL, attestation_file, sdist, wheel
from tests.unit.publishers.release_files import Heard, release_file

from .servers import PASSWORD, Server, devpi, pypiserver

if TYPE_CHECKING:
    from pathlib import Path

SERVERS = {"pypiserver": pypiserver, "devpi": devpi}


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with SERVERS[request.param](tmp_path_factory.mktemp(request.param)) as running:
        yield running


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project with a signed wheel and a signed sdist."""
    project = make_project(tmp_path_factory.mktemp("project"))
    project.add(WHEEL, wheel())
    project.add(SDIST, sdist())
    project.succeed("sign", "dist")
    return project


def upload(project: Project, server: Server, *arguments: str, **environ: str) -> Ran:
    ran = project.run("upload", "dist", *arguments, **{**server.environ, **environ})
    assert PASSWORD not in ran.output
    return ran


def test_a_release_is_refused_arrives_and_is_not_sent_again(server: Server, project: Project, tmp_path: Path) -> None:
    refused = upload(project, server, TWINE_PASSWORD="a-wrong-password")  # noqa: S106 - it opens nothing
    assert refused.code == 3, refused.output
    assert "may not upload" in refused.err or "did not accept the credential" in refused.err
    assert "a-wrong-password" not in refused.output
    first = upload(project, server)
    assert first.code == 0, first.output
    assert "2 read back, the same bytes" in first.err
    assert "index does not keep" in first.err
    assert downloaded(server, tmp_path) == wheel()
    again = upload(project, server)
    assert again.code == 0, again.output
    assert again.out.count("index  present  ") == 2


def downloaded(server: Server, folder: Path) -> bytes:
    """Return the wheel that pip gets from this index, and from no other."""
    options = ["--isolated", "--disable-pip-version-check", "--no-deps", "--no-cache-dir", "--only-binary=:all:"]
    command = [sys.executable, "-m", "pip", "download", *options, "--index-url", server.simple, "--dest", str(folder)]
    subprocess.run([*command, "demo-pkg==1.0"], check=True, capture_output=True)
    return (folder / WHEEL).read_bytes()


def test_a_tampered_release_does_not_arrive(server: Server, project: Project, tmp_path: Path) -> None:
    tampered = project.copy(tmp_path / "tampered")
    for name in (WHEEL, SDIST):
        renamed = name.replace("demo_pkg", "tampered")
        (tampered.dist / name).rename(tampered.dist / renamed)
        (tampered.dist / f"{name}.sigstore.json").rename(tampered.dist / f"{renamed}.sigstore.json")
    assert upload(tampered, server).code == 1
    with pytest.raises(urllib.error.HTTPError, match="404"), urllib.request.urlopen(f"{server.simple}tampered/"):  # noqa: S310 - of this machine
        pass


def test_attestations_that_are_dropped_while_success_is_answered_are_told_of(server: Server, tmp_path: Path) -> None:
    name = WHEEL.replace("1.0", "1.1")
    content = wheel("attested", METADATA.replace(b"\nVersion: 1.0", b"\nVersion: 1.1"))
    files = [release_file(tmp_path, name, content), attestation_file(tmp_path, name, content)]
    publisher, told = IndexPublisher(), Heard()
    with publisher.open({"attestations": True}, told.context(server.environ)) as destination:
        destination.publish(files, told)
        found = {each.name: (each.state, each.detail) for each in destination.read_back(files)}
    assert told.uploaded == [file.name for file in files]
    dropped = "the index answered success and dropped the attestations"
    assert found == {name: ("same", ""), files[1].name: ("unreadable", dropped)}


def test_other_bytes_of_the_same_name_are_not_replaced(server: Server, tmp_path: Path) -> None:
    name = WHEEL.replace("1.0", "1.2")
    metadata = METADATA.replace(b"\nVersion: 1.0", b"\nVersion: 1.2")
    with IndexPublisher().open({}, Heard().context(server.environ)) as destination:
        destination.publish([release_file(tmp_path, name, wheel("first", metadata))], Heard())
        with pytest.raises(RejectedError, match="with other bytes"):
            destination.publish([release_file(tmp_path, name, wheel("second", metadata))], Heard())
