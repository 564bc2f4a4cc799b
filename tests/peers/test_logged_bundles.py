"""Bundles by keys that bring their log entries along, before cosign and @sigstore/verify, which demand an entry here."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ..integration.cli.cli_project import Project, make_project, make_wheel
from . import loopback_faults, rigs
from .loopback import LoopbackSigstore, loopback_sigstore
from .loopback_faults import Service

WHEEL = "demo-1.0-py3-none-any.whl"
STATEMENT = "demo-1.0.intoto.sigstore.json"
CONFIGURATION = """\
key = "emulated:test/release"
formats = ["sigstore", "statement"]
log = ["{url}"]

[verify]
trusted-root = "{root}"
[[verify.trust]]
public-key = "release.pub"
"""


@pytest.fixture(scope="module")
def instance() -> Iterator[LoopbackSigstore]:
    with loopback_sigstore() as running:
        yield running


@pytest.fixture(scope="module", params=["ecdsa-p256", "rsa-3072", "ed25519"])
def signed(request: pytest.FixtureRequest, instance: LoopbackSigstore, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a release whose signatures by one kind of key are logged."""
    text = CONFIGURATION.format(url=instance.url, root=instance.trusted_root)
    project = make_project(tmp_path_factory.mktemp(request.param), algorithm=request.param, configuration=text)
    make_wheel(project)
    project.succeed("sign", "dist")
    return project


def judge(instance: LoopbackSigstore, project: Project, bundle: Path) -> rigs.PeerResult:
    """Ask cosign, which is not told to do without a log."""
    document = json.loads(bundle.read_text())
    if "dsseEnvelope" in document:
        statement = json.loads(base64.b64decode(document["dsseEnvelope"]["payload"]))
        command = ["verify-blob-attestation", "--type", statement["predicateType"]]
    else:
        command = ["verify-blob"]
    key, artifact = project.folder / "release.pub", project.dist / WHEEL
    trust = ["--trusted-root", str(instance.trusted_root)]
    return rigs.run_cosign(*command, "--key", str(key), "--bundle", str(bundle), *trust, str(artifact))


@pytest.mark.parametrize("name", [f"{WHEEL}.sigstore.json", STATEMENT])
def test_cosign_finds_the_entry(instance: LoopbackSigstore, signed: Project, name: str) -> None:
    good = judge(instance, signed, signed.dist / name)
    assert good.accepted, good.output


def _without_entries(material: dict[str, Any]) -> None:
    del material["tlogEntries"]


def _promised_for_another_time(material: dict[str, Any]) -> None:
    material["tlogEntries"][0]["integratedTime"] = "1795000000"


def _of_another_root(material: dict[str, Any]) -> None:
    material["tlogEntries"][0]["inclusionProof"]["rootHash"] = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize("name", [f"{WHEEL}.sigstore.json", STATEMENT])
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_without_entries, "not enough verified log entries from transparency log: 0 < 1"),
        (_promised_for_another_time, "not enough verified log entries from transparency log: 0 < 1"),
        (_of_another_root, "does not match expected root"),
    ],
)
def test_cosign_refuses_an_entry_that_does_not_hold(
    instance: LoopbackSigstore,
    signed: Project,
    name: str,
    change: Callable[[dict[str, Any]], None],
    *,
    reason: str,
    tmp_path: Path,
) -> None:
    document = json.loads((signed.dist / name).read_text())
    change(document["verificationMaterial"])
    changed = tmp_path / name
    changed.write_text(json.dumps(document))
    refused = judge(instance, signed, changed)
    assert not refused.accepted
    assert "failed to verify log inclusion" in refused.output
    assert reason in refused.output


def test_sigstore_js_accepts_a_logged_bundle_and_no_changed_one(
    instance: LoopbackSigstore, signed: Project, tmp_path: Path
) -> None:
    bundle, key = signed.dist / STATEMENT, signed.folder / "release.pub"
    artifact = signed.dist / WHEEL
    good = rigs.sigstore_js_verify(artifact, bundle, key, trusted_root=instance.trusted_root)
    assert good.accepted, good.output
    document = json.loads(bundle.read_text())
    _promised_for_another_time(document["verificationMaterial"])
    changed = tmp_path / STATEMENT
    changed.write_text(json.dumps(document))
    refused = rigs.sigstore_js_verify(artifact, changed, key, trusted_root=instance.trusted_root)
    assert not refused.accepted
    assert "TLOG_INCLUSION_PROMISE_ERROR" in refused.output


@pytest.mark.parametrize(
    "fault",
    [loopback_faults.refuse(400), loopback_faults.garbage(), loopback_faults.down(), loopback_faults.cut()],
    ids=["refused", "garbage", "down", "cut"],
)
def test_without_the_log_nothing_is_signed(
    instance: LoopbackSigstore, signed: Project, fault: loopback_faults.Fault, tmp_path: Path
) -> None:
    project = signed.copy(tmp_path / "project")
    for path in project.dist.glob("*.json"):
        path.unlink()
    with instance.fault(Service.REKOR_V1, fault):
        error = project.fail(3, "sign", "dist")
    assert f"log {instance.url} " in error
    assert project.names() == [WHEEL]
    project.succeed("sign", "dist")
    assert judge(instance, project, project.dist / STATEMENT).accepted
