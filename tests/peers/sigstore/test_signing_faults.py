"""Fulcio, Rekor and timestamp authorities that fail: a clear error without the token, in time, and nothing half done."""

from __future__ import annotations

import json
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hatch_sign.custody.bundle_signer import CheckedBundleSigner, open_bundle_signer
from hatch_sign.custody.context import RunContext
from hatch_sign.values.errors import ConfigurationError, CustodyError, HatchSignError, SecretRejectedError, WitnessError
from hatch_sign_sigstore.signing.backend import SigstoreBackend
from hatch_sign_sigstore.signing.signer import KeylessSigner

from ...unit.sigstore.tokens import make_token
from .. import loopback_faults as faults
from ..loopback import LoopbackSigstore, loopback_sigstore, make_identity_token
from ..loopback_faults import Fault, Service
from .keyless import identity_at, make_keyless_project

DIGEST = bytes(range(32))
LATE, BROKEN, FOREIGN = (
    "did not answer in time",
    "did not answer, or failed",
    "gave an answer that is not one of this service",
)


def open_identity(stack: ExitStack, reference: str, token: str) -> CheckedBundleSigner:
    context = RunContext({"HATCH_SIGN_IDENTITY_TOKEN": token}, on_warning=pytest.fail)
    return stack.enter_context(open_bundle_signer(SigstoreBackend(), reference, context))


@pytest.fixture(params=[1, 2], ids=["rekor1", "rekor2"])
def identity(request: pytest.FixtureRequest, instance: LoopbackSigstore) -> Iterator[CheckedBundleSigner]:
    with ExitStack() as stack:
        reference = identity_at(instance, rekor_version=request.param, timeout=3)
        yield open_identity(stack, reference, instance.identity_token)


def require_secrecy(error: BaseException, token: str) -> None:
    """Hold all that a trace of the error would show against the token and its parts."""
    shown = "".join(traceback.format_exception(error))
    assert [part for part in (token, *token.split(".")) if part in shown] == []
    assert error.__cause__ is None
    assert error.__context__ is None


FAULTS = [
    pytest.param(faults.slow(), LATE, id="slow"),
    pytest.param(faults.trickle(), LATE, id="trickle"),
    pytest.param(faults.down(), BROKEN, id="down"),
    pytest.param(faults.cut(), BROKEN, id="cut"),
    pytest.param(faults.refuse(503), BROKEN, id="unavailable"),
    pytest.param(faults.refuse(400, {"code": 3, "message": "no such thing"}), "no such thing (400)", id="refusing"),
    pytest.param(faults.garbage(), FOREIGN, id="garbage"),
]


@pytest.mark.parametrize(("fault", "expected"), FAULTS)
def test_a_failing_certificate_authority(instance: LoopbackSigstore, fault: Fault, expected: str) -> None:
    reference = identity_at(instance, timeout=3)
    with instance.fault(Service.FULCIO, fault), ExitStack() as stack, pytest.raises(CustodyError) as caught:
        open_identity(stack, reference, instance.identity_token)
    assert "Fulcio (localhost)" in caught.value.message
    assert expected in caught.value.message
    require_secrecy(caught.value, instance.identity_token)


@pytest.mark.parametrize(("fault", "expected"), FAULTS)
@pytest.mark.parametrize("service", ["log", "authority"])
def test_a_failing_witness(
    instance: LoopbackSigstore, identity: CheckedBundleSigner, service: str, fault: Fault, expected: str
) -> None:
    with ExitStack() as stack:
        for each in (Service.REKOR_V1, Service.REKOR_V2) if service == "log" else (Service.TSA,):
            stack.enter_context(instance.fault(each, fault))
        with pytest.raises(WitnessError) as caught:
            identity.sign_artifact(DIGEST)
    assert ("Rekor (" if service == "log" else "the timestamp authority (") in caught.value.message
    assert expected in caught.value.message
    require_secrecy(caught.value, instance.identity_token)


@pytest.mark.parametrize("service", [Service.FULCIO, Service.REKOR_V1, Service.REKOR_V2, Service.TSA])
def test_what_fails_once_is_asked_again(instance: LoopbackSigstore, service: Service) -> None:
    version = 2 if service is Service.REKOR_V2 else 1
    for fault in (faults.down(times=1), faults.cut(times=1), faults.refuse(503, times=1)):
        with instance.fault(service, fault), ExitStack() as stack:
            identity = open_identity(stack, identity_at(instance, rekor_version=version), instance.identity_token)
            assert identity.has_signed(identity.sign_artifact(DIGEST), DIGEST)


@pytest.mark.parametrize("service", [Service.REKOR_V1, Service.REKOR_V2, Service.TSA])
def test_an_answer_to_another_question_is_not_taken(instance: LoopbackSigstore, service: Service) -> None:
    version = 1 if service is Service.REKOR_V1 else 2
    with ExitStack() as stack:
        identity = open_identity(stack, identity_at(instance, rekor_version=version), instance.identity_token)
        identity.sign_artifact(DIGEST)
        with instance.fault(service, faults.replay()), pytest.raises(WitnessError, match="what came back does not verify"):
            identity.sign_artifact(DIGEST[::-1])


def test_a_certificate_for_another_key_is_not_taken(instance: LoopbackSigstore) -> None:
    with ExitStack() as stack:
        open_identity(stack, identity_at(instance), instance.identity_token)
        stack.enter_context(instance.fault(Service.FULCIO, faults.replay()))
        with pytest.raises(CustodyError, match=f"Fulcio .* {FOREIGN}"):
            open_identity(stack, identity_at(instance), instance.identity_token)


