"""What an identity signs, before sigstore-python, cosign and @sigstore/verify: accepted as it is, refused when changed."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hatch_sign.formats.intoto import RELEASE_CLAIM

from ...integration.cli.cli_project import Project, make_wheel
from ..loopback_faults import Service
from .judges import Judge, cosign, cosign_of_type, sigstore_js, sigstore_python
from .keyless import identity_at, make_keyless_project

if TYPE_CHECKING:
    from ..loopback import LoopbackSigstore

LOGS = {1: Service.REKOR_V1, 2: Service.REKOR_V2}


@pytest.fixture(scope="module", params=[1, 2], ids=["rekor1", "rekor2"])
def signed(request: pytest.FixtureRequest, instance: LoopbackSigstore, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a release that is signed by the identity: sidecars, one statement, signed checksums."""
    version: int = request.param
    project = make_keyless_project(tmp_path_factory.mktemp("keyless"), instance)
    make_wheel(project)
    project.add("demo-1.0.tar.gz", b"stands for an sdist\n" * 50)
    before = instance.requests()
    formats = ["--format", "sigstore", "--format", "statement", "--format", "checksums"]
    project.succeed("sign", "dist", "--key", identity_at(instance, rekor_version=version), *formats)
    after = instance.requests()
    assert after[Service.FULCIO] - before[Service.FULCIO] == 1
    assert after[LOGS[version]] - before[LOGS[version]] == 4
    return project


@pytest.fixture
def copy(signed: Project, tmp_path: Path) -> Project:
    """Return a copy that a test may tamper with."""
    (tmp_path / "dist").mkdir()
    for path in signed.dist.iterdir():
        (tmp_path / "dist" / path.name).write_bytes(path.read_bytes())
    return Project(tmp_path, signed.environ)


ARTIFACT, SUMS = "demo-1.0.tar.gz", "SHA256SUMS"
SIDECAR, STATEMENT = f"{ARTIFACT}.sigstore.json", "demo-1.0.intoto.sigstore.json"

SIDECARS = [
    pytest.param(judge, artifact, f"{artifact}.sigstore.json", reason, id=f"{judge.__name__}-{artifact}")
    for artifact in (ARTIFACT, SUMS)
    for judge, reason in (
        (sigstore_python, "Bundle message digest mismatch"),
        (cosign, "could not verify message: invalid signature"),
        (sigstore_js, "SIGNATURE_ERROR"),
    )
]
STATEMENTS = [
    pytest.param(sigstore_python, ARTIFACT, STATEMENT, "in-toto statement has no subject", id="sigstore_python-statement"),
    pytest.param(cosign_of_type(RELEASE_CLAIM), ARTIFACT, STATEMENT, "artifact digests do not match", id="cosign-statement"),
]


@pytest.mark.parametrize(("judge", "artifact", "bundle", "reason"), SIDECARS + STATEMENTS)
def test_others_accept_what_the_identity_signed_and_nothing_else(
    instance: LoopbackSigstore, copy: Project, judge: Judge, artifact: str, bundle: str, *, reason: str
) -> None:
    good = judge(instance, copy.dist / artifact, copy.dist / bundle)
    assert good.accepted, good.output
    (copy.dist / artifact).write_bytes((copy.dist / artifact).read_bytes() + b"!")
    refused = judge(instance, copy.dist / artifact, copy.dist / bundle)
    assert not refused.accepted
    assert reason in refused.output


def test_sigstore_js_reads_a_statement_in_a_log_of_the_first_version_only(instance: LoopbackSigstore, copy: Project) -> None:
    """The second enters the digest of the envelope's encoding; @sigstore/verify 3.1 expects that of the payload."""
    bundle = copy.dist / STATEMENT
    result = sigstore_js(instance, copy.dist / ARTIFACT, bundle)
    if b'"0.0.2"' in bundle.read_bytes():
        assert not result.accepted
        assert "TLOG_BODY_ERROR: digest mismatch" in result.output
        return
    assert result.accepted, result.output
    copy.add(ARTIFACT, b"another sdist")
    refused = sigstore_js(instance, copy.dist / ARTIFACT, bundle)
    assert not refused.accepted
    assert "SUBJECT_ERROR" in refused.output


