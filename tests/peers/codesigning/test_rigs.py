"""Proves the rigs for code signing on what openssl, osslsigncode and jsign signed."""

from __future__ import annotations

import shutil
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import IncompleteRead, RemoteDisconnected
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from asn1crypto import tsp

from tests.authority import DAY, NOW, Authority, HolderFiles, make_tsa, rsa_key
from tests.peers.codesigning import corpus, programs
from tests.peers.codesigning.tsa import QUERY, TimestampServer, Trouble

if TYPE_CHECKING:
    from tests.peers.rigs import PeerResult

CONTENT = b"the artifact\n" * 100
LATER = NOW + 4000 * DAY


@pytest.fixture
def content(tmp_path: Path) -> Path:
    path = tmp_path / "content"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def query(content: Path) -> bytes:
    path = content.with_name("query")
    made = programs.openssl("ts", "-query", "-data", content, "-sha256", "-cert", "-out", path)
    assert made.accepted, made.output
    return path.read_bytes()


@pytest.fixture
def launcher(tmp_path: Path) -> Path:
    path = tmp_path / "launcher.exe"
    path.write_bytes(corpus.launchers()[0].load())
    return path


def ask(server: TimestampServer, query: bytes, context: ssl.SSLContext | None = None) -> bytes:
    request = urllib.request.Request(server.url, query, {"Content-Type": QUERY})  # noqa: S310 - the loopback
    with urllib.request.urlopen(request, timeout=30, context=context) as answer:  # noqa: S310 - as above
        return bytes(answer.read())


def verified(reply: bytes, content: Path, query: bytes, root: Path, *arguments: str) -> PeerResult:
    paths = content.with_name("reply"), content.with_name("query")
    for path, written in zip(paths, (reply, query), strict=True):
        path.write_bytes(written)
    return programs.openssl("ts", "-verify", "-in", paths[0], "-queryfile", paths[1], "-CAfile", root, *arguments)


@pytest.mark.parametrize("algorithm", ["rsa-2048", "ecdsa-p256", "ecdsa-p384"])
@pytest.mark.parametrize("length", [2, 3])
def test_timestamps_satisfy_openssl(content: Path, query: bytes, algorithm: str, length: int) -> None:
    holder = make_tsa(algorithm, length)
    with TimestampServer(holder) as server:
        reply = ask(server, query)
    assert server.queries == [query]
    files = holder.write(content.parent)
    assert verified(reply, content, query, files.root).accepted
    assert programs.openssl_ts_verify(reply, CONTENT, holder.root).accepted
    token = tsp.TimeStampResp.load(reply)["time_stamp_token"].dump()
    assert programs.openssl_ts_verify(token, CONTENT, holder.root, is_token=True).accepted
    refused = programs.openssl_ts_verify(reply, CONTENT + b"!", holder.root)
    assert not refused.accepted
    assert "message imprint mismatch" in refused.output


REFUSED_BY_OPENSSL = {
    Trouble.WRONG_NONCE: "nonce mismatch",
    Trouble.NO_NONCE: "nonce not returned",
    Trouble.WRONG_IMPRINT: "message imprint mismatch",
    Trouble.REJECTION: "status code: rejection",
    Trouble.GARBAGE: "asn1 encoding routines",
    Trouble.PAGE: "asn1 encoding routines",
}


@pytest.mark.parametrize("trouble", REFUSED_BY_OPENSSL, ids=lambda trouble: trouble.name)
def test_troubles_are_what_openssl_refuses(
    timestamp_server: TimestampServer, content: Path, query: bytes, tsa_files: HolderFiles, trouble: Trouble
) -> None:
    timestamp_server.fail(trouble, times=1)
    refused = verified(ask(timestamp_server, query), content, query, tsa_files.root)
    assert not refused.accepted
    assert REFUSED_BY_OPENSSL[trouble] in refused.output
    assert verified(ask(timestamp_server, query), content, query, tsa_files.root).accepted