def test_a_service_that_repeats_the_token_does_not_make_us_repeat_it(instance: LoopbackSigstore) -> None:
    said = {"code": 3, "message": f"cannot take {instance.identity_token} for an answer"}
    fault = faults.refuse(401, said)
    with instance.fault(Service.FULCIO, fault), ExitStack() as stack, pytest.raises(SecretRejectedError) as caught:
        open_identity(stack, identity_at(instance), instance.identity_token)
    assert "did not accept the identity token: cannot take ... for an answer (401)" in caught.value.message
    require_secrecy(caught.value, instance.identity_token)


def test_services_that_the_root_does_not_vouch_for(instance: LoopbackSigstore) -> None:
    with loopback_sigstore() as other:
        config = faults.distrusted(instance.trust_config, other.trusted_root)
    with ExitStack() as stack, pytest.raises(HatchSignError, match="transparency log") as caught:
        open_identity(stack, identity_at(instance, config), instance.identity_token)
    require_secrecy(caught.value, instance.identity_token)


def test_a_run_that_failed_completes_when_it_is_run_again(instance: LoopbackSigstore, tmp_path: Path) -> None:
    project = make_keyless_project(tmp_path, instance)
    project.add("a.bin", b"first")
    arguments = ("sign", "dist", "--key", identity_at(instance, rekor_version=2, timeout=5))
    project.succeed(*arguments)
    first = (project.dist / "a.bin.sigstore.json").read_bytes()
    project.add("b.bin", b"second")
    with instance.fault(Service.REKOR_V2, faults.cut()):
        assert "Rekor (127.0.0.1) did not answer" in project.fail(3, *arguments)
    assert project.names() == ["a.bin", "a.bin.sigstore.json", "b.bin"]
    before = instance.requests()[Service.REKOR_V2]
    project.succeed(*arguments)
    assert instance.requests()[Service.REKOR_V2] == before + 1
    assert (project.dist / "a.bin.sigstore.json").read_bytes() == first
    assert (project.dist / "b.bin.sigstore.json").exists()


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="process lists are read from /proc")
def test_the_token_is_nowhere(instance: LoopbackSigstore, tmp_path: Path) -> None:
    """Neither in what is printed, nor in any file, nor in the process list."""
    project = make_keyless_project(tmp_path, instance)
    project.add("a.bin", b"data")
    (tmp_path / "hatch-sign.toml").write_text('observers = ["audit"]\naudit-file = "audit.jsonl"\n')
    command = [sys.executable, "-m", "hatch_sign", "sign", "dist", "--key", identity_at(instance)]
    environ = {**project.environ, "HATCH_SIGN_DEBUG": "1"}
    process = subprocess.Popen(command, cwd=tmp_path, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    with process:
        listed = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        output = process.communicate(timeout=300)[0]
    assert process.returncode == 0, output
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b'"credential":"https://github.com/example/demo/' in written
    assert b"token.actions.githubusercontent.com" in output
    for part in (instance.identity_token, *instance.identity_token.split(".")):
        assert part.encode() not in output + listed + written


@pytest.fixture
def ending(instance: LoopbackSigstore, tmp_path: Path) -> Iterator[tuple[KeylessSigner, Path]]:
    """Lend an identity whose certificate has just ended, and the file that its token is read from."""
    token = tmp_path / "token"
    token.write_text(instance.identity_token)
    context = RunContext({}, on_warning=pytest.fail)
    with SigstoreBackend().open(identity_at(instance, token_source=f"file:{token}"), context) as signer:
        assert isinstance(signer, KeylessSigner)
        signer._ends = datetime.now(UTC)
        yield signer, token


def test_a_certificate_that_ends_is_renewed_once_for_all(
    instance: LoopbackSigstore, ending: tuple[KeylessSigner, Path]
) -> None:
    signer, before = ending[0], instance.requests()[Service.FULCIO]
    for _ in range(2):
        assert signer.has_signed(signer.sign_artifact(DIGEST), DIGEST)
    assert instance.requests()[Service.FULCIO] == before + 1


def test_a_token_that_has_expired_meanwhile_ends_the_run(ending: tuple[KeylessSigner, Path]) -> None:
    signer, path = ending
    path.write_text(make_token(exp=1))
    with pytest.raises(SecretRejectedError, match=r"in the file .*token has expired"):
        signer.sign_artifact(DIGEST)


def test_a_token_of_somebody_else_is_not_signed_with(ending: tuple[KeylessSigner, Path]) -> None:
    signer, path = ending
    path.write_text(make_identity_token("https://github.com/example/fork/.github/workflows/a.yml@refs/heads/main"))
    with pytest.raises(CustodyError, match="the identity changed in the middle of the run"):
        signer.sign_artifact(DIGEST)


@pytest.mark.parametrize("address", ["http://fulcio.example", "http://user:word@fulcio.example/?x=word", "ftp://localhost"])
def test_a_certificate_authority_in_the_open_gets_no_token(instance: LoopbackSigstore, tmp_path: Path, address: str) -> None:
    config = json.loads(instance.trust_config.read_text())
    config["signingConfig"]["caUrls"][0]["url"] = address
    trust_config = tmp_path / "open.json"
    trust_config.write_text(json.dumps(config))
    with ExitStack() as stack, pytest.raises(ConfigurationError, match="expected https; the identity token goes") as caught:
        open_identity(stack, identity_at(instance, trust_config), instance.identity_token)
    assert "word" not in str(caught.value)
    require_secrecy(caught.value, instance.identity_token)
