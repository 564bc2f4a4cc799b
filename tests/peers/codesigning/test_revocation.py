"""Lists and a responder of a real ``openssl ca``: the command line, openssl and pyHanko agree on what was revoked."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from hatch_sign.formats.cms.producer import CmsProducer
from hatch_sign.formats.rfc3161 import encode_request
from hatch_sign.trust.chains import check_chain
from tests.authority import make_tsa
from tests.integration.cli.cli_project import Project
from tests.peers import rigs
from tests.peers.codesigning.authorities import OpensslAuthority
from tests.peers.codesigning.programs import demand, openssl
from tests.peers.codesigning.tsa import TimestampServer
from tests.ports import free_port
from tests.unit.services.https_server import Answer, Request, Service, serving

if TYPE_CHECKING:
    from tests.peers.rigs import PeerResult

CONFIGURATION = """\
[verify]
require = ["cms"]
timestamp-roots = "tsa.pem"
[[verify.trust]]
certificate-roots = "root.pem"
subject = "CN=signer"
"""
DAY = timedelta(days=1)
NOW = datetime.now(UTC).replace(microsecond=0)


@dataclass
class Release:
    """A file signed by ``openssl cms``, its authority, and the server of the authority's list."""

    authority: OpensslAuthority
    project: Project
    port: int
    published: dict[str, bytes] = field(default_factory=dict)

    @property
    def sidecar(self) -> Path:
        return self.project.dist / "tool.bin.p7s"

    def publish(self) -> None:
        self.published["/list.crl"] = self.authority.revocation_list_der()

    def stamp(self) -> None:
        """Have the signature timestamped by ``openssl ts``, now."""
        producer, signed = CmsProducer(), self.sidecar.read_bytes()
        imprint = hashlib.sha256(producer.signature(signed)).digest()
        reply = TimestampServer().reply(encode_request(imprint, hash_="sha256", nonce=7 << 60))
        self.sidecar.write_bytes(producer.with_timestamps(signed, [reply]))

    def verify(self, settings: str, *arguments: str) -> tuple[str, str]:
        """Return the verdict of ``hatch-sign verify`` and what it says beside it."""
        (self.project.folder / "hatch-sign.toml").write_text(CONFIGURATION + settings)
        ran = self.project.run("verify", "dist", "--json", *arguments)
        ((signature,),) = [artifact["signatures"] for artifact in json.loads(ran.out)["artifacts"]]
        assert (ran.code == 0) == (signature["verdict"] == "trusted"), ran.output
        return signature["verdict"], "; ".join([signature["detail"], *signature["warnings"]])


FETCHED = 'revocation = "require"\n'
LISTED = 'revocation = "require"\nrevocation-lists = ["list.crl"]\n'


@pytest.fixture
def responder_port() -> int:
    return free_port()


def released(folder: Path, service: Service, *, port: int | None) -> Release:
    """Make an authority in `folder` and sign a file; with a `port`, the certificate names a responder there."""
    ocsp_url = f"http://127.0.0.1:{port}/" if port else ""
    authority = OpensslAuthority(folder, "" if port else f"{service.origin}/list.crl", ocsp_url)
    release = Release(authority, Project(folder), port or 0)
    service.respond = lambda request: _published(release, request)
    release.project.add("tool.bin", b"what is released")
    files = "-in dist/tool.bin -out dist/tool.bin.p7s -signer signer.pem -inkey signer.key"
    demand(openssl(*f"cms -sign -binary -outform DER -md sha256 {files}".split(), folder=folder))
    (folder / "tsa.pem").write_bytes(make_tsa().root.public_bytes(Encoding.PEM))
    release.publish()
    return release


def _published(release: Release, request: Request) -> Answer:
    return Answer(200, release.published[request.path]) if request.path in release.published else Answer(404)


@pytest.fixture
def service() -> Iterator[Service]:
    with serving(Service(lambda _: Answer(404)), None) as running:
        yield running


@pytest.fixture
def release(tmp_path: Path, service: Service) -> Release:
    return released(tmp_path, service, port=None)


@pytest.fixture
def online(tmp_path: Path, service: Service, responder_port: int) -> Release:
    return released(tmp_path, service, port=responder_port)


# --- lists ----------------------------------------------------------------------------------------------------------


def test_all_agree_on_a_certificate_that_is_on_no_list(release: Release) -> None:
    crl = release.authority.revocation_list()
    assert release.verify(LISTED, "--offline") == ("trusted", "name not covered")
    assert release.verify(FETCHED) == ("trusted", "name not covered")
    assert release.authority.verify(crl).accepted
    assert certvalidator(release, crl).accepted