def test_a_replayed_answer_has_the_nonce_of_another(
    timestamp_server: TimestampServer, content: Path, query: bytes, tsa_files: HolderFiles
) -> None:
    ask(timestamp_server, query)
    timestamp_server.fail(Trouble.REPLAY)
    other = tsp.TimeStampReq.load(query)
    other["nonce"] = 12345
    assert "nonce mismatch" in verified(ask(timestamp_server, other.dump()), content, other.dump(), tsa_files.root).output


@pytest.mark.parametrize(("trouble", "status"), [(Trouble.UNAVAILABLE, 503), (Trouble.TOO_MANY, 429), (Trouble.FAILED, 500)])
def test_a_status_comes_with_when_to_ask_again(
    timestamp_server: TimestampServer, query: bytes, trouble: Trouble, status: int
) -> None:
    timestamp_server.fail(trouble)
    timestamp_server.retry_after = "7"
    with pytest.raises(urllib.error.HTTPError) as caught:
        ask(timestamp_server, query)
    with caught.value as error:
        assert (error.code, error.headers["Retry-After"]) == (status, "7")
    timestamp_server.fail(None)
    assert ask(timestamp_server, query)


def test_requests_in_too_quick_a_row_are_refused(timestamp_server: TimestampServer, query: bytes) -> None:
    timestamp_server.interval = 3600
    assert ask(timestamp_server, query)
    with pytest.raises(urllib.error.HTTPError, match="429") as caught:
        ask(timestamp_server, query)
    caught.value.close()
    assert timestamp_server.count == 2


@pytest.mark.parametrize(
    ("trouble", "error"), [(Trouble.VANISH, RemoteDisconnected), (Trouble.CUT, IncompleteRead)], ids=["vanish", "cut"]
)
def test_a_connection_ends_early(
    timestamp_server: TimestampServer, query: bytes, trouble: Trouble, error: type[Exception]
) -> None:
    timestamp_server.fail(trouble)
    with pytest.raises(error):
        ask(timestamp_server, query)


def test_an_unchecked_certificate_signs_what_openssl_refuses(content: Path, query: bytes) -> None:
    stranger = Authority("Some Root").holder("No timestamp authority", rsa_key(2048), usage="code-signing")
    with TimestampServer(stranger, unchecked=True) as server:
        reply = ask(server, query)
    refused = verified(reply, content, query, stranger.write(content.parent).root)
    assert not refused.accepted
    assert "certificate purpose" in refused.output
    with TimestampServer(make_tsa(), unchecked=True) as server:
        good = ask(server, query)
    assert verified(good, content, query, make_tsa().write(content.parent).root).accepted


def test_the_clock_of_an_authority_can_be_set(timestamp_server: TimestampServer, query: bytes) -> None:
    timestamp_server.clock = NOW - 10 * DAY
    content = tsp.TimeStampResp.load(ask(timestamp_server, query))["time_stamp_token"]["content"]["encap_content_info"][
        "content"
    ]
    assert abs(content.parsed["gen_time"].native - timestamp_server.clock) < DAY


def test_an_authority_speaks_tls(query: bytes, tmp_path: Path) -> None:
    authority = Authority()
    server_files = authority.server().write(tmp_path, "server")
    both = tmp_path / "both.pem"
    both.write_bytes(server_files.chain.read_bytes() + server_files.key.read_bytes())
    context = ssl.create_default_context(cadata=authority.pem.decode())
    with TimestampServer(tls=both) as server:
        assert server.url.startswith("https://127.0.0.1:")
        assert ask(server, query, context)
        with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
            ask(server, query, ssl.create_default_context())


def with_openssl(content: Path, signature: Path, root: Path, **options: object) -> PeerResult:
    return programs.openssl_cms_verify(content, signature, root, **options)


def with_pyhanko(content: Path, signature: Path, root: Path, **options: object) -> PeerResult:
    from cryptography import x509  # noqa: PLC0415 - this one alone reads a certificate

    certificate = x509.load_pem_x509_certificate(root.read_bytes())
    return programs.pyhanko_verify(content.read_bytes(), signature.read_bytes(), certificate, **options)


class Verifier(NamedTuple):
    """A way to verify a CMS signature, and how it words a refusal."""

    verify: Callable[..., PeerResult]
    tampered: str
    stranger: str
    expired: str


