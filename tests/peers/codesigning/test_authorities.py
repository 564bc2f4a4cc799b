"""The command line against a real authority, `openssl ts`, and all that can be wrong with one.

Whatever goes wrong: the next authority is asked, or nothing is signed and one line says why.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from hatch_sign.formats.cms.verifier import CmsVerifier
from hatch_sign.formats.sigstore.bundle import Bundle, parse_bundle
from hatch_sign.formats.sigstore.producer import BundleProducer
from hatch_sign.values.public_keys import parse_public_key
from tests.authority import Authority, Holder, chain_pem, make_tsa
from tests.integration.cli.cli_project import Project, make_project
from tests.peers.codesigning.programs import openssl_cms_verify, openssl_ts_verify
from tests.peers.codesigning.tsa import TimestampServer, Trouble

TSA = make_tsa()
NAMES = ("a.bin", "b.bin")
PATIENT = {Trouble.UNAVAILABLE, Trouble.TOO_MANY}

FOUND = {
    Trouble.UNAVAILABLE: "failed (503), again and again",
    Trouble.TOO_MANY: "asked for fewer calls (429), again and again",
    Trouble.FAILED: "failed 3 times (500)",
    Trouble.FORBIDDEN: "refused (403)",
    Trouble.VANISH: "cut the connection 3 times",
    Trouble.CUT: "cut the connection in the middle of its answer 3 times",
    Trouble.WRONG_NONCE: "answered to another question than it was asked",
    Trouble.NO_NONCE: "answered to another question than it was asked",
    Trouble.WRONG_IMPRINT: "vouches for another signature than the one that it was asked about",
    Trouble.REJECTION: "granted no timestamp: rejection",
    Trouble.REPLAY: "answered to another question than it was asked",
    Trouble.PAGE: "answered with text/html, expected application/timestamp-reply",
    Trouble.GARBAGE: "answered wrongly",
    Trouble.HUGE: "sent more than 1048576 bytes",
}
"""All but the one that stalls: it costs half a minute, and is tried with shorter limits in the unit tests of the client."""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return make_project(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def project(prepared: Project, tmp_path: Path) -> Project:
    """Return a project of two artifacts that believes the authority of the tests."""
    here = tmp_path / "project"
    shutil.copytree(prepared.folder, here)
    project = Project(here, {**prepared.environ, "HATCH_SIGN_HOME": str(here / "home")})
    (here / "tsa.pem").write_bytes(chain_pem(TSA.root))
    text = (here / "hatch-sign.toml").read_text().replace("[verify]\n", '[verify]\ntimestamp-roots = "tsa.pem"\n')
    (here / "hatch-sign.toml").write_text(text)
    for name in NAMES:
        project.add(name, name.encode())
    return project


def sign(*servers: TimestampServer) -> list[str]:
    return ["sign", "dist", *(word for server in servers for word in ("--timestamp", server.url))]


def assert_openssl_accepts(project: Project) -> list[Bundle]:
    """Let openssl verify the timestamps in all that was written; return the bundles."""
    bundles = [parse_bundle((project.dist / f"{name}.sigstore.json").read_bytes()) for name in NAMES]
    for bundle in bundles:
        assert bundle.timestamps
        for timestamp in bundle.timestamps:
            verdict = openssl_ts_verify(timestamp, bundle.signature, TSA.root)
            assert verdict.accepted, verdict
            foreign = openssl_ts_verify(timestamp, bundle.signature + b"x", TSA.root)
            assert "message imprint mismatch" in foreign.refusal
    return bundles


def assert_nothing_signed(project: Project) -> None:
    assert project.names() == list(NAMES)


def test_openssl_accepts_what_is_written_with_the_signature_and_later(project: Project) -> None:
    with TimestampServer(TSA) as server:
        project.succeed("sign", "dist", "--timestamp", server.url)
        first = assert_openssl_accepts(project)
        project.succeed("timestamp", "dist", "--timestamp", server.url, "--renew")
    both = assert_openssl_accepts(project)
    assert [len(bundle.timestamps) for bundle in both] == [2, 2]
    assert [bundle.signature for bundle in both] == [bundle.signature for bundle in first]
    project.succeed("verify", "dist")


@pytest.mark.parametrize("trouble", FOUND, ids=lambda trouble: trouble.name.lower())
def test_trouble_ends_it_or_the_next_is_asked(project: Project, trouble: Trouble) -> None:
    pause = "0" if trouble in PATIENT else None
    with TimestampServer(TSA, retry_after=pause) as bad, TimestampServer(TSA) as good:
        if trouble is Trouble.REPLAY:
            project.succeed(*sign(bad), "--overwrite")
            for path in project.dist.glob("*.sigstore.json"):
                path.unlink()
        bad.fail(trouble)
        line = project.fail(3, *sign(bad))
        assert f"timestamp authority {bad.url} {FOUND[trouble]}" in line
        assert_nothing_signed(project)
        project.succeed(*sign(bad, good))
    assert_openssl_accepts(project)
    project.succeed("verify", "dist")


def test_one_that_is_down_costs_no_release(project: Project) -> None:
    with TimestampServer(TSA) as gone:
        pass
    assert "refused the connection 3 times" in project.fail(3, *sign(gone))
    assert_nothing_signed(project)
    with TimestampServer(TSA) as good:
        project.succeed(*sign(gone, good))
    assert_openssl_accepts(project)


def _for_code() -> Holder:
    authority = TSA.authority
    assert authority is not None
    return authority.holder("Not a TSA", usage="code-signing")


def _expired() -> Holder:
    authority = TSA.authority
    assert authority is not None
    begins = TSA.certificate.not_valid_before_utc
    return authority.holder("Expired TSA", usage="timestamping", not_before=begins, not_after=begins + timedelta(days=1))


@pytest.mark.parametrize(
    ("holder", "found"),
    [
        (_for_code, "is none: its certificate is not for timestamping alone"),
        (_expired, "nobody will believe it: the timestamp is by no configured authority"),
        (lambda: Authority("Somebody Else").holder("TSA", usage="timestamping"), "nobody will believe it"),
    ],
    ids=["for code signing", "expired", "of somebody else"],
)
def test_an_authority_whose_word_is_worth_nothing(project: Project, holder: Callable[[], Holder], found: str) -> None:
    with TimestampServer(holder(), unchecked=True) as bad, TimestampServer(TSA) as good:
        assert found in project.fail(3, *sign(bad))
        assert_nothing_signed(project)
        project.succeed(*sign(bad, good))
    assert_openssl_accepts(project)


def test_one_that_wants_time_between_requests_gets_it(project: Project) -> None:
    for number in range(4):
        project.add(f"{number}.bin", b"%d" % number)
    with TimestampServer(TSA, interval=1.0, retry_after="1") as server:
        project.succeed(*sign(server))
        answered = server.count
    assert_openssl_accepts(project)
    assert len(list(project.dist.glob("*.sigstore.json"))) == 6
    assert answered <= 6 + 3 + 6  # the first that asked together, and at most one too early for each that follows


def test_tls_is_verified_and_its_roots_can_be_named(project: Project, tmp_path: Path) -> None:
    authority = Authority("TLS Root")
    server_holder = authority.server()
    (tmp_path / "server.pem").write_bytes(server_holder.pem + server_holder.key_pem)
    (tmp_path / "tls-roots.pem").write_bytes(authority.pem)
    with TimestampServer(TSA, tls=tmp_path / "server.pem") as server:
        line = project.fail(3, *sign(server))
        assert "showed a TLS certificate that is not trusted" in line
        assert "SSL_CERT_FILE" in line
        assert_nothing_signed(project)
        project.succeed(*sign(server), SSL_CERT_FILE=str(tmp_path / "tls-roots.pem"))
    assert_openssl_accepts(project)


def test_a_tampered_timestamp_is_refused_by_openssl_and_by_us(project: Project) -> None:
    with TimestampServer(TSA) as server:
        project.succeed(*sign(server))
    bundles = assert_openssl_accepts(project)
    stamp = bytearray(bundles[0].timestamps[0])
    stamp[-5] ^= 1  # in the signature of the token
    assert "signature failure" in openssl_ts_verify(bytes(stamp), bundles[0].signature, TSA.root).refusal
    path = project.dist / "a.bin.sigstore.json"
    path.write_bytes(BundleProducer().with_timestamps(path.read_bytes(), [bytes(stamp)]))
    assert "a.bin is rejected" in project.fail(1, "verify", "dist/a.bin")
    assert "malformed" in project.run("verify", "dist/a.bin").out


def test_cms_signatures_take_them_with_the_signature_and_later(project: Project) -> None:
    authority = Authority("Code Signing Root")
    key = parse_public_key((project.folder / "release.pub").read_bytes(), subject="release.pub")
    (project.folder / "chain.pem").write_bytes(chain_pem(authority.issue("Example Ltd", key, usage="code-signing")))
    (project.folder / "roots.pem").write_bytes(authority.pem)
    (project.folder / "hatch-sign.toml").write_text(
        'key = "emulated:test/release"\ncertificates = "chain.pem"\nformats = ["cms"]\n'
        '[verify]\ntimestamp-roots = "tsa.pem"\n'
    )
    with TimestampServer(TSA) as server:
        project.succeed(*sign(server), "--overwrite")
        project.succeed("timestamp", "dist/a.bin", "--timestamp", server.url, "--renew")
        assert project.succeed("timestamp", "dist", "--timestamp", server.url).out.count("has a timestamp already") == 2
    found = {name: CmsVerifier().parse((project.dist / f"{name}.p7s").read_bytes()) for name in NAMES}
    stamps = {name: parsed.timestamps for name, parsed in found.items()}
    assert [len(tokens) for tokens in stamps.values()] == [2, 1]
    for name, tokens in stamps.items():
        for token in tokens:
            assert openssl_ts_verify(token, found[name].signature.signature, TSA.root, is_token=True).accepted
            foreign = openssl_ts_verify(token, b"another", TSA.root, is_token=True)
            assert "message imprint mismatch" in foreign.refusal
    judged = openssl_cms_verify(project.dist / "a.bin", project.dist / "a.bin.p7s", project.folder / "roots.pem")
    assert judged.accepted, judged
