"""Authenticode between us, osslsigncode, jsign and LIEF: what each signs, the others verify, and what is changed, none."""

from __future__ import annotations

import hashlib
import io
import itertools
import urllib.request
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

import hatch_sign_authenticode
from hatch_sign.contract import Evidence
from hatch_sign.formats.rfc3161 import encode_request, parse_timestamp
from hatch_sign.stamping.asking import Stamping
from hatch_sign.stamping.inside import find_inside
from hatch_sign.stamping.stamping import stamp_release
from hatch_sign.trust.certificate_rule import CertificateRule
from hatch_sign.trust.policy import Judged, Policy, ScopedRule, judge
from hatch_sign.values.algorithms import SMALLEST_RSA_BITS, Scheme
from hatch_sign.values.outcomes import Verdict
from hatch_sign.verification.presence import Shelf
from hatch_sign_authenticode.command import main
from hatch_sign_authenticode.describing import describe_file
from hatch_sign_authenticode.pe import parse_pe
from tests.authority import NOW, HolderFiles, code_signing_chain, make_tsa
from tests.peers import rigs
from tests.peers.codesigning import corpus, programs
from tests.peers.codesigning.tsa import QUERY
from tests.unit.authenticode.images import places
from tests.unit.authenticode.signing import check, sign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from hatch_sign.contract import WitnessRequest
    from tests.peers.codesigning.tsa import TimestampServer
    from tests.peers.rigs import PeerResult

HASHES = {"sha256": Scheme.RSA_PKCS1_SHA256, "sha384": Scheme.RSA_PKCS1_SHA384, "sha512": Scheme.RSA_PKCS1_SHA512}
SAYING = {"authenticode-description": "Pokušaj ✓", "authenticode-url": "https://example.org/"}
SIGNER = code_signing_chain("rsa-3072")
POLICY = Policy(
    rules=(
        ScopedRule(
            CertificateRule((SIGNER.root,), SIGNER.certificate.subject, ExtendedKeyUsageOID.CODE_SIGNING, SMALLEST_RSA_BITS),
            "the signer",
        ),
    ),
    require=("authenticode",),
    at=NOW,
)
_WHOLE = "\nSignature verification: ok"
_FAILED = "\nSignature verification: failed"
_STAMPED = "Timestamp Server Signature verification: ok"


def judged(image: bytes) -> Judged:
    return judge(POLICY, check(image), artifact="example.exe", format="authenticode")


@dataclass(frozen=True)
class Asked:
    """A witness that asks the authority beside it."""

    server: TimestampServer
    kind = "timestamp"

    def attest(self, request: WitnessRequest) -> Evidence:
        query = encode_request(hashlib.sha256(request.signature).digest(), hash_="sha256", nonce=7)
        asked = urllib.request.Request(self.server.url, query, {"Content-Type": QUERY})  # noqa: S310 - the loopback
        with urllib.request.urlopen(asked) as answer:  # noqa: S310 - as above
            return Evidence("timestamp", answer.read())

    def check(self, request: WitnessRequest, evidence: Evidence) -> None:
        assert parse_timestamp(evidence.data).vouches_for(request.signature)


@pytest.fixture
def launcher() -> bytes:
    return min((sample.load() for sample in corpus.launchers()), key=len)


@pytest.fixture
def verify(tmp_path: Path, signer_files: HolderFiles, tsa_files: HolderFiles) -> Callable[[bytes], PeerResult]:
    """Return what asks osslsigncode, which trusts the signer's root and the authority's."""

    def ask(signed: bytes) -> PeerResult:
        path = _write(tmp_path / "signed.exe", signed)
        return programs.osslsigncode_verify(path, signer_files.root, timestamp_root=tsa_files.root)

    return ask


# --- what we sign


