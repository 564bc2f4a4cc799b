"""Statements with a provenance before cosign and @sigstore/verify: accepted as they are, refused with one byte changed."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ..build_services import GITHUB, GITLAB
from ..integration.cli.cli_project import Project, make_project, make_wheel
from . import rigs
from .rigs import PeerResult

STATEMENT = "demo-1.0.intoto.sigstore.json"
Judge = Callable[[Path, Path, Path], PeerResult]


@pytest.fixture(scope="module", params=["github", "gitlab", "plain"])
def signed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a release whose statement says how it was built."""
    configuration = 'key = "emulated:test/release"\nformats = ["statement"]\nprovenance = "always"\n'
    project = make_project(tmp_path_factory.mktemp(request.param), configuration=configuration)
    make_wheel(project)
    project.add("demo-1.0.tar.gz", b"stands for an sdist\n" * 50)
    project.succeed("sign", "dist", **{"github": GITHUB, "gitlab": GITLAB, "plain": {}}[request.param])
    return project


def cosign(artifact: Path, bundle: Path, key: Path) -> PeerResult:
    return rigs.cosign_verify_attestation(artifact, bundle, key, "slsaprovenance1")


@pytest.mark.parametrize(
    ("judge", "forged", "foreign"),
    [
        pytest.param(cosign, "could not verify envelope", "provided artifact digests do not match", id="cosign"),
        pytest.param(rigs.sigstore_js_verify, "SIGNATURE_ERROR", "SUBJECT_ERROR", id="sigstore-js"),
    ],
)
def test_a_provenance_before_peers(signed: Project, judge: Judge, forged: str, foreign: str, tmp_path: Path) -> None:
    bundle, key = signed.dist / STATEMENT, signed.folder / "release.pub"
    for name in ("demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz"):
        good = judge(signed.dist / name, bundle, key)
        assert good.accepted, good.output
    artifact = signed.dist / "demo-1.0.tar.gz"
    refused = judge(artifact, _with_another_builder(bundle, tmp_path / "changed.json"), key)
    assert not refused.accepted
    assert forged in refused.output
    other = tmp_path / artifact.name
    other.write_bytes(b"not what was signed")
    refused = judge(other, bundle, key)
    assert not refused.accepted
    assert foreign in refused.output


def test_cosign_is_asked_for_this_kind_of_claim(signed: Project) -> None:
    artifact, key = signed.dist / "demo-1.0.tar.gz", signed.folder / "release.pub"
    refused = rigs.cosign_verify_attestation(artifact, signed.dist / STATEMENT, key, "slsaprovenance02")
    assert not refused.accepted
    assert "predicate type" in refused.output, refused.output


def _with_another_builder(bundle: Path, target: Path) -> Path:
    document = json.loads(bundle.read_text())
    statement = json.loads(base64.b64decode(document["dsseEnvelope"]["payload"]))
    statement["predicate"]["runDetails"]["builder"]["id"] += "-of-somebody-else"
    changed = json.dumps(statement, separators=(",", ":")).encode()
    document["dsseEnvelope"]["payload"] = base64.b64encode(changed).decode()
    target.write_text(json.dumps(document))
    return target