def test_checksums_name_the_artifacts(signed: Project) -> None:
    assert {line.split("  ")[1] for line in (signed.dist / SUMS).read_text().splitlines()} == {
        ARTIFACT,
        "demo-1.0-py3-none-any.whl",
    }


def test_a_statement_names_every_artifact(signed: Project) -> None:
    envelope = json.loads((signed.dist / STATEMENT).read_text())["dsseEnvelope"]
    statement = json.loads(base64.b64decode(envelope["payload"]))
    assert [subject["name"] for subject in statement["subject"]] == ["demo-1.0-py3-none-any.whl", ARTIFACT]


def test_what_is_signed_already_stays_as_it_is(instance: LoopbackSigstore, copy: Project) -> None:
    """Under another certificate of the same identity, and in whatever log."""
    before, counted = {path.name: path.read_bytes() for path in copy.dist.iterdir()}, instance.requests()
    ran = copy.succeed("sign", "dist", "--key", identity_at(instance), "--format", "sigstore", "--format", "statement")
    assert "already signed by this identity" in ran.out
    assert {path.name: path.read_bytes() for path in copy.dist.iterdir()} == before
    assert {log: instance.requests()[log] for log in LOGS.values()} == {log: counted[log] for log in LOGS.values()}


def _other_bytes(project: Project) -> str:
    project.add(ARTIFACT, b"another sdist")
    return "not a signature of these bytes"


def _damaged_signature(project: Project) -> str:
    sidecar = project.dist / SIDECAR
    document = json.loads(sidecar.read_text())
    document["messageSignature"]["signature"] = "AAAA" + document["messageSignature"]["signature"][4:]
    sidecar.write_text(json.dumps(document))
    return "not a signature of these bytes"


@pytest.mark.parametrize("tamper", [_other_bytes, _damaged_signature])
def test_what_is_not_by_the_identity_is_in_the_way(
    instance: LoopbackSigstore, copy: Project, tamper: Callable[[Project], str]
) -> None:
    expected = tamper(copy)
    assert expected in copy.fail(2, "sign", f"dist/{ARTIFACT}", "--key", identity_at(instance))


def test_another_identity_does_not_take_it_for_its_own(instance: LoopbackSigstore, copy: Project) -> None:
    from ..loopback import make_identity_token  # noqa: PLC0415 - this test alone has a second person

    other = make_identity_token("https://github.com/example/fork/.github/workflows/release.yml@refs/heads/main")
    arguments = ("sign", f"dist/{ARTIFACT}", "--key", identity_at(instance))
    assert "there already" in copy.fail(2, *arguments, HATCH_SIGN_IDENTITY_TOKEN=other)
    copy.succeed(*arguments, "--overwrite", HATCH_SIGN_IDENTITY_TOKEN=other)
    result = sigstore_python(instance, copy.dist / ARTIFACT, copy.dist / SIDECAR)
    assert not result.accepted
    assert "example/fork" in result.output


def test_a_build_on_github_signs_by_the_identity_that_it_is_given(instance: LoopbackSigstore, tmp_path: Path) -> None:
    asked: list[tuple[str, str | None]] = []

    class Provider(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers["Authorization"]))
            body = json.dumps({"value": instance.identity_token}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    project = make_keyless_project(tmp_path, instance)
    project.add("a.bin", b"data")
    environ = {name: value for name, value in project.environ.items() if name != "HATCH_SIGN_IDENTITY_TOKEN"}
    environ |= {"GITHUB_ACTIONS": "true", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "a-request"}
    with ThreadingHTTPServer(("127.0.0.1", 0), Provider) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            environ["ACTIONS_ID_TOKEN_REQUEST_URL"] = f"http://127.0.0.1:{server.server_port}/token?api-version=2"
            Project(tmp_path, environ).succeed("sign", "dist", "--key", identity_at(instance))
        finally:
            server.shutdown()
            thread.join()
    assert asked == [("/token?api-version=2&audience=sigstore", "bearer a-request")]
    result = sigstore_python(instance, project.dist / "a.bin", project.dist / "a.bin.sigstore.json")
    assert result.accepted, result.output
