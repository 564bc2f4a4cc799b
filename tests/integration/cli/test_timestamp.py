"""Timestamps on the command line: with the signature, without one where that is allowed, and later."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from importlib import resources
from typing import TYPE_CHECKING

import jsonschema
import pytest

from hatch_sign.formats.rfc3161 import parse_timestamp
from hatch_sign.formats.sigstore.bundle import Bundle, parse_bundle
from tests.authority import Authority, chain_pem
from tests.ports import free_port
from tests.unit.services.https_server import Answer
from tests.unit.witnesses.stamping_server import REPLY, StampingServer, changing, stamping

from .cli_project import make_wheel

if TYPE_CHECKING:
    from .cli_project import Project


@pytest.fixture
def server() -> Iterator[StampingServer]:
    with stamping() as running:
        yield running


@pytest.fixture
def stamped(project: Project, server: StampingServer) -> Project:
    """Return the project with three artifacts, an authority, and the root that it is believed by."""
    (project.folder / "tsa.pem").write_bytes(chain_pem(server.holder.root))
    configure(project, f'timestamp = ["{server.url}"]')
    for number in range(3):
        project.add(f"demo-1.0-{number}.bin", b"%d" % number)
    return project


def configure(project: Project, *lines: str, formats: str = '["sigstore"]') -> None:
    top = "\n".join(['key = "emulated:test/release"', f"formats = {formats}", *lines])
    trust = '[verify]\ntimestamp-roots = "tsa.pem"\n[[verify.trust]]\npublic-key = "release.pub"\n'
    (project.folder / "hatch-sign.toml").write_text(f"{top}\n{trust}")


def bundle(project: Project, number: int = 0) -> Bundle:
    return parse_bundle((project.dist / f"demo-1.0-{number}.bin.sigstore.json").read_bytes())


def assert_stamped(found: Bundle, times: int = 1) -> None:
    assert len(found.timestamps) == times
    assert all(parse_timestamp(each).vouches_for(found.signature) for each in found.timestamps)


def contents(project: Project) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in project.dist.iterdir()}


# --- with the signature -----------------------------------------------------------------------------------------------


def test_what_is_signed_has_a_timestamp_and_is_trusted_for_its_time(stamped: Project) -> None:
    stamped.succeed("sign", "dist")
    assert_stamped(bundle(stamped))
    verified = json.loads(stamped.succeed("verify", "dist", "--json").out)
    assert all(each["signatures"][0]["time"] for each in verified["artifacts"])


def test_without_a_timestamp_nothing_is_signed(stamped: Project, server: StampingServer) -> None:
    before = contents(stamped)
    server.wrong = changing(nonce=7)
    line = stamped.fail(3, "sign", "dist")
    assert f"timestamp authority {server.url} answered to another question" in line
    assert contents(stamped) == before


def test_an_authority_that_nobody_will_believe_is_as_good_as_none(stamped: Project, server: StampingServer) -> None:
    server.holder = Authority("Somebody Else's Root").holder("TSA", usage="timestamping")
    assert "nobody will believe it" in stamped.fail(3, "sign", "dist")
    assert not list(stamped.dist.glob("*.sigstore.json"))


def test_the_second_authority_answers_where_the_first_does_not(stamped: Project, server: StampingServer) -> None:
    with stamping(holder=server.holder) as first:
        first.script(*[Answer(403)] * 100)
        signed = stamped.succeed("sign", "dist", "--timestamp", first.url, "--timestamp", server.url)
    assert "refused (403)" in signed.err
    for number in range(3):
        assert_stamped(bundle(stamped, number))


def test_what_got_its_timestamp_is_kept_and_the_next_run_does_the_rest(stamped: Project, server: StampingServer) -> None:
    given = threading.Semaphore(2)

    def until_two(data: bytes) -> Answer:
        return Answer(200, data, {"Content-Type": REPLY}) if given.acquire(blocking=False) else Answer(403)

    server.wrap = until_two
    line = stamped.fail(3, "sign", "dist")
    assert "2 artifacts are signed, run again for the rest" in line
    assert len(list(stamped.dist.glob("*.sigstore.json"))) == 2
    server.wrap = StampingServer.wrap
    stamped.succeed("sign", "dist")
    for number in range(3):
        assert_stamped(bundle(stamped, number))


def test_a_signature_without_the_timestamp_that_is_configured_is_not_taken_for_done(stamped: Project) -> None:
    configure(stamped)
    stamped.succeed("sign", "dist")
    stamped.succeed("sign", "dist")
    line = stamped.fail(2, "sign", "dist", HATCH_SIGN_TIMESTAMP=f"http://127.0.0.1:{free_port()}/")
    assert "`hatch-sign timestamp` adds a timestamp that lacks" in line


# --- where it may lack ------------------------------------------------------------------------------------------------


def test_an_optional_timestamp_may_lack_and_that_is_said(stamped: Project, server: StampingServer) -> None:
    configure(stamped, f'timestamp = ["{server.url}"]', "timestamp-optional = true")
    server.script(*[Answer(403)] * 100)
    signed = stamped.succeed("sign", "dist", "--json")
    assert signed.err.count("signed without a timestamp, as `timestamp-optional` allows") >= 1
    details = {each["detail"] for each in json.loads(signed.out)["signatures"]}
    assert details == {"signed, without a timestamp"}
    assert bundle(stamped).timestamps == ()


def test_an_optional_timestamp_is_there_where_it_can_be_had(stamped: Project, server: StampingServer) -> None:
    configure(stamped, f'timestamp = ["{server.url}"]', "timestamp-optional = true")
    assert "without a timestamp" not in stamped.succeed("sign", "dist").output
    assert_stamped(bundle(stamped))


@pytest.mark.parametrize(
    ("arguments", "environ"), [(["--timestamp-optional"], {}), ([], {"HATCH_SIGN_TIMESTAMP_OPTIONAL": "true"})]
)
def test_the_command_line_and_the_environment_allow_it_too(
    stamped: Project, server: StampingServer, arguments: list[str], environ: dict[str, str]
) -> None:
    server.script(*[Answer(403)] * 100)
    assert "signed, without a timestamp" in stamped.succeed("sign", "dist", *arguments, **environ).out


def test_the_environment_takes_no_other_words_for_yes_and_no(stamped: Project, server: StampingServer) -> None:
    configure(stamped, f'timestamp = ["{server.url}"]', "timestamp-optional = true")
    server.script(*[Answer(403)] * 100)
    assert "HATCH_SIGN_TIMESTAMP_OPTIONAL" in stamped.fail(2, "sign", "dist", HATCH_SIGN_TIMESTAMP_OPTIONAL="yes")
    stamped.fail(3, "sign", "dist", HATCH_SIGN_TIMESTAMP_OPTIONAL="false")


# --- later ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def unstamped(stamped: Project, server: StampingServer) -> Project:
    """Return the project after it was signed without timestamps."""
    configure(stamped)
    stamped.succeed("sign", "dist")
    configure(stamped, f'timestamp = ["{server.url}"]')
    return stamped


def test_a_timestamp_is_added_once_and_the_older_one_kept(unstamped: Project, server: StampingServer) -> None:
    before = bundle(unstamped)
    unstamped.succeed("timestamp", "dist")
    after = bundle(unstamped)
    assert_stamped(after)
    assert (after.content, after.hint) == (before.content, before.hint)
    again = unstamped.succeed("timestamp", "dist")
    assert again.out.count("has a timestamp already") == 3
    assert (server.count, bundle(unstamped)) == (3, after)
    unstamped.succeed("timestamp", "dist", "--renew")
    assert_stamped(bundle(unstamped), times=2)
    assert bundle(unstamped).timestamps[0] == after.timestamps[0]
    unstamped.succeed("verify", "dist")


def test_a_signature_may_be_named_itself(unstamped: Project, server: StampingServer) -> None:
    ran = unstamped.succeed("timestamp", "dist/demo-1.0-1.bin.sigstore.json", "--json")
    document = json.loads(ran.out)
    schema = resources.files("hatch_sign").joinpath("schemas/timestamps.v1.json").read_text()
    jsonschema.validate(document, json.loads(schema), format_checker=jsonschema.FormatChecker())
    (row,) = document["signatures"]
    assert (row["artifact"], row["detail"], row["sidecar"]) == (
        "demo-1.0-1.bin",
        "timestamped",
        "demo-1.0-1.bin.sigstore.json",
    )
    assert row["time"]
    assert server.count == 1
    assert bundle(unstamped, 0).timestamps == ()


def test_what_covers_a_release_gets_one_for_all(stamped: Project, server: StampingServer) -> None:
    configure(stamped, formats='["statement", "checksums", "sigstore"]')
    for path in stamped.dist.iterdir():
        path.unlink()
    make_wheel(stamped)
    stamped.succeed("sign", "dist")
    ran = stamped.succeed("timestamp", "dist", "--timestamp", server.url)
    assert ran.out.count("timestamped") == server.count == 3
    for name in ("demo-1.0.intoto.sigstore.json", "SHA256SUMS.sigstore.json"):
        assert_stamped(parse_bundle((stamped.dist / name).read_bytes()))
    stamped.succeed(
        "timestamp", "dist/demo-1.0.intoto.sigstore.json", "dist/SHA256SUMS", "--renew", "--timestamp", server.url
    )
    assert server.count == 5
    stamped.succeed("verify", "dist")


def test_what_belongs_to_other_bytes_or_is_none_is_not_touched(unstamped: Project) -> None:
    (unstamped.dist / "demo-1.0-0.bin").write_bytes(b"changed")
    (unstamped.dist / "demo-1.0-1.bin.sigstore.json").write_bytes(b"{}")
    before = contents(unstamped)
    ran = unstamped.run("timestamp", "dist", "--json")
    errors = json.loads(ran.out)["errors"]
    assert ran.code == 1
    assert len(errors) == 2
    assert any("hash-mismatch for demo-1.0-0.bin" in error for error in errors)
    assert any("cannot be read as a signature" in error for error in errors)
    after = contents(unstamped)
    assert {name for name in after if after[name] != before.get(name)} == {"demo-1.0-2.bin.sigstore.json"}


def test_a_signature_by_nobody_known_is_not_touched(unstamped: Project) -> None:
    unstamped.succeed("key", "generate", "emulated:test/other")
    unstamped.succeed("key", "export-public", "emulated:test/other", "-o", "other.pub")
    before = contents(unstamped)
    line = unstamped.fail(1, "timestamp", "dist", "--key", "other.pub")
    assert "is untrusted" in line
    assert "by --key or a trust rule" in line
    assert contents(unstamped) == before
    unstamped.succeed("timestamp", "dist", "--key", "release.pub")


def test_a_damaged_timestamp_is_found_before_another_is_added(unstamped: Project, server: StampingServer) -> None:
    unstamped.succeed("timestamp", "dist")
    donor = unstamped.dist / "demo-1.0-1.bin.sigstore.json"
    table, other = json.loads(donor.read_text()), json.loads((unstamped.dist / "demo-1.0-0.bin.sigstore.json").read_text())
    material = other["verificationMaterial"]["timestampVerificationData"]
    table["verificationMaterial"]["timestampVerificationData"] = material
    donor.write_text(json.dumps(table))
    before, asked = contents(unstamped), server.count
    assert "over another signature" in unstamped.fail(1, "timestamp", str(donor), "--renew")
    assert (contents(unstamped), server.count) == (before, asked)


def test_an_authority_that_fails_leaves_everything_as_it_was(unstamped: Project, server: StampingServer) -> None:
    server.wrong = changing(imprint=b"\x00" * 32)
    before = contents(unstamped)
    assert "vouches for another signature" in unstamped.fail(3, "timestamp", "dist")
    assert contents(unstamped) == before


def test_more_timestamps_than_a_bundle_takes_are_refused(unstamped: Project) -> None:
    unstamped.succeed("timestamp", "dist/demo-1.0-0.bin")
    path = unstamped.dist / "demo-1.0-0.bin.sigstore.json"
    table = json.loads(path.read_text())
    table["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"] *= 32
    path.write_text(json.dumps(table))
    before = path.read_bytes()
    assert "a bundle takes at most 32 timestamps, and 33 were given" in unstamped.fail(1, "timestamp", str(path), "--renew")
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["dist/missing"], "does not exist"),
        (["dist", "--timestamp", "ftp://tsa.example"], "--timestamp is wrong in its item 1"),
        (["dist", "--key", "missing.pub"], "missing.pub"),
        (["elsewhere"], "no signature that takes a timestamp later found beside or in elsewhere"),
        (["elsewhere"], "what is inside wheels is signed again with `timestamp` configured and --overwrite"),
        (["alone.bin.sigstore.json"], "the artifact that it is a signature of does not lie beside it"),
    ],
)
def test_misuse_is_told(unstamped: Project, arguments: list[str], found: str) -> None:
    (unstamped.folder / "elsewhere").mkdir()
    (unstamped.folder / "elsewhere" / "a.bin").write_bytes(b"a")
    (unstamped.folder / "alone.bin.sigstore.json").write_bytes(
        (unstamped.dist / "demo-1.0-0.bin.sigstore.json").read_bytes()
    )
    assert found in unstamped.fail(2, "timestamp", *arguments)


def test_the_authorities_of_what_is_inside_wheels_are_asked_where_there_are_no_others(
    unstamped: Project, server: StampingServer
) -> None:
    configure(unstamped, f'[contents]\ntimestamp = ["{server.url}"]')
    unstamped.succeed("timestamp", "dist")
    assert_stamped(bundle(unstamped))


def test_without_an_authority_there_is_nothing_to_ask(unstamped: Project) -> None:
    configure(unstamped)
    assert "no timestamp authority is configured" in unstamped.fail(2, "timestamp", "dist")