@pytest.mark.parametrize("options", [{}, {"authenticode-page-hashes": True}], ids=["", "page-hashes"])
def test_osslsigncode_and_lief_accept_every_file_of_the_corpus(
    tmp_path: Path, signer_files: HolderFiles, options: dict[str, Any]
) -> None:
    samples, refused = corpus.pe_files(), {}
    assert len(samples) > 60
    for sample in samples:
        signed = sign(sample.load(), options)
        path = _write(tmp_path / "signed.exe", signed)
        answer = programs.osslsigncode_verify(path, signer_files.root)
        if not answer.accepted:
            refused[f"{sample}: osslsigncode"] = answer.output
        refused.update({f"{sample}: LIEF": problem for problem in _lief_objects_to(path)})
        if judged(signed).verdict is not Verdict.TRUSTED:
            refused[str(sample)] = judged(signed).detail
    assert refused == {}


@pytest.mark.parametrize("hash_", HASHES)
def test_every_hash_with_all_that_can_be_said(
    verify: Callable[[bytes], PeerResult], timestamp_server: TimestampServer, launcher: bytes, hash_: str
) -> None:
    options = SAYING | {"authenticode-page-hashes": True}
    signed = sign(launcher, options, scheme=HASHES[hash_], witnesses=(Asked(timestamp_server),))
    answer = verify(signed)
    assert answer.accepted, answer.output
    for said in (f"Message digest algorithm  : {hash_.upper()}", _STAMPED, "Page hash"):
        assert said in answer.output
    assert programs.lief_verify(signed).accepted
    assert timestamp_server.count == 1


def test_a_timestamp_over_another_signature_is_none(
    verify: Callable[[bytes], PeerResult], timestamp_server: TimestampServer, launcher: bytes
) -> None:
    class Another(Asked):
        def attest(self, request: WitnessRequest) -> Evidence:
            return super().attest(replace(request, signature=b"another"))

        def check(self, request: WitnessRequest, evidence: Evidence) -> None:
            """Let it pass, which no witness does."""

    signed = sign(launcher, witnesses=(Another(timestamp_server),))
    assert _STAMPED not in verify(signed).output
    (facts,) = check(signed).facts
    assert not parse_timestamp(facts.timestamps[0]).vouches_for(facts.signature)


def test_one_signature_nested_in_another(tmp_path: Path, signer_files: HolderFiles, launcher: bytes) -> None:
    signed = sign(sign(launcher, scheme=HASHES["sha512"]), {"authenticode-nested": True})
    answer = programs.osslsigncode_verify(_write(tmp_path / "signed.exe", signed), signer_files.root)
    assert answer.accepted, answer.output
    assert "Number of verified signatures: 2" in answer.output
    assert programs.lief_verify(signed).accepted


def test_a_signature_nested_in_that_of_a_vendor(verify: Callable[[bytes], PeerResult]) -> None:
    """The vendor's own stay whole. osslsigncode finds ours good, and theirs by somebody whom it was not told to trust."""
    for sample in corpus.vendor_signed():
        before = check(sample.load())
        signed = sign(sample.load(), {"authenticode-nested": True})
        found = check(signed)
        assert found.problem is None, (str(sample), found.detail)
        ours = [facts for facts in found.facts if facts.public_key == SIGNER.key.public_key()]
        assert len(ours) == 1
        assert {facts.signature for facts in found.facts if facts not in ours} == {facts.signature for facts in before.facts}
        assert judged(signed).verdict is Verdict.TRUSTED
        assert programs.lief_verify(signed).accepted
    answer = verify(signed)
    assert (answer.output.count(_WHOLE), answer.output.count(_FAILED)) == (1, len(before.facts))


def test_a_timestamp_that_is_added_later(
    tmp_path: Path, verify: Callable[[bytes], PeerResult], timestamp_server: TimestampServer, launcher: bytes
) -> None:
    path = _write(tmp_path / "example.exe", sign(sign(launcher), {"authenticode-nested": True}))
    assert _STAMPED not in verify(path.read_bytes()).output
    formats = {"authenticode": hatch_sign_authenticode.hatch_sign_register_format()}
    inside = find_inside([str(path)], formats=formats, shelf=Shelf(formats, None, ()))
    report = stamp_release(inside, Stamping(Asked(timestamp_server), (), (make_tsa().root,), datetime.now(UTC)))
    assert [outcome.detail for outcome in report.outcomes] == ["timestamped"]
    answer = verify(path.read_bytes())
    assert answer.accepted, answer.output
    assert answer.output.count(_STAMPED) == 2