def test_all_agree_on_a_certificate_that_is_on_the_list(release: Release) -> None:
    release.authority.revoke(NOW - DAY)
    crl = release.authority.revocation_list()
    release.publish()
    for settings in (LISTED, FETCHED, FETCHED.replace("require", "prefer")):
        verdict, detail = release.verify(settings)
        assert verdict == "revoked"
        assert f"CN=signer is revoked since {NOW - DAY:%Y-%m-%d %H:%M:%SZ} (keyCompromise)" in detail
    answers = (release.authority.verify(crl), certvalidator(release, crl))
    assert [answer.accepted for answer in answers] == [False, False]
    assert all("revoked" in answer.output for answer in answers), answers


@pytest.mark.parametrize(("revoked", "verdict"), [(NOW - DAY, "revoked"), (NOW + DAY, "trusted")])
def test_a_timestamp_tells_whether_the_signature_was_there_before(release: Release, revoked: datetime, verdict: str) -> None:
    release.stamp()
    release.authority.revoke(revoked)
    release.authority.revocation_list()
    found, detail = release.verify(LISTED)
    assert found == verdict
    assert f"CN=signer is revoked since {revoked:%Y-%m-%d %H:%M:%SZ} (keyCompromise)" in detail
    assert ("which is after the signature was made" in detail) == (verdict == "trusted")


def test_without_a_timestamp_no_revocation_is_late_enough(release: Release) -> None:
    release.authority.revoke(NOW + DAY)
    release.authority.revocation_list()
    assert release.verify(LISTED)[0] == "revoked"


def test_all_agree_on_a_list_that_is_out_of_date(release: Release) -> None:
    crl = release.authority.revocation_list(updates=(NOW - 3 * DAY, NOW - DAY))
    verdict, detail = release.verify(LISTED, "--offline")
    assert (verdict, "is out of date since" in detail) == ("indeterminate", True)
    answer = release.authority.verify(crl)
    assert (answer.accepted, "CRL has expired" in answer.output) == (False, True)
    verdict, detail = release.verify(LISTED.replace("require", "prefer"), "--offline")
    assert (verdict, "is out of date since" in detail) == ("trusted", True)
    assert release.verify(LISTED)[0] == "trusted"  # by the list that is fetched in its place


def test_all_agree_on_a_list_that_was_tampered_with(release: Release) -> None:
    release.authority.revoke(NOW - DAY)
    der = bytearray(release.authority.revocation_list_der())
    serial = der.index(bytes.fromhex("02021000"))
    der[serial + 3] ^= 0x55
    (release.project.folder / "list.crl").write_bytes(der)
    verdict, detail = release.verify(LISTED, "--offline")
    assert (verdict, "has a wrong signature" in detail) == ("indeterminate", True)
    (release.project.folder / "forged.pem").write_bytes(x509.load_der_x509_crl(bytes(der)).public_bytes(Encoding.PEM))
    answer = release.authority.verify(Path("forged.pem"))
    assert (answer.accepted, "CRL signature failure" in answer.output) == (False, True)


def test_a_list_that_cannot_be_fetched_is_never_silently_fine(release: Release) -> None:
    release.published.clear()
    verdict, detail = release.verify(FETCHED)
    assert verdict == "indeterminate"
    assert "/list.crl has nothing there" in detail


def certvalidator(release: Release, crl: Path) -> PeerResult:
    """Ask pyHanko's path validator whether the signer's certificate is good by this list."""
    context = rigs.require_module("pyhanko_certvalidator").ValidationContext
    validator = rigs.require_module("pyhanko_certvalidator").CertificateValidator
    errors = rigs.require_module("pyhanko_certvalidator.errors")
    asn1 = {name: rigs.require_module(f"asn1crypto.{name}") for name in ("x509", "crl")}
    root, signer = (_der(release.authority.folder / name) for name in ("root.pem", "signer.pem"))
    lists = [asn1["crl"].CertificateList.load(x509.load_pem_x509_crl(crl.read_bytes()).public_bytes(Encoding.DER))]
    anchors = [asn1["x509"].Certificate.load(root)]
    settings = context(trust_roots=anchors, crls=lists, revocation_mode="hard-fail", allow_fetching=False)
    asked = validator(asn1["x509"].Certificate.load(signer), validation_context=settings)
    try:
        asyncio.run(asked.async_validate_usage({"digital_signature"}, {"code_signing"}))
    except errors.PathValidationError as error:
        return rigs.PeerResult(accepted=False, output=str(error))
    return rigs.PeerResult(accepted=True, output="")


def _der(path: Path) -> bytes:
    return x509.load_pem_x509_certificate(path.read_bytes()).public_bytes(Encoding.DER)