CMS_VERIFIERS = [
    Verifier(with_openssl, "content verify error", "unable to get local issuer certificate", "certificate has expired"),
    Verifier(with_pyhanko, "INVALID", "INTACT:UNTRUSTED", "INTACT:UNTRUSTED"),
]


@pytest.mark.parametrize("by", CMS_VERIFIERS, ids=["openssl", "pyhanko"])
def test_cms_signatures(content: Path, signer_files: HolderFiles, tsa_files: HolderFiles, by: Verifier) -> None:
    signature = content.with_suffix(".p7s")
    programs.openssl_cms_sign(content, signature, signer_files, "-cades")
    assert by.verify(content, signature, signer_files.root).accepted
    refused = by.verify(content, signature, tsa_files.root)
    assert not refused.accepted
    assert by.stranger in refused.output
    late = by.verify(content, signature, signer_files.root, at=NOW + 400 * DAY)
    assert not late.accepted
    assert by.expired in late.output
    content.write_bytes(CONTENT + b"!")
    changed = by.verify(content, signature, signer_files.root)
    assert not changed.accepted
    assert by.tampered in changed.output


def osslsigncode(path: Path, target: Path, signer: HolderFiles, url: str) -> None:
    programs.osslsigncode_sign(path, target, signer, "-ts", url, "-ph", "-n", "Launcher", "-i", "https://example.com")


def jsign(path: Path, target: Path, signer: HolderFiles, url: str) -> None:
    shutil.copy(path, target)
    programs.jsign_sign(target, signer, "--tsaurl", url, "--tsmode", "RFC3161")


@pytest.mark.parametrize("sign", [osslsigncode, jsign])
def test_authenticode(
    launcher: Path,
    signer_files: HolderFiles,
    tsa_files: HolderFiles,
    timestamp_server: TimestampServer,
    sign: Callable[[Path, Path, HolderFiles, str], None],
) -> None:
    unsigned = programs.osslsigncode_verify(launcher, signer_files.root)
    assert not unsigned.accepted
    assert "No signature found" in unsigned.output
    signed = launcher.with_name("signed.exe")
    sign(launcher, signed, signer_files, timestamp_server.url)
    assert timestamp_server.count == 1
    for moment in (None, NOW + 400 * DAY):  # The certificate has expired by then, and the timestamp says that it had not.
        result = programs.osslsigncode_verify(signed, signer_files.root, timestamp_root=tsa_files.root, at=moment)
        assert result.accepted, result.output
        assert "Timestamp Server Signature verification: ok" in result.output
    assert not programs.osslsigncode_verify(signed, tsa_files.root).accepted
    assert programs.lief_verify(signed.read_bytes()).accepted
    content = bytearray(signed.read_bytes())
    content[1024] ^= 1
    signed.write_bytes(content)
    assert "BAD_DIGEST" in programs.lief_verify(bytes(content)).output
    changed = programs.osslsigncode_verify(signed, signer_files.root, timestamp_root=tsa_files.root)
    assert not changed.accepted
    assert "MISMATCH" in changed.output


def test_an_expired_signature_without_a_timestamp_is_refused(launcher: Path, signer_files: HolderFiles) -> None:
    signed = launcher.with_name("signed.exe")
    programs.osslsigncode_sign(launcher, signed, signer_files)
    assert programs.osslsigncode_verify(signed, signer_files.root).accepted
    expired = programs.osslsigncode_verify(signed, signer_files.root, at=NOW + 400 * DAY)
    assert "certificate has expired" in expired.refusal


def test_the_corpus_holds_every_machine_and_signed_files() -> None:
    samples = corpus.pe_files()
    assert len({sample.name for sample in samples}) == len(samples) > 60
    for platform in ("win32", "win_amd64", "win_arm64", "any"):
        assert [sample for sample in samples if platform in sample.name]
    assert all(programs.lief_verify(sample.load()).accepted for sample in corpus.vendor_signed()[:3])
    assert {sample.member for sample in corpus.vendor_signed()} < {sample.member for sample in samples}
    assert corpus.numpy_wheel("win_arm64").is_file()
