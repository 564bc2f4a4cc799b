"""A bundle with a timestamp: cosign, @sigstore/verify and we agree on it, and on what was tampered with."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hatch_sign.formats.rfc3161 import encode_request
from tests.authority import Authority, Holder
from tests.integration.cli.cli_project import Project, make_project
from tests.peers import rigs

from .trusted_roots import trusted_root
from .tsa import TimestampServer

DAY = timedelta(days=1)
NOW = datetime.now(UTC).replace(microsecond=0)
CONFIGURATION = """\
key = "emulated:test/release"

[verify]
timestamp-roots = "tsa.pem"
[[verify.trust]]
public-key = "release.pub"
not-after = {end}
"""


@dataclass(frozen=True)
class Signed:
    """An artifact with a bundle whose signature an authority stamped, and the roots of Sigstore's clients."""

    project: Project
    stamper: Holder
    artifact: Path

    @property
    def bundle(self) -> Path:
        return self.artifact.with_name(self.artifact.name + ".sigstore.json")

    def judges(self, stamper: Holder | None = None) -> dict[str, rigs.PeerResult]:
        """Ask both clients, which trust the key and the certificates of `stamper`."""
        files = self.artifact, self.bundle, self.project.folder / "release.pub"
        root = self.project.folder / "trusted_root.json"
        root.write_bytes(trusted_root(stamper or self.stamper))
        return {
            "cosign": rigs.cosign_verify_blob(*files, trusted_root=root),
            "@sigstore/verify": rigs.sigstore_js_verify(*files, trusted_root=root, timestamps=1),
        }

    def verdict(self) -> tuple[str, str]:
        """Return our verdict and its detail, where the rule that trusts the key ended yesterday."""
        ran = self.project.run("verify", str(self.artifact), "--json")
        (found,) = json.loads(ran.out)["artifacts"][0]["signatures"]
        return found["verdict"], found["detail"]

    def change_timestamps(self, change: Callable[[bytes], Sequence[bytes]]) -> None:
        table = json.loads(self.bundle.read_text())
        material = table["verificationMaterial"]["timestampVerificationData"]
        (stamp,) = material["rfc3161Timestamps"]
        changed = change(base64.b64decode(stamp["signedTimestamp"]))
        material["rfc3161Timestamps"] = [{"signedTimestamp": base64.b64encode(each).decode()} for each in changed]
        self.bundle.write_text(json.dumps(table))


@pytest.fixture(scope="module")
def stamps() -> Iterator[TimestampServer]:
    """Stamp as of two days ago: before yesterday, when the rule ended."""
    stamper = Authority("Timestamping Root").holder("Stamper", usage="timestamping")
    with TimestampServer(stamper, clock=NOW - 2 * DAY) as server:
        yield server


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, stamps: TimestampServer) -> Project:
    folder = tmp_path_factory.mktemp("stamped")
    made = make_project(folder, configuration=CONFIGURATION.format(end=f"{NOW - DAY:%Y-%m-%dT%H:%M:%SZ}"))
    assert stamps.holder.authority is not None
    (folder / "tsa.pem").write_bytes(stamps.holder.authority.pem)
    return made


@pytest.fixture
def signed(project: Project, stamps: TimestampServer, request: pytest.FixtureRequest) -> Signed:
    artifact = project.add(f"{request.node.name}.bin", os.urandom(16))
    ran = project.succeed("sign", str(artifact), "--timestamp", stamps.url, "--json")
    (made,) = json.loads(ran.out)["signatures"]
    assert made["time"].startswith(f"{NOW - 2 * DAY:%Y-%m-%d}")
    return Signed(project, stamps.holder, artifact)


def test_all_accept_it(signed: Signed) -> None:
    for name, result in signed.judges().items():
        assert result.accepted, (name, result.output)
    assert signed.verdict() == ("trusted", "name not covered")


def test_without_the_timestamp_all_refuse_it(signed: Signed) -> None:
    signed.change_timestamps(lambda _: [])
    for name, result in signed.judges().items():
        assert not result.accepted, name
        assert "timestamp" in result.output.lower(), (name, result.output)
    verdict, detail = signed.verdict()
    assert verdict == "expired"
    assert "the rule ended at" in detail


def test_with_one_over_another_signature_all_refuse_it(signed: Signed, stamps: TimestampServer) -> None:
    other = stamps.reply(encode_request(bytes(32), hash_="sha256", nonce=1))
    signed.change_timestamps(lambda _: [other])
    for name, result in signed.judges().items():
        assert "timestamp" in result.refusal.lower(), (name, result.output)
    assert signed.verdict() == ("malformed", "the timestamp is over another signature")


def test_with_a_changed_one_all_refuse_it(signed: Signed) -> None:
    signed.change_timestamps(lambda data: [data.replace(f"{NOW - 2 * DAY:%Y%m%d}".encode(), b"20200101", 1)])
    for name, result in signed.judges().items():
        assert "timestamp" in result.refusal.lower(), (name, result.output)
    verdict, detail = signed.verdict()
    assert verdict == "malformed"
    assert "the timestamp was changed" in detail


def test_under_another_authority_all_refuse_it(signed: Signed) -> None:
    stranger = Authority("Timestamping Root").holder("Stamper", usage="timestamping")
    for name, result in signed.judges(stranger).items():
        assert not result.accepted, name
    assert stranger.authority is not None
    roots = signed.project.folder / "tsa.pem"
    before = roots.read_bytes()
    roots.write_bytes(stranger.authority.pem)
    try:
        verdict, detail = signed.verdict()
    finally:
        roots.write_bytes(before)
    assert verdict == "expired"
    assert "; the timestamp is by no configured authority: no chain leads to a configured root" in detail


def test_a_second_timestamp_does_no_harm_and_the_earlier_counts(signed: Signed, stamps: TimestampServer) -> None:
    """The second is made now, after the rule had ended."""
    stamps.clock = None
    try:
        signed.project.succeed("timestamp", str(signed.artifact), "--renew", "--timestamp", stamps.url)
    finally:
        stamps.clock = NOW - 2 * DAY
    assert signed.bundle.read_text().count("signedTimestamp") == 2
    assert signed.verdict()[0] == "trusted"
    for name, result in signed.judges().items():
        assert result.accepted, (name, result.output)