# --- a responder ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("signer", ["root", "responder"])
def test_all_agree_on_what_a_responder_answers(online: Release, signer: str) -> None:
    url = online.authority.ocsp_url
    with online.authority.responder(online.port, signer):
        assert online.verify(FETCHED) == ("trusted", "name not covered")
        assert online.authority.ask_responder(url).accepted
    online.authority.revoke(NOW - DAY)
    with online.authority.responder(online.port, signer):
        verdict, detail = online.verify(FETCHED)
        assert verdict == "revoked"
        assert f"CN=signer is revoked since {NOW - DAY:%Y-%m-%d %H:%M:%SZ} (keyCompromise)" in detail
        assert "signer.pem: revoked" in online.authority.ask_responder(url).output


@pytest.mark.parametrize(("revoked", "verdict"), [(NOW - DAY, "revoked"), (NOW + DAY, "trusted")])
def test_a_timestamp_counts_for_what_a_responder_answers_too(online: Release, revoked: datetime, verdict: str) -> None:
    online.stamp()
    online.authority.revoke(revoked)
    with online.authority.responder(online.port):
        assert online.verify(FETCHED)[0] == verdict


def test_all_agree_on_a_certificate_that_a_responder_does_not_know(online: Release) -> None:
    online.authority.forget()
    with online.authority.responder(online.port):
        verdict, detail = online.verify(FETCHED)
        assert (verdict, "is that it is not known" in detail) == ("indeterminate", True)
        assert "signer.pem: unknown" in online.authority.ask_responder(online.authority.ocsp_url).output


def test_an_answer_without_an_end_is_good_for_the_moment(online: Release) -> None:
    with online.authority.responder(online.port, options=""):
        assert online.verify(FETCHED)[0] == "trusted"


def test_a_responder_that_the_authority_did_not_name_is_not_believed(online: Release) -> None:
    with online.authority.responder(online.port, "signer"):
        verdict, detail = online.verify(FETCHED)
        assert (verdict, "does not name as its own" in detail) == ("indeterminate", True)
        assert "missing ocspsigning usage" in online.authority.ask_responder(online.authority.ocsp_url).refusal


def test_a_responder_that_is_down_is_never_silently_fine(online: Release) -> None:
    verdict, detail = online.verify(FETCHED)
    assert (verdict, "refused the connection" in detail) == ("indeterminate", True)
    verdict, detail = online.verify(FETCHED.replace("require", "prefer"))
    assert (verdict, "refused the connection" in detail) == ("trusted", True)


def test_an_answer_may_be_kept_in_a_file(online: Release) -> None:
    answer = "-respout signer.ors -reqout signer.orq"
    with online.authority.responder(online.port):
        kept = f"ocsp -issuer root.pem -cert signer.pem -CAfile root.pem -no_nonce -url {online.authority.ocsp_url} {answer}"
        demand(openssl(*kept.split(), folder=online.project.folder))
    settings = 'revocation = "require"\nrevocation-responses = ["signer.ors"]\n'
    assert online.verify(settings, "--offline") == ("trusted", "name not covered")
    kept_file = online.project.folder / "signer.ors"
    data = bytearray(kept_file.read_bytes())
    last_digit = data.index(b"\x80\x00\x18\x0f") + 17  # of the seconds of thisUpdate, behind the status good
    data[last_digit] ^= 1
    kept_file.write_bytes(data)
    verdict, detail = online.verify(settings, "--offline")
    assert (verdict, "has a wrong signature" in detail) == ("indeterminate", True)


# --- what no other library signs by any more ------------------------------------------------------------------------


@pytest.mark.parametrize("hash_", ["sha1", "sha256"])
def test_an_issuer_that_signs_by_sha_1_is_refused(tmp_path: Path, hash_: str) -> None:
    authority = OpensslAuthority(tmp_path)
    (tmp_path / "extensions").write_text("extendedKeyUsage = codeSigning\n")
    made = f"x509 -req -in signer.csr -CA root.pem -CAkey root.key -CAcreateserial -{hash_} -extfile extensions -out old.pem"
    authority.run(made)
    leaf, root = (x509.load_pem_x509_certificate((tmp_path / name).read_bytes()) for name in ("old.pem", "root.pem"))
    now = datetime.now(UTC)
    chain = check_chain([leaf], roots=[root], intermediates=[], usage=ExtendedKeyUsageOID.CODE_SIGNING, at=now)
    expected = "Forbidden signature algorithm" if hash_ == "sha1" else ""
    assert chain.problem.endswith(expected)
    assert bool(chain.problem) == bool(expected)
