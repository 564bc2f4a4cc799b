"""What becomes of signatures as time goes by: the real command line under libfaketime, on bundles and CMS signatures.

The signer's certificate ends ten days from now, and those of the timestamp authority, its root included, thirty days from
now. What is signed is signed at the time when the tests were collected, or on another day where a test says so.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from hatch_sign.formats.cms.producer import CmsProducer
from hatch_sign.formats.rfc3161 import encode_request
from tests.authority import Authority, Holder, chain_pem
from tests.integration.cli.cli_project import Project, Ran, make_project
from tests.peers import rigs

from .tsa import TimestampServer

if TYPE_CHECKING:
    from tests.authority import PrivateKey

DAY = timedelta(days=1)
NOW = datetime.now(UTC).replace(microsecond=0)
SIGNER_ENDS, AUTHORITY_ENDS = NOW + 10 * DAY, NOW + 30 * DAY
FORMATS = {"sigstore": ".sigstore.json", "cms": ".p7s"}

CONFIGURATION = """\
key = "emulated:test/release"
certificates = "chain.pem"
formats = ["sigstore", "cms"]
bundle-certificate = true

[verify]
{timestamp_roots}
[[verify.trust]]
certificate-roots = "root.pem"
certificate-intermediates = "issuers.pem"
subject = "CN=Example Signer,O=Example Ltd,C=SI"
{revocation}
"""
ROOTS = 'timestamp-roots = "tsa.pem"'


@dataclass(frozen=True, slots=True)
class PublicHalf:
    """Stands where an authority wants a key whose public half it certifies: the private one never leaves the token."""

    pem: bytes

    def public_key(self) -> Any:  # noqa: ANN401 - of any kind
        return load_pem_public_key(self.pem)


@dataclass(frozen=True)
class World:
    """A project that signs with a certificate, and the two authorities behind it."""

    project: Project
    issuer: Authority
    signer: x509.Certificate
    stamper: Holder

    def add(self, name: str) -> Path:
        return self.project.add(name, name.encode())

    def configure(self, timestamp_roots: str = ROOTS, revocation: str = "") -> None:
        text = CONFIGURATION.format(timestamp_roots=timestamp_roots, revocation=revocation)
        (self.project.folder / "hatch-sign.toml").write_text(text)

    def run(self, at: datetime, *arguments: str) -> Ran:
        """Run hatch-sign in a process that takes `at` for the present."""
        program = [str(rigs.require(rigs.Peer.FAKETIME)), f"{at:%Y-%m-%d %H:%M:%S}", sys.executable, "-m", "hatch_sign"]
        done = subprocess.run(
            [*program, *arguments],
            cwd=self.project.folder,
            env={**self.project.environ, "TZ": "UTC", "FAKETIME_DONT_FAKE_MONOTONIC": "1"},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=300,
        )
        ran = Ran(done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in ran.output, ran.output
        return ran

    def sign(self, artifact: Path, *arguments: str, at: datetime = NOW) -> Path:
        ran = self.run(at, "sign", str(artifact), *arguments)
        assert ran.code == 0, ran.output
        return artifact

    def verify(self, artifact: Path, at: datetime) -> dict[str, dict[str, Any]]:
        """Return what is found of each format. The exit code says the same."""
        ran = self.run(at, "verify", str(artifact), "--json")
        assert ran.code in {0, 1}, ran.output
        (found,) = json.loads(ran.out)["artifacts"]
        signatures = {signature["format"]: signature for signature in found["signatures"]}
        trusted = all(signature["verdict"] == "trusted" for signature in signatures.values())
        assert set(signatures) == set(FORMATS)
        assert (ran.code == 0) is found["passed"] is trusted
        return signatures


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("time-travel")
    project = make_project(folder)
    root = Authority("Code Signing Root", not_after=NOW + 4000 * DAY)
    issuer = Authority("Code Signing Intermediate", above=root, not_after=NOW + 3000 * DAY)
    key: PrivateKey = PublicHalf((folder / "release.pub").read_bytes())  # type: ignore[assignment] # see there
    signer = issuer.issue("Example Signer", key, not_after=SIGNER_ENDS)
    stamping = Authority("Timestamping Root", not_after=AUTHORITY_ENDS)
    stamper = stamping.holder("Stamper", usage="timestamping", not_after=AUTHORITY_ENDS)
    (folder / "chain.pem").write_bytes(chain_pem(signer, issuer.certificate))
    (folder / "issuers.pem").write_bytes(issuer.pem)
    (folder / "root.pem").write_bytes(root.pem)
    (folder / "tsa.pem").write_bytes(stamping.pem)
    return World(project, issuer, signer, stamper)


@pytest.fixture(scope="module")
def stamps(world: World) -> Iterator[TimestampServer]:
    # Its clock stands as the tests' does, however long ago they were collected.
    with TimestampServer(world.stamper, clock=NOW) as server:
        yield server


@pytest.fixture(scope="module")
def stamped(world: World, stamps: TimestampServer) -> Path:
    """Return an artifact that was signed, and whose signatures were stamped, now."""
    world.configure()
    return world.sign(world.add("stamped.bin"), "--timestamp", stamps.url)


@pytest.fixture(scope="module")
def bare(world: World) -> Path:
    """Return an artifact that was signed now, without timestamps."""
    world.configure()
    return world.sign(world.add("bare.bin"))


@pytest.fixture(autouse=True)
def _configured(world: World) -> None:
    world.configure()


def assert_verdicts(found: dict[str, dict[str, Any]], verdict: str, detail: str = "", *, proven: bool | None = None) -> None:
    for format_, signature in found.items():
        assert signature["verdict"] == verdict, (format_, signature)
        assert detail in signature["detail"], (format_, signature)
        assert proven is None or bool(signature["time"]) is proven, (format_, signature)


def test_while_the_certificate_lasts_both_are_trusted(world: World, stamped: Path, bare: Path) -> None:
    found = world.verify(stamped, NOW + DAY)
    assert_verdicts(found, "trusted", proven=True)
    assert all(abs(datetime.fromisoformat(each["time"]) - NOW) < timedelta(hours=1) for each in found.values())
    assert_verdicts(world.verify(bare, NOW + DAY), "trusted", proven=False)


def test_after_it_has_ended_only_the_timestamp_keeps_trust(world: World, stamped: Path, bare: Path) -> None:
    later = SIGNER_ENDS + DAY
    assert_verdicts(world.verify(stamped, later), "trusted", proven=True)
    assert_verdicts(world.verify(bare, later), "expired", f"a certificate ended on {SIGNER_ENDS:%Y-%m-%d}", proven=False)


def test_the_table_shows_the_time(world: World, stamped: Path) -> None:
    ran = world.run(SIGNER_ENDS + DAY, "verify", str(stamped))
    assert ran.code == 0
    assert ran.out.count(f"  at {NOW:%Y-%m-%d} ") == len(FORMATS)
    assert "ends at" not in ran.err


def test_the_authority_of_the_timestamps_may_end_too(world: World, stamped: Path, bare: Path) -> None:
    for later in (AUTHORITY_ENDS + DAY, NOW + 2000 * DAY):
        assert_verdicts(world.verify(stamped, later), "trusted", proven=True)
        assert_verdicts(world.verify(bare, later), "expired")


def test_without_roots_of_timestamps_they_are_no_time(world: World, stamped: Path) -> None:
    world.configure(timestamp_roots="")
    later = SIGNER_ENDS + DAY
    assert_verdicts(world.verify(stamped, later), "expired", "no `timestamp-roots` are configured", proven=False)
    assert_verdicts(world.verify(stamped, NOW), "trusted", proven=False)


def test_roots_may_be_named_on_the_command_line(world: World, stamped: Path) -> None:
    world.configure(timestamp_roots="")
    who = ["--certificate-roots", "root.pem", "--subject", "CN=Example Signer,O=Example Ltd,C=SI", "--require", "cms"]
    named = world.run(SIGNER_ENDS + DAY, "verify", str(stamped), *who, "--timestamp-roots", "tsa.pem")
    assert "cms  trusted" in named.out
    unnamed = world.run(SIGNER_ENDS + DAY, "verify", str(stamped), *who)
    assert (unnamed.code, "cms  expired" in unnamed.out) == (1, True)


def test_a_strange_authority_proves_nothing_and_the_verdict_says_so(world: World, stamped: Path) -> None:
    stranger = Authority("Timestamping Root")
    (world.project.folder / "strange.pem").write_bytes(stranger.pem)
    world.configure(timestamp_roots='timestamp-roots = "strange.pem"')
    reason = "; the timestamp is by no configured authority: no chain leads to a configured root"
    assert_verdicts(world.verify(stamped, SIGNER_ENDS + DAY), "expired", reason, proven=False)
    warnings = [signature["warnings"] for signature in world.verify(stamped, NOW).values()]
    assert all("by no configured authority" in warning for (warning, *_) in warnings)


def test_a_timestamp_that_was_made_too_late_does_not_help(world: World, stamps: TimestampServer) -> None:
    """The command puts it in all the same: it may yet serve a rule that trusts the key."""
    late = SIGNER_ENDS + 5 * DAY
    artifact = world.sign(world.add("late.bin"))
    stamps.clock = late
    try:
        ran = world.run(late, "timestamp", str(artifact), "--timestamp", stamps.url)
    finally:
        stamps.clock = NOW
    assert ran.code == 0, ran.output
    found = world.verify(artifact, late + DAY)
    assert_verdicts(found, "expired", f"a certificate ended on {SIGNER_ENDS:%Y-%m-%d}", proven=True)
    assert all(signature["time"].startswith(f"{late:%Y-%m-%d}") for signature in found.values())


def test_a_timestamp_added_in_time_helps(world: World, stamps: TimestampServer) -> None:
    timely = SIGNER_ENDS - DAY
    artifact = world.sign(world.add("timely.bin"))
    stamps.clock = timely
    try:
        ran = world.run(timely, "timestamp", str(artifact), "--timestamp", stamps.url)
    finally:
        stamps.clock = NOW
    assert ran.code == 0, ran.output
    assert_verdicts(world.verify(artifact, SIGNER_ENDS + DAY), "trusted", proven=True)


def test_a_timestamp_from_the_future_is_none_yet(world: World, stamps: TimestampServer) -> None:
    """An authority whose clock is ahead could otherwise make what ends look as if it had ended already, or not."""
    artifact = world.add("future.bin")
    ahead = NOW + 5 * DAY
    stamps.clock = ahead
    try:
        world.sign(artifact, "--timestamp", stamps.url, at=ahead)
    finally:
        stamps.clock = NOW
    found = world.verify(artifact, NOW)
    assert_verdicts(found, "trusted", proven=False)
    assert all(any("which is yet to come" in text for text in each["warnings"]) for each in found.values())
    assert_verdicts(world.verify(artifact, SIGNER_ENDS + DAY), "trusted", proven=True)


def replace_timestamp(artifact: Path, change: Callable[[bytes], bytes]) -> None:
    """Put other timestamps into both signatures of an artifact."""
    bundle = artifact.with_name(artifact.name + FORMATS["sigstore"])
    table = json.loads(bundle.read_text())
    (stamp,) = table["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]
    data = base64.b64decode(stamp["signedTimestamp"])
    stamp["signedTimestamp"] = base64.b64encode(change(data)).decode()
    bundle.write_text(json.dumps(table))
    cms = artifact.with_name(artifact.name + FORMATS["cms"])
    producer = CmsProducer()
    cms.write_bytes(producer.with_timestamps(cms.read_bytes(), [change(data)]))


def test_a_timestamp_over_another_signature_is_malformed(world: World, stamps: TimestampServer) -> None:
    artifact = world.sign(world.add("swapped.bin"), "--timestamp", stamps.url)
    other = stamps.reply(encode_request(bytes(32), hash_="sha256", nonce=1))
    replace_timestamp(artifact, lambda _: other)
    for at in (NOW, SIGNER_ENDS + DAY):
        assert_verdicts(world.verify(artifact, at), "malformed", "the timestamp is over another signature")


def test_a_changed_timestamp_is_malformed(world: World, stamps: TimestampServer) -> None:
    artifact = world.sign(world.add("changed.bin"), "--timestamp", stamps.url)
    replace_timestamp(artifact, lambda data: data.replace(f"{NOW:%Y%m}".encode(), b"202001", 1))
    assert_verdicts(world.verify(artifact, NOW), "malformed", "the timestamp was changed")


def revoke(world: World, when: datetime) -> None:
    """Configure a revocation list, of three days after, that has the signer's certificate since `when`."""
    root = world.issuer.above
    assert root is not None
    options = {"this_update": NOW + 3 * DAY, "next_update": NOW + 60 * DAY}
    reason = x509.ReasonFlags.cessation_of_operation
    (world.project.folder / "issuer.crl").write_bytes(
        world.issuer.revocation_list({world.signer: (when, reason)}, **options)
    )
    (world.project.folder / "root.crl").write_bytes(root.revocation_list(**options))
    world.configure(revocation='revocation = "require"\nrevocation-lists = ["issuer.crl", "root.crl"]')


def test_revoked_after_the_timestamp_it_stays_good(world: World, stamped: Path, bare: Path) -> None:
    revoke(world, NOW + 2 * DAY)
    assert_verdicts(world.verify(stamped, NOW + 4 * DAY), "trusted", proven=True)
    assert_verdicts(world.verify(bare, NOW + 4 * DAY), "revoked")


def test_revoked_before_the_timestamp_nothing_helps(world: World, stamped: Path, bare: Path) -> None:
    revoke(world, NOW - 2 * DAY)
    assert_verdicts(world.verify(stamped, NOW + 4 * DAY), "revoked", proven=True)
    assert_verdicts(world.verify(bare, NOW + 4 * DAY), "revoked", proven=False)