# --- what others sign


def test_what_microsoft_signed_is_over_its_files() -> None:
    samples = corpus.vendor_signed()
    assert len(samples) > 20
    for sample in samples:
        found = check(sample.load())
        assert found.problem is None, (str(sample), found.detail)
        assert all(b"Microsoft" in facts.certificates[0].subject.public_bytes() for facts in found.facts)
        for facts in found.facts:
            assert all(parse_timestamp(token).vouches_for(facts.signature) for token in facts.timestamps)
            assert facts.timestamps
        changed = bytearray(sample.load())
        changed[parse_pe(io.BytesIO(changed)).content_end // 2] ^= 1
        assert check(bytes(changed)).problem is Verdict.HASH_MISMATCH
        assert judged(sample.load()).verdict is Verdict.UNTRUSTED


@pytest.mark.parametrize("hash_", HASHES)
@pytest.mark.parametrize("more", [[], ["-ph"], ["-n", "Pokušaj", "-i", "https://example.org/"]], ids=["", "pages", "saying"])
def test_what_osslsigncode_signs(
    tmp_path: Path, signer_files: HolderFiles, launcher: bytes, hash_: str, more: list[str]
) -> None:
    source, target = _write(tmp_path / "source.exe", launcher), tmp_path / "target.exe"
    programs.osslsigncode_sign(source, target, signer_files, "-h", hash_, *more)
    signed = target.read_bytes()
    assert judged(signed).verdict is Verdict.TRUSTED
    assert check(signed).facts[0].scheme is HASHES[hash_]
    (said,) = describe_file(io.BytesIO(signed))
    assert ("page hashes" in dict(said.lines)) == ("-ph" in more)
    assert dict(said.lines).get("more at") == ("https://example.org/" if "-i" in more else None)


def test_what_osslsigncode_nests_and_stamps(
    tmp_path: Path, signer_files: HolderFiles, timestamp_server: TimestampServer, launcher: bytes
) -> None:
    source, first, second = _write(tmp_path / "source.exe", launcher), tmp_path / "first.exe", tmp_path / "second.exe"
    programs.osslsigncode_sign(source, first, signer_files, "-h", "sha384", "-ts", timestamp_server.url)
    programs.osslsigncode_sign(first, second, signer_files, "-nest", "-ts", timestamp_server.url)
    found = check(second.read_bytes())
    assert [facts.scheme.hash for facts in found.facts] == ["sha384", "sha256"]
    for facts in found.facts:
        (token,) = facts.timestamps
        timestamp = parse_timestamp(token)
        assert timestamp.vouches_for(facts.signature)
        assert timestamp.certificates[0] == make_tsa().certificate


def test_what_is_signed_with_sha1_is_untrusted(tmp_path: Path, signer_files: HolderFiles, launcher: bytes) -> None:
    source, old, both = _write(tmp_path / "source.exe", launcher), tmp_path / "old.exe", tmp_path / "both.exe"
    programs.osslsigncode_sign(source, old, signer_files, "-h", "sha1")
    assert judged(old.read_bytes()).verdict is Verdict.UNTRUSTED
    assert "sha1" in judged(old.read_bytes()).detail
    programs.osslsigncode_sign(old, both, signer_files, "-nest")
    assert judged(both.read_bytes()).verdict is Verdict.TRUSTED
    assert judged(sign(old.read_bytes(), {"authenticode-nested": True})).verdict is Verdict.TRUSTED


def test_jsign_and_we_sign_one_file(
    tmp_path: Path, signer_files: HolderFiles, timestamp_server: TimestampServer, launcher: bytes
) -> None:
    path = _write(tmp_path / "example.exe", launcher)
    stamped = ("--tsaurl", timestamp_server.url, "--tsmode", "RFC3161", "--name", "Pokušaj", "--url", "https://example.org/")
    programs.jsign_sign(path, signer_files, "--alg", "SHA-384", *stamped)
    (facts,) = check(path.read_bytes()).facts
    assert parse_timestamp(facts.timestamps[0]).vouches_for(facts.signature)
    _write(path, sign(path.read_bytes(), {"authenticode-nested": True}))
    programs.jsign_sign(path, signer_files, "--alg", "SHA-512")  # nested in the first, too
    assert {facts.scheme.hash for facts in check(path.read_bytes()).facts} == {"sha256", "sha384", "sha512"}
    answer = programs.osslsigncode_verify(path, signer_files.root)
    assert answer.accepted, answer.output
    assert "Number of verified signatures: 3" in answer.output


# --- what is changed


def test_what_osslsigncode_refuses_we_refuse(tmp_path: Path, signer_files: HolderFiles, launcher: bytes) -> None:
    signed = sign(launcher)
    pe = parse_pe(io.BytesIO(signed))
    ends = [0, pe.headers_size, *(section.end for section in pe.sections), pe.content_end, len(signed)]
    checksum, _ = places(signed)["checksum"]
    taken = {at for begin, end in itertools.pairwise(ends) for at in _spread(begin, end, 24)}
    taken |= {places(signed)[name][0] for name in ("table-offset", "table-size")}
    for at in sorted(taken - set(range(checksum, checksum + 4))):
        changed = bytearray(signed)
        changed[at] ^= 1
        theirs = programs.osslsigncode_verify(_write(tmp_path / "changed.exe", bytes(changed)), signer_files.root)
        ours = judged(bytes(changed))
        assert theirs.accepted or ours.verdict is not Verdict.TRUSTED, (at, theirs.output)
        if at < pe.content_end:
            assert not theirs.accepted, at
            assert ours.verdict is not Verdict.TRUSTED, at


def test_neither_minds_the_checksum(tmp_path: Path, signer_files: HolderFiles, launcher: bytes) -> None:
    changed = bytearray(sign(launcher))
    at, _ = places(bytes(changed))["checksum"]
    changed[at] ^= 1
    assert programs.osslsigncode_verify(_write(tmp_path / "x.exe", bytes(changed)), signer_files.root).accepted
    assert judged(bytes(changed)).verdict is Verdict.TRUSTED


# --- taken out and put back


def test_osslsigncode_takes_out_and_puts_in_what_we_do(tmp_path: Path, signer_files: HolderFiles, launcher: bytes) -> None:
    programs.need_osslsigncode(2, 9)  # 2.5 writes the header of the certificate table as well.
    signed = _write(tmp_path / "signed.exe", sign(launcher))
    ours, theirs, bare, back = (tmp_path / name for name in ("ours.p7", "theirs.p7", "bare.exe", "back.exe"))
    assert main(["extract", str(signed), str(ours)]) == 0
    programs.demand(programs.osslsigncode("extract-signature", "-in", signed, "-out", theirs))
    padded = theirs.read_bytes()
    assert padded == ours.read_bytes().ljust(len(padded), b"\0")  # the signature itself may end in a zero
    assert len(padded) - ours.stat().st_size < 8
    programs.demand(programs.osslsigncode("remove-signature", "-in", signed, "-out", bare))
    assert main(["attach", str(bare), str(ours)]) == 0
    assert bare.read_bytes() == signed.read_bytes()
    assert main(["remove", str(signed)]) == 0
    attach = ("attach-signature", "-CAfile", signer_files.root, "-sigin", ours, "-in", signed, "-out", back)
    programs.demand(programs.osslsigncode(*attach))
    assert judged(back.read_bytes()).verdict is Verdict.TRUSTED


def _write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _spread(begin: int, end: int, count: int) -> Iterable[int]:
    """Return the first and the last place, and some of those between."""
    return {*range(begin, end, max(1, (end - begin) // count)), end - 1}


def _lief_objects_to(path: Path) -> Iterator[str]:
    lief = rigs.require_module("lief")
    binary = lief.PE.parse(str(path))
    if binary.compute_checksum() != binary.optional_header.checksum:
        yield "the checksum"
    verdict = binary.verify_signature()
    if verdict != lief.PE.Signature.VERIFICATION_FLAGS.OK:
        yield str(verdict)
